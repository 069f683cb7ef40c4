"""Events are numbered, kept until acknowledged, and sent again from where a stream broke."""

import asyncio

import pytest
from voice_gateway.core.events import (
    CallEnded,
    EndReason,
    Failed,
    Failure,
    ReplyAudio,
    ReplyText,
    SessionEvent,
    Transcribed,
    TurnChanged,
    TurnKind,
)
from voice_gateway.session.outbox import Outbox, OutboxFull


def words(text: str) -> ReplyText:
    return ReplyText(1, text)


def sound(size: int) -> ReplyAudio:
    return ReplyAudio(1, 0, bytes(size))


def filled(count: int, **limits: int) -> Outbox:
    """An outbox with that many events, named by their number."""
    outbox = Outbox(**limits)
    for number in range(1, count + 1):
        outbox.put(words(str(number)))
    return outbox


async def taken(outbox: Outbox, count: int) -> list[tuple[int, SessionEvent]]:
    return [await outbox.take() for _ in range(count)]


async def test_events_are_numbered_from_one() -> None:
    assert await taken(filled(3), 3) == [(1, words("1")), (2, words("2")), (3, words("3"))]


async def test_the_sender_waits_for_the_next_event() -> None:
    outbox = Outbox()
    sender = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not sender.done()
    outbox.put(words("1"))
    assert await sender == (1, words("1"))


async def test_what_was_not_acknowledged_is_sent_again_with_the_same_number() -> None:
    outbox = filled(4)
    await taken(outbox, 4)
    outbox.acknowledge(2)
    assert outbox.rewind(2)
    assert await taken(outbox, 2) == [(3, words("3")), (4, words("4"))]


async def test_a_waiting_sender_is_woken_by_a_rewind() -> None:
    outbox = filled(1)
    await outbox.take()
    sender = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert outbox.rewind(0)
    assert await sender == (1, words("1"))


async def test_there_is_no_way_back_behind_an_acknowledgement_nor_ahead_of_what_was_sent() -> None:
    outbox = filled(4)
    await taken(outbox, 3)
    outbox.acknowledge(2)
    assert [outbox.rewind(seq) for seq in (0, 1, 4, 99)] == [False] * 4
    assert outbox.rewind(3)
    assert await outbox.take() == (4, words("4"))


async def test_an_acknowledgement_of_what_was_never_sent_drops_nothing() -> None:
    outbox = filled(3)
    await outbox.take()
    outbox.acknowledge(99)
    assert await taken(outbox, 2) == [(2, words("2")), (3, words("3"))]


async def test_an_old_acknowledgement_changes_nothing() -> None:
    outbox = filled(3)
    await taken(outbox, 3)
    outbox.acknowledge(2)
    outbox.acknowledge(1)
    assert outbox.rewind(2)


async def test_when_full_the_oldest_sent_events_go_and_with_them_the_way_back() -> None:
    outbox = filled(3, max_events=3)
    await taken(outbox, 2)
    outbox.put(words("4"))
    assert not outbox.rewind(0)
    assert outbox.rewind(1)
    assert await taken(outbox, 3) == [(2, words("2")), (3, words("3")), (4, words("4"))]


async def test_what_was_not_sent_is_never_dropped() -> None:
    outbox = filled(3, max_events=3)
    with pytest.raises(OutboxFull):
        outbox.put(words("4"))
    assert (await outbox.take())[0] == 1


async def test_audio_is_bounded_by_its_bytes() -> None:
    outbox = Outbox(max_events=100, max_bytes=1000)
    outbox.put(sound(600))
    await outbox.take()
    outbox.put(sound(600))
    assert not outbox.rewind(0)
    with pytest.raises(OutboxFull):
        outbox.put(sound(600))


async def test_acknowledged_audio_makes_room() -> None:
    outbox = Outbox(max_events=100, max_bytes=1000)
    for seq in range(1, 50):
        outbox.put(sound(900))
        await outbox.take()
        outbox.acknowledge(seq)
    assert outbox.rewind(49)


async def test_the_last_word_always_fits() -> None:
    outbox = Outbox(max_events=1)
    outbox.put(sound(10))
    outbox.put(CallEnded(EndReason.FAILED))
    assert [await outbox.take() for _ in range(2)][1] == (2, CallEnded(EndReason.FAILED))


def audio(n: int, offset: int, samples: int = 100) -> ReplyAudio:
    return ReplyAudio(n, offset, bytes(2 * samples))


async def test_audio_of_a_dead_reply_that_was_not_sent_goes_and_what_follows_is_next() -> None:
    outbox = Outbox()
    for event in (audio(1, 0), audio(1, 100), words("1"), audio(1, 200)):
        outbox.put(event)
    assert await taken(outbox, 1) == [(1, audio(1, 0))]
    outbox.drop_unsent_audio(1)
    outbox.put(words("cut"))
    outbox.put(audio(2, 0))
    assert await taken(outbox, 3) == [(2, words("1")), (3, words("cut")), (4, audio(2, 0))]


async def test_audio_is_under_way_until_it_is_acknowledged_or_was_sent_to_one_who_never_does() -> None:
    outbox = Outbox()
    for offset in (0, 100, 200):
        outbox.put(audio(1, offset))
    assert (outbox.audio_under_way_bytes, outbox.arrived_samples(1)) == (600, 0)
    await taken(outbox, 2)
    assert (outbox.audio_under_way_bytes, outbox.arrived_samples(1)) == (200, 200)
    outbox.acknowledge(1)
    assert (outbox.audio_under_way_bytes, outbox.arrived_samples(1)) == (400, 100)


async def test_audio_that_must_be_sent_again_is_not_sent() -> None:
    outbox = Outbox()
    for offset in (0, 100):
        outbox.put(audio(1, offset))
    await taken(outbox, 2)
    assert outbox.audio_under_way_bytes == 0
    outbox.rewind(0)
    assert outbox.audio_under_way_bytes == 400


@pytest.mark.parametrize(
    "event",
    [
        words("x" * 200),
        Transcribed(1, 1, "x" * 200, True),
        TurnChanged(TurnKind.TURN_ENDED, 1, 0.0, text="x" * 100, heard_text="x" * 100),
        Failed(Failure.BAD_REQUEST, "x" * 200),
    ],
)
async def test_text_is_bounded_by_its_bytes(event: SessionEvent) -> None:
    outbox = Outbox(max_bytes=2_000)
    outbox.put(event)
    outbox.put(event)
    with pytest.raises(OutboxFull):
        outbox.put(event)
    await outbox.take()
    outbox.put(event)
    assert not outbox.rewind(0)
    for seq in range(2, 40):
        await outbox.take()
        outbox.acknowledge(seq)
        outbox.put(event)
