"""Is the call accounted for as it happened?"""

from pcm import Clip
from voice_bench.demo.call_summary import Answer, CallSummary
from voice_bench.demo.caller import CallResult, Tracks
from voice_bench.demo.plot import rows_of
from voice_bench.demo.script import RATE_HZ, Line
from voice_bench.demo.verdict import failures
from voice_client.events import Latency, ReplyText, Transcript, Turn, TurnEvent
from voice_client.playout import Played


def line(text: str, *, barges_in: bool = False) -> Line:
    return Line(text, Clip(bytes(2), RATE_HZ), barges_in)


def say(summary: CallSummary, text: str, at_s: float, *, barges_in: bool = False) -> None:
    """One second of speech, from `at_s` on."""
    summary.begin_line(line(text, barges_in=barges_in), at_s)
    for tick in range(1, 51):
        summary.note_speech(0.02, at_s + tick * 0.02)


def answer(summary: CallSummary, number: int, text: str, at_s: float, lasts_s: float) -> None:
    """A transcript of the last line, and a reply that sounds from `at_s` on."""
    summary.observe(Transcript(number, number, "heard", True, 1.0, (), 0, 0), at_s - 0.1)
    summary.observe(TurnEvent(Turn.REPLY_STARTED, turn=number, reply=number), at_s - 0.1)
    summary.observe(ReplyText(number, text), at_s - 0.1)
    sound = bytes(2 * round(lasts_s * RATE_HZ))
    summary.note_audible(Played(sound, len(sound), ((number, at_s),)), at_s)


def interrupted_story() -> CallSummary:
    """A story that was cut by the second line after two words."""
    summary = CallSummary()
    say(summary, "tell me a story", 1.0)
    answer(summary, 1, "Once upon a time there was a cat.", 2.5, 3.0)
    say(summary, "stop", 5.0, barges_in=True)
    summary.observe(TurnEvent(Turn.REPLY_INTERRUPTED, reply=1, heard_text="Once upon", heard_ms=3000), 5.3)
    summary.observe(Latency(turn=1, reply=1, llm_ttft=0.2), 5.3)
    answer(summary, 2, "Okay.", 6.7, 0.5)
    return summary


def test_distances_are_those_of_the_recording() -> None:
    summary = interrupted_story()
    first, second = summary.exchanges
    assert first.speech_ended_s == 2.0
    assert first.voice_to_voice_s == 0.5
    assert summary.barge_in_stop_s(first) == 0.5
    assert summary.barge_in_stop_s(second) is None
    assert first.latency is not None


def test_a_call_where_all_went_well_has_no_complaints() -> None:
    assert failures(CallResult(interrupted_story(), Tracks(), gave_up=False), 2) == []


def test_a_barge_in_that_did_not_stop_the_reply_is_told() -> None:
    summary = interrupted_story()
    summary.exchanges[0].answers[1].cut_s = None
    assert failures(CallResult(summary, Tracks(), gave_up=False), 2) == ["line 2 barged in, but the reply went on"]


def test_a_reply_that_was_over_too_soon_asks_for_another_line() -> None:
    summary = interrupted_story()
    summary.exchanges[0].answers[1].cut_s = None
    summary.exchanges[0].answers[1].last_s = 4.0
    (sentence,) = failures(CallResult(summary, Tracks(), gave_up=False), 2)
    assert "--barge-in" in sentence


def test_what_is_missing_is_named_line_by_line() -> None:
    summary = CallSummary()
    say(summary, "one", 1.0)
    say(summary, "two", 3.0)
    answer(summary, 1, "  ", 5.0, 1.0)
    say(summary, "three", 7.0)
    summary.observe(Transcript(3, 3, "three", True, 1.0, (), 0, 0), 8.1)
    summary.observe(TurnEvent(Turn.REPLY_STARTED, turn=3, reply=3), 8.2)
    summary.observe(ReplyText(3, "Yes."), 8.2)
    assert failures(CallResult(summary, Tracks(), gave_up=True), 4) == [
        "line 1 was not understood: no final transcript came",
        "line 2 got no reply",
        "the reply to line 3 was not spoken",
        "only 3 of 4 lines could be said",
        "the caller hung up because nothing happened any more",
    ]


def test_a_retracted_reply_is_no_answer() -> None:
    summary = CallSummary()
    say(summary, "one", 1.0)
    summary.observe(TurnEvent(Turn.REPLY_STARTED, turn=1, reply=1), 2.5)
    summary.observe(TurnEvent(Turn.REPLY_RETRACTED, turn=1, reply=1), 2.6)
    assert summary.exchanges[0].answer is None


def test_heard_words_are_found_in_the_reply_where_the_synthesiser_told_fewer() -> None:
    reply = Answer(1, "Once upon a time, there was a cat.", 2.5, 5.5, 5.3, "Once upon a time there a", 3000)
    assert reply.heard_and_unheard == ("Once upon a time, there was a", "cat.")


def test_rows_of_the_picture_begin_before_a_line_and_cut_nobody_off() -> None:
    summary = CallSummary()
    for number in range(1, 6):
        say(summary, "a line", number * 6.0)
        answer(summary, number, "Yes.", number * 6.0 + 1.5, 3.0)
    begins_s, row_s = rows_of(summary, 36.0)
    assert len(begins_s) == 3
    assert set(begins_s) <= {0.0, *(number * 6.0 - 0.4 for number in range(1, 6))}
    assert row_s < 19.0


def test_a_reply_longer_than_a_row_is_split() -> None:
    summary = CallSummary()
    say(summary, "tell me a story", 1.0)
    answer(summary, 1, "Once upon a time.", 2.5, 60.0)
    begins_s, row_s = rows_of(summary, 64.0)
    assert begins_s == [0.0, 15.0, 30.0, 45.0, 60.0]
    assert row_s == 15.0
