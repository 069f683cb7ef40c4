"""What if the caller's client decides when a reply is made? Stories of replies that are asked for, of turns that are
taken back, and of replies that are heard whole."""

from turn_player import STARTED, STOPPED, Play, Script, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Cause,
    Committed,
    Discarded,
    Interrupted,
    InterruptReply,
    ReplyAsked,
    ReplyAudible,
    ReplyEnded,
    StartReply,
    Typed,
)

PUSH = Policy(decides=False)
WHOLE = Policy(protects_replies=True)
ASKED: Script = [(1.0, STARTED), (2.0, said("one")), (2.1, STOPPED)]


def test_a_reply_that_is_asked_for_comes_at_once_where_nobody_has_the_floor(play: Play) -> None:
    assert play([(3.0, ReplyAsked())]) == [(3.0, StartReply(1, "", cause=Cause.ASKED))]


def test_it_answers_what_was_said_so_far_of_a_turn(play: Play) -> None:
    told = [(2.0, StartReply(1, "one two", cause=Cause.ASKED))]
    assert play([(1.0, STARTED), (1.5, said("one")), (1.9, saying("two")), (2.0, ReplyAsked())], PUSH) == told
    paused: Script = [(1.0, STARTED), (1.5, said("one two")), (1.6, STOPPED), (2.0, ReplyAsked())]
    assert play(paused, PUSH) == told


def test_it_does_not_disturb_a_reply_that_has_the_floor(play: Play) -> None:
    answered = (2.4, StartReply(1, "one"))
    assert play([*ASKED, (2.5, ReplyAsked()), (2.6, ReplyAudible(1)), (2.7, ReplyAsked())]) == [answered]


def test_a_reply_that_was_asked_for_counts_as_something_said(play: Play) -> None:
    idles = Policy(idle_after=10.0, idle_tries=1)
    told = play([(12.0, ReplyEnded(1)), (13.0, ReplyAsked()), (14.0, ReplyEnded(2)), (26.0, ReplyEnded(3))], idles)
    assert [action for _, action in told][:3] == [
        StartReply(1, "", cause=Cause.SILENCE),
        StartReply(2, "", cause=Cause.ASKED),
        StartReply(3, "", cause=Cause.SILENCE),
    ]


def test_a_turn_that_is_taken_back_is_not_answered(play: Play) -> None:
    assert play([(1.0, STARTED), (1.5, said("one")), (1.8, Discarded()), (2.1, STOPPED)]) == []
    assert play([*ASKED, (2.2, Discarded()), (2.3, Committed())], PUSH) == []


def test_nothing_else_is_taken_back(play: Play) -> None:
    answered = (2.4, StartReply(1, "one"))
    assert play([(0.5, Discarded()), *ASKED, (2.5, Discarded()), (2.6, ReplyAudible(1)), (2.7, Discarded())]) == [
        answered
    ]


def test_a_final_after_an_answer_that_ended_unheard_is_no_second_turn(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, STOPPED), (3.7, ReplyEnded(1)), (3.8, said("One."))]
    assert play(script) == [(3.6, StartReply(1, "one"))]


def test_a_reply_that_is_heard_whole_is_not_interrupted_and_the_words_over_it_are_answered_after_it(
    play: Play,
) -> None:
    over: Script = [(3.0, ReplyAudible(1)), (3.5, STARTED), (4.0, saying("two")), (4.5, said("two")), (4.6, STOPPED)]
    told = play([*ASKED, *over, (6.0, ReplyEnded(1))], WHOLE)
    assert told == [(2.4, StartReply(1, "one")), (6.0, StartReply(2, "two"))]


def test_the_late_final_of_its_own_turn_is_no_word_over_it(play: Play) -> None:
    asked: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, STOPPED)]
    told = play([*asked, (3.7, said("One.")), (4.0, ReplyAudible(1)), (6.0, ReplyEnded(1))], WHOLE)
    assert told == [(3.6, StartReply(1, "one"))]
    heard = play([*asked, (3.7, ReplyAudible(1)), (3.8, said("One.")), (6.0, ReplyEnded(1))], WHOLE)
    assert heard == told


def test_what_is_typed_over_it_waits_and_the_stop_button_stops_it(play: Play) -> None:
    answered = (2.4, StartReply(1, "one"))
    typed = play([*ASKED, (3.0, ReplyAudible(1)), (3.5, Typed("two")), (6.0, ReplyEnded(1))], WHOLE)
    assert typed == [answered, (6.0, StartReply(2, "two"))]
    stopped = play([*ASKED, (3.0, ReplyAudible(1)), (3.5, Interrupted())], WHOLE)
    assert stopped == [answered, (3.5, InterruptReply(1))]


def test_a_reply_that_has_the_floor_is_heard_whole_from_when_it_shall_be(play: Play) -> None:
    """A draft is released into such a reply, too."""
    drafts = Policy(protects_replies=True, drafts=True)
    over: Script = [(3.0, ReplyAudible(1)), (3.5, STARTED), (4.5, said("two")), (4.6, STOPPED)]
    told = play([*ASKED, *over, (6.0, ReplyEnded(1))], drafts)
    assert not [action for _, action in told if isinstance(action, InterruptReply)]
