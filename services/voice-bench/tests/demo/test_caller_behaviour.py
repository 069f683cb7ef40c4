"""When does the caller speak?"""

from voice_bench.demo.caller_behaviour import FIRST_WORD_S, PATIENCE_S, THINKS_S, Manners
from voice_client.events import Transcript, Turn, TurnEvent


def final(text: str) -> Transcript:
    return Transcript(1, 1, text, True, 1.0, (), 0, 0)


def floor(kind: Turn) -> TurnEvent:
    return TurnEvent(kind, turn=1, reply=1)


def answered(manners: Manners) -> float:
    """A whole turn; gives the moment its reply ended."""
    manners.began_line()
    manners.saw(floor(Turn.SPEECH_STARTED), 1.0)
    manners.saw(floor(Turn.SPEECH_STOPPED), 2.0)
    manners.saw(final("hello"), 2.1)
    manners.saw(floor(Turn.TURN_ENDED), 2.2)
    manners.saw(floor(Turn.REPLY_STARTED), 2.2)
    manners.heard(3.0, begins=True)
    manners.saw(floor(Turn.REPLY_ENDED), 6.0)
    return 6.0


def test_the_first_line_waits_a_moment() -> None:
    manners = Manners(2.0)
    assert not manners.may_speak(FIRST_WORD_S - 0.1, hears_nothing=True)
    assert manners.may_speak(FIRST_WORD_S, hears_nothing=True)


def test_nobody_speaks_into_a_greeting() -> None:
    assert not Manners(2.0).may_speak(FIRST_WORD_S, hears_nothing=False)


def test_the_next_line_comes_a_thought_after_the_reply() -> None:
    manners = Manners(2.0)
    ended_s = answered(manners)
    assert not manners.may_speak(ended_s + THINKS_S - 0.1, hears_nothing=True)
    assert manners.may_speak(ended_s + THINKS_S + 0.01, hears_nothing=True)


def test_what_still_sounds_is_listened_to() -> None:
    manners = Manners(2.0)
    ended_s = answered(manners)
    assert not manners.may_speak(ended_s + 5.0, hears_nothing=False)


def test_a_line_that_nobody_answered_is_not_followed_by_the_next() -> None:
    manners = Manners(2.0)
    ended_s = answered(manners)
    manners.began_line()
    assert not manners.may_speak(ended_s + 10.0, hears_nothing=True)


def test_who_barges_in_listens_for_two_seconds_first() -> None:
    manners = Manners(2.0)
    manners.heard(10.0, begins=True)
    manners.heard(11.9, begins=False)
    assert not manners.may_barge_in(11.9)
    assert manners.may_barge_in(12.0)


def test_the_rest_of_an_old_reply_is_no_reason_to_barge_in() -> None:
    manners = Manners(2.0)
    answered(manners)
    manners.heard(6.02, begins=False)
    assert not manners.may_barge_in(9.0)


def test_a_line_where_nothing_happens_is_given_up() -> None:
    manners = Manners(2.0)
    manners.spoke(5.0)
    assert not manners.gives_up(5.0 + PATIENCE_S)
    assert manners.gives_up(5.1 + PATIENCE_S)
