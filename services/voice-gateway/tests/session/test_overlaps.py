"""What does a caller hear who coughs, hums along, echoes or interrupts? Whole calls in virtual time."""

import asyncio

import pytest
from scripted_call import FRAME_S, LONG, RATE_HZ, WORD_S, Call, ask, call, heard, number_samples, progress
from voice_gateway.core.events import (
    CallerAudio,
    InterruptRequested,
    ReplyAudio,
    ReplyTruncated,
    TextTyped,
    TurnChanged,
    TurnKind,
)

pytestmark = pytest.mark.looptime

QUARTER = " ".join(LONG.split()[:90])


def times(there: Call, kind: TurnKind) -> list[float]:
    """When the caller was told of it."""
    return [at for at, event in there.told if isinstance(event, TurnChanged) and event.kind is kind]


async def listen(there: Call, text: str = LONG) -> None:
    """Ask for a reply and hear its beginning."""
    there.model.script = (text,)
    number_samples(there)
    await ask(there)
    there.final("book a table")
    await there.silence(2.0)
    assert heard(there)


async def cough(there: Call, n: int) -> None:
    """A sound without a word, of 0.1 to 0.5 s."""
    await there.speak(0.1 + 0.1 * (n % 5))
    await there.silence(0.2)
    if n % 2:
        progress(there)
    await there.silence(0.6)


async def hum(there: Call, n: int) -> None:
    """A backchannel; its final comes soon, late, or after the next sound."""
    text = ("mhm", "Okay.", "uh-huh", "yeah", "I see.")[n % 5]
    await there.speak(0.4)
    there.partial(text[:2], 0.5)
    await there.silence(0.2)
    if n % 3:
        there.partial(text, 0.9)
    await there.silence((0.0, 0.4, 0.9)[n % 3])
    there.final(text)
    await there.silence(0.2)


async def test_a_hundred_coughs_and_backchannels_cost_no_word_and_double_none() -> None:
    async with call() as there:
        await listen(there)
        await there.silence(150.0)
        undisturbed = heard(there)
        assert len(undisturbed) == 2 * RATE_HZ * WORD_S * len(LONG.split())
    async with call() as there:
        await listen(there)
        for n in range(100):
            await (cough, hum)[n % 2](there, n)
            await there.silence(0.1 * (n % 4))
        await there.silence(150.0)
        assert heard(there) == undisturbed
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 1)]
        assert {kind for kind, _ in there.turns()[2:]} == {
            TurnKind.REPLY_HELD,
            TurnKind.REPLY_RESUMED,
            TurnKind.REPLY_ENDED,
        }
        assert len(times(there, TurnKind.REPLY_HELD)) == len(times(there, TurnKind.REPLY_RESUMED)) >= 95
        assert [(entry.words, entry.reply) for entry in there.session.snapshot().exchanges] == [("book a table", LONG)]
        assert len(there.model.chats) == 1


@pytest.mark.parametrize("after_s", [0.2, 0.9])
async def test_a_cough_is_followed_by_the_rest_of_the_reply_within_two_seconds(after_s: float) -> None:
    """livekit/agents#4039: the reply did not go on."""
    async with call() as there:
        await listen(there, QUARTER)
        await there.speak(0.5)
        ended_at = there.clock()
        sent = len(heard(there))
        await there.silence(after_s)
        if after_s < 0.5:
            progress(there)
            await there.silence(0.3)
        assert len(heard(there)) > sent
        (resumed_at,) = times(there, TurnKind.REPLY_RESUMED)
        assert resumed_at - ended_at <= 0.75
        await there.silence(60.0)
        assert there.session.snapshot().exchanges[0].reply == QUARTER


async def test_the_reply_is_held_at_the_first_sound_and_interrupted_by_the_first_words() -> None:
    async with call() as there:
        await listen(there)
        began_at = there.clock()
        await there.speak(0.3)
        (held_at,) = times(there, TurnKind.REPLY_HELD)
        assert held_at - began_at <= 0.1
        assert times(there, TurnKind.REPLY_INTERRUPTED) == []
        there.partial("wait a", 0.5)
        await there.speak(0.1)
        assert len(times(there, TurnKind.REPLY_INTERRUPTED)) == 1
        (cut,) = [e for _, e in there.told if isinstance(e, TurnChanged) and e.kind is TurnKind.REPLY_INTERRUPTED]
        assert cut.heard_text == there.session.snapshot().exchanges[0].reply
        assert LONG.startswith(cut.heard_text)
        assert cut.heard_ms == pytest.approx(1000 * (held_at - there.at(ReplyAudio)), abs=20)


async def test_after_a_barge_in_the_next_answer_is_heard() -> None:
    """livekit/agents#3418: silent after a barge-in."""
    async with call() as there:
        await listen(there)
        there.model.script = ("Fine. Done now.",)
        await there.speak(0.5)
        there.partial("stop")
        await there.silence(0.2)
        there.final("stop")
        await there.silence(5.0)
        assert len(heard(there, 2)) == 2 * RATE_HZ * WORD_S * 3
        assert there.turns()[-1] == (TurnKind.REPLY_ENDED, 2)
        assert [entry.words for entry in there.session.snapshot().exchanges] == ["book a table", "stop"]


async def test_a_noise_that_interrupts_leaves_the_call_able_to_answer() -> None:
    async with call() as there:
        await listen(there)
        await there.speak(3.0)
        await there.silence(4.0)
        assert len(times(there, TurnKind.REPLY_INTERRUPTED)) == 1
        there.model.script = ("Fine. Done now.",)
        await ask(there, "are you there")
        there.final("are you there")
        await there.silence(5.0)
        assert there.turns()[-1] == (TurnKind.REPLY_ENDED, max(n for _, n in there.turns()))
        assert there.session.snapshot().exchanges[-1].reply == "Fine. Done now."


async def test_a_caller_who_mutes_in_the_middle_of_a_sound_hears_the_reply_to_its_end() -> None:
    """pipecat#4124: muted in mid-speech, stuck for ever."""
    async with call() as there:
        await listen(there, QUARTER)
        for _ in range(10):
            there.session.take(CallerAudio(bytes(round(FRAME_S * RATE_HZ) * 2)))
            await there.speak(FRAME_S)
        await asyncio.sleep(60.0)
        (held_at,), (resumed_at,) = times(there, TurnKind.REPLY_HELD), times(there, TurnKind.REPLY_RESUMED)
        assert resumed_at - held_at <= 2.3
        assert there.turns()[-1] == (TurnKind.REPLY_ENDED, 1)
        assert there.session.snapshot().exchanges[0].reply == QUARTER


@pytest.mark.parametrize(("before_end_s", "is_answer"), [(3.0, False), (0.6, True)])
async def test_yes_is_a_backchannel_in_the_middle_of_a_reply_and_an_answer_at_its_end(
    before_end_s: float, is_answer: bool
) -> None:
    text = "We have a table at eight, and another one at nine on the terrace outside."
    async with call() as there:
        await listen(there, text)
        left_s = len(text.split()) * WORD_S - (there.clock() - there.at(ReplyAudio))
        await there.silence(left_s - before_end_s)
        await there.speak(0.4)
        there.final("Yes.")
        await there.silence(9.0)
        assert [entry.words for entry in there.session.snapshot().exchanges][1:] == ["Yes."] * is_answer


async def test_yes_after_a_question_in_the_middle_of_a_reply_is_its_answer() -> None:
    text = "Shall I book the table at eight for you? We are very glad that you want to come and see us again soon."
    async with call() as there:
        await listen(there, text)
        await there.silence(9 * WORD_S + 0.3 - (there.clock() - there.at(ReplyAudio)))
        await there.speak(0.4)
        there.final("Yes.")
        await there.silence(9.0)
        assert [entry.words for entry in there.session.snapshot().exchanges] == ["book a table", "Yes."]


async def test_echo_lets_the_reply_go_on_and_words_of_the_callers_own_stop_it() -> None:
    async with call() as there:
        await listen(there)
        played = LONG.split()
        for _ in range(3):
            now = round((there.clock() - there.at(ReplyAudio)) / WORD_S)
            await there.speak(0.5)
            there.partial(" ".join(played[max(0, now - 3) : max(1, now)]), 0.5)
            await there.speak(0.5)
            there.final(" ".join(played[max(0, now - 3) : now + 1]))
            await there.silence(0.5)
        assert len(times(there, TurnKind.REPLY_HELD)) == len(times(there, TurnKind.REPLY_RESUMED)) == 1
        await there.speak(0.5)
        there.partial("no wait please", 0.5)
        await there.speak(0.3)
        assert len(times(there, TurnKind.REPLY_INTERRUPTED)) == 1
        there.final("no wait please")
        await there.silence(3.0)
        assert [entry.words for entry in there.session.snapshot().exchanges] == ["book a table", "no wait please"]


async def test_the_echo_of_the_last_words_is_not_answered() -> None:
    text = "We have a table at eight on the terrace outside."
    async with call() as there:
        await listen(there, text)
        left_s = len(text.split()) * WORD_S - (there.clock() - there.at(ReplyAudio))
        await there.silence(left_s - 0.8)
        await there.speak(1.0)
        there.partial("the terrace out", 0.5)
        await there.silence(0.5)
        there.final("the terrace outside")
        await there.silence(9.0)
        assert len(there.model.chats) == 1
        assert there.session.snapshot().exchanges[0].reply == text


async def test_a_caller_who_repeats_the_last_words_after_a_reply_is_answered() -> None:
    text = "We have a table at eight, or one at nine on the terrace outside."
    async with call() as there:
        await listen(there, text)
        await there.silence(len(text.split()) * WORD_S)
        await there.speak(0.8)
        there.final("on the terrace outside")
        await there.silence(5.0)
        assert there.session.snapshot().exchanges[1].words == "on the terrace outside"


async def test_a_protected_greeting_is_heard_whole_and_then_the_caller_is_answered() -> None:
    notice = "This call is recorded for training. If you do not agree please hang up now."
    async with call(greeting=notice, turn_greeting_protected=True) as there:
        await there.silence(0.5)
        await there.speak(1.0)
        there.partial("hello there")
        await there.silence(0.5)
        there.final("hello there")
        await there.silence(9.0)
        assert times(there, TurnKind.REPLY_HELD) == times(there, TurnKind.REPLY_INTERRUPTED) == []
        assert [(entry.words, entry.reply) for entry in there.session.snapshot().exchanges] == [
            ("", notice),
            ("hello there", "Of course. Anything else? No?"),
        ]


async def test_a_client_may_interrupt_a_protected_greeting() -> None:
    async with call(greeting="This call is recorded for training.", turn_greeting_protected=True) as there:
        await there.silence(0.5)
        there.session.take(TextTyped("hello"))
        await there.silence(0.1)
        assert times(there, TurnKind.REPLY_INTERRUPTED) == []
        there.session.take(InterruptRequested())
        await there.silence(3.0)
        assert len(times(there, TurnKind.REPLY_INTERRUPTED)) == 1
        await asyncio.sleep(0)
        assert [entry.words for entry in there.session.snapshot().exchanges][1:] == ["hello"]


async def test_truncating_a_reply_that_is_heard_stops_it_there() -> None:
    async with call() as there:
        await listen(there)
        there.session.take(ReplyTruncated(1, 1000))
        await there.silence(3.0)
        (cut,) = [e for _, e in there.told if isinstance(e, TurnChanged) and e.kind is TurnKind.REPLY_INTERRUPTED]
        assert (cut.heard_ms, cut.heard_text) == (1000, " ".join(LONG.split()[:3]))
        assert there.session.snapshot().exchanges[0].reply == cut.heard_text
        there.session.take(ReplyTruncated(1, 400))
        assert there.session.snapshot().exchanges[0].reply == LONG.split()[0]
        there.session.take(TextTyped("go on"))
        await there.silence(1.0)
        assert [message.content for message in there.model.chats[-1]][-2:] == [LONG.split()[0], "go on"]
