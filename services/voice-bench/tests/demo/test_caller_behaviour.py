"""When does the caller speak?"""

from voice_bench.demo.caller_behaviour import FIRST_WORD_S, PATIENCE_S, THINKS_S, CallerBehaviour
from voice_client.events import Transcript, Turn, TurnEvent


def final(text: str) -> Transcript:
    return Transcript(1, 1, text, True, 1.0, (), 0, 0)


def floor(kind: Turn) -> TurnEvent:
    return TurnEvent(kind, turn=1, reply=1)


def answered(behaviour: CallerBehaviour) -> float:
    """A whole turn; gives the moment its reply ended."""
    behaviour.begin_line()
    behaviour.observe(floor(Turn.SPEECH_STARTED), 1.0)
    behaviour.observe(floor(Turn.SPEECH_STOPPED), 2.0)
    behaviour.observe(final("hello"), 2.1)
    behaviour.observe(floor(Turn.TURN_ENDED), 2.2)
    behaviour.observe(floor(Turn.REPLY_STARTED), 2.2)
    behaviour.note_audible(3.0, begins=True)
    behaviour.observe(floor(Turn.REPLY_ENDED), 6.0)
    return 6.0


def test_the_first_line_waits_a_moment() -> None:
    behaviour = CallerBehaviour(2.0)
    assert not behaviour.may_speak(FIRST_WORD_S - 0.1, hears_nothing=True)
    assert behaviour.may_speak(FIRST_WORD_S, hears_nothing=True)


def test_nobody_speaks_into_a_greeting() -> None:
    assert not CallerBehaviour(2.0).may_speak(FIRST_WORD_S, hears_nothing=False)


def test_the_next_line_comes_a_thought_after_the_reply() -> None:
    behaviour = CallerBehaviour(2.0)
    ended_s = answered(behaviour)
    assert not behaviour.may_speak(ended_s + THINKS_S - 0.1, hears_nothing=True)
    assert behaviour.may_speak(ended_s + THINKS_S + 0.01, hears_nothing=True)


def test_what_still_sounds_is_listened_to() -> None:
    behaviour = CallerBehaviour(2.0)
    ended_s = answered(behaviour)
    assert not behaviour.may_speak(ended_s + 5.0, hears_nothing=False)


def test_a_line_that_nobody_answered_is_not_followed_by_the_next() -> None:
    behaviour = CallerBehaviour(2.0)
    ended_s = answered(behaviour)
    behaviour.begin_line()
    assert not behaviour.may_speak(ended_s + 10.0, hears_nothing=True)


def test_who_barges_in_listens_for_two_seconds_first() -> None:
    behaviour = CallerBehaviour(2.0)
    behaviour.note_audible(10.0, begins=True)
    behaviour.note_audible(11.9, begins=False)
    assert not behaviour.may_barge_in(11.9)
    assert behaviour.may_barge_in(12.0)


def test_the_rest_of_an_old_reply_is_no_reason_to_barge_in() -> None:
    behaviour = CallerBehaviour(2.0)
    answered(behaviour)
    behaviour.note_audible(6.02, begins=False)
    assert not behaviour.may_barge_in(9.0)


def test_a_line_where_nothing_happens_is_given_up() -> None:
    behaviour = CallerBehaviour(2.0)
    behaviour.note_speech(5.0)
    assert not behaviour.gives_up(5.0 + PATIENCE_S)
    assert behaviour.gives_up(5.1 + PATIENCE_S)
