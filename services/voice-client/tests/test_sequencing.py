"""What is written, written again, forgotten, acknowledged?"""

import pytest
from voice_client import CallFailed, Reconnect
from voice_client.backoff import delay_s
from voice_client.sequencing import Arrival, Inbox, Outbox
from voice_workflow.v1 import voice_workflow_pb2 as pb


def text(words: str) -> pb.ClientMessage:
    return pb.ClientMessage(text=pb.Text(text=words))


def sound(first_sample: int) -> pb.ClientMessage:
    return pb.ClientMessage(audio=pb.Audio(data=b"\1\0", first_sample=first_sample))


def written(box: Outbox) -> list[tuple[int, str | None]]:
    out: list[tuple[int, str | None]] = []
    while (message := box.next_unwritten()) is not None:
        out.append((message.seq, message.WhichOneof("message")))
    return out


def test_messages_are_numbered_from_one_and_written_once() -> None:
    box = Outbox()
    assert box.skip_number() == 1
    box.add(text("a"))
    box.add(sound(0))
    assert written(box) == [(2, "text"), (3, "audio")]
    assert written(box) == []


def test_after_a_drop_only_what_was_not_acknowledged_is_written_again() -> None:
    box = Outbox()
    for index in range(4):
        box.add(sound(index))
    written(box)
    box.acknowledge(2)
    box.add(text("b"))
    box.rewind()
    assert written(box) == [(3, "audio"), (4, "audio"), (5, "text")]
    box.acknowledge(5)
    box.rewind()
    assert written(box) == []
    assert not box.is_waiting


def test_an_acknowledgement_of_what_was_never_sent_forgets_nothing_to_come() -> None:
    box = Outbox()
    box.add(text("a"))
    written(box)
    box.acknowledge(99)
    box.add(text("b"))
    assert written(box) == [(2, "text")]


def test_a_full_box_loses_the_samples_of_the_oldest_audio_and_no_number_and_no_words() -> None:
    box = Outbox(capacity=3)
    box.add(text("keep"))
    for index in range(4):
        box.add(sound(index))
    sent: list[tuple[int, bytes]] = []
    while (message := box.next_unwritten()) is not None:
        sent.append((message.seq, message.audio.data))
    assert sent == [(1, b""), (2, b""), (3, b""), (4, b"\1\0"), (5, b"\1\0")]


def test_a_box_full_of_words_ends_the_call() -> None:
    box = Outbox(capacity=2)
    box.add(text("a"))
    box.add(text("b"))
    with pytest.raises(CallFailed, match="send less"):
        box.add(text("c"))


def test_nothing_is_kept_for_a_gateway_that_cannot_resume() -> None:
    box = Outbox()
    box.keeps_written = False
    box.add(text("a"))
    written(box)
    assert box.unacknowledged == 0


def test_a_repeated_message_is_known_and_a_gap_is_noticed() -> None:
    inbox = Inbox()
    assert [inbox.classify(seq) for seq in (1, 2, 2, 4, 0, 3)] == [
        Arrival.NEW,
        Arrival.NEW,
        Arrival.REPEATED,
        Arrival.GAP,
        Arrival.NEW,
        Arrival.NEW,
    ]
    assert inbox.ack == 3


def test_the_opening_of_a_resumed_stream_may_carry_a_number_that_is_not_due_yet() -> None:
    inbox = Inbox()
    inbox.classify(1, opens_stream=True)
    assert inbox.classify(4, opens_stream=True) is Arrival.NEW
    assert inbox.ack == 1
    assert [inbox.classify(seq) for seq in (2, 3, 4, 5)] == [
        Arrival.NEW,
        Arrival.NEW,
        Arrival.REPEATED,
        Arrival.NEW,
    ]
    assert inbox.ack == 5


def test_delays_double_up_to_the_longest_and_respect_the_gateway() -> None:
    policy = Reconnect(first_s=0.1, longest_s=1.0)
    assert [delay_s(policy, attempt, None, 0.0) for attempt in (1, 2, 3, 4, 5, 99)] == [
        pytest.approx(seconds) for seconds in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0)
    ]
    assert delay_s(policy, 1, 3.0, 0.5) == 3.0
    assert delay_s(policy, 1, None, 1.0) == pytest.approx(0.05)
