"""When is the call of a recording over?"""

from voice_client import Error, Event, Latency, Transcript, Turn, TurnEvent
from voice_client.end_of_call import SETTLED_S, UNSETTLED_S, EndOfCallDetector


def final(turn: int, text: str = "words") -> Transcript:
    return Transcript(turn, turn, text, True, 1.0, (), 0, 0)


def partial(utterance: int) -> Transcript:
    return Transcript(utterance, utterance, "wor", False, 0.5, (), 0, 0)


def turn(kind: Turn, number: int = 1) -> TurnEvent:
    return TurnEvent(kind, turn=number, reply=number)


def a_turn(number: int) -> list[Event]:
    return [
        turn(Turn.SPEECH_STARTED),
        partial(number),
        turn(Turn.SPEECH_STOPPED),
        final(number),
        turn(Turn.TURN_ENDED, number),
    ]


def answered(number: int) -> list[Event]:
    return [turn(Turn.REPLY_STARTED, number), turn(Turn.REPLY_ENDED, number)]


def after(*story: Event, typed: bool = False) -> float | None:
    watch = EndOfCallDetector(typed=typed)
    for event in story:
        watch.observe(event)
    return watch.quiet_needed_s


def test_a_call_in_which_nobody_spoke_is_never_over_by_itself() -> None:
    assert after() is None


def test_a_turn_waits_for_its_reply_and_the_reply_for_its_end() -> None:
    assert after(*a_turn(1)) is None
    assert after(*a_turn(1), turn(Turn.REPLY_STARTED)) is None
    assert after(*a_turn(1), *answered(1)) == SETTLED_S


def test_a_second_utterance_keeps_the_call_open() -> None:
    first = [*a_turn(1), *answered(1)]
    assert after(*first, turn(Turn.SPEECH_STARTED)) is None
    assert after(*first, *a_turn(2)) is None
    assert after(*first, *a_turn(2), *answered(2)) == SETTLED_S


def test_words_without_a_turn_yet_ask_for_a_longer_silence() -> None:
    first = [*a_turn(1), *answered(1)]
    assert after(*first, final(2)) == UNSETTLED_S
    assert after(*first, partial(2)) == UNSETTLED_S
    assert after(*first, turn(Turn.SPEECH_STARTED), turn(Turn.SPEECH_STOPPED)) == UNSETTLED_S


def test_a_retracted_reply_is_not_an_answer() -> None:
    retracted = [turn(Turn.REPLY_STARTED), turn(Turn.REPLY_RETRACTED)]
    assert after(*a_turn(1), *retracted) is None
    assert after(*a_turn(1), *retracted, turn(Turn.TURN_ENDED), *answered(2)) == SETTLED_S


def test_a_turn_whose_reply_failed_does_not_wait_for_ever() -> None:
    failed = Error("llm_unavailable", "no", True, 0.0, False)
    assert after(*a_turn(1), failed) == UNSETTLED_S


def test_a_slow_recogniser_is_given_its_lag_on_top() -> None:
    assert after(*a_turn(1), *answered(1), Latency(1, 1, asr_lag=4.0)) == SETTLED_S + 4.0


def test_a_typed_turn_is_over_with_its_reply() -> None:
    assert after(typed=True) is None
    assert after(*answered(1), typed=True) == 0.0
