"""What becomes of a turn whose last words grow after it has ended? Its caller goes on: no answer to half a sentence."""

from dataclasses import replace

from turn_player import STARTED, STOPPED, Play, Script, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Action,
    HoldReply,
    InterruptReply,
    ReplyAudible,
    ReplyEnded,
    RetractReply,
    StartReply,
    Typed,
)

ENDED: Script = [(1.0, STARTED), (2.0, saying("book a table", 1.0)), (2.2, STOPPED)]
"""The turn ends at 2.5 on the first pass of the recogniser; its final is still to come."""
WITHOUT_DETECTOR = Policy(detects=False)


def test_words_that_grow_while_the_reply_is_thought_up_retract_it(play: Play) -> None:
    story = play([*ENDED, (2.6, saying("book a table for")), (2.8, saying("book a table for two", 1.0))])
    assert story == [
        (2.5, StartReply(1, "book a table")),
        (2.6, RetractReply(1)),
        (2.9, StartReply(2, "book a table for two")),
    ]


def test_words_that_grow_under_speech_are_no_cough(play: Play) -> None:
    script: Script = [*ENDED, (2.6, STARTED), (2.9, saying("book a table for")), (3.1, saying("book a table for two"))]
    story = play([*script, (3.2, saying("book a table for two", 1.0)), (3.3, STOPPED)])
    assert story == [
        (2.5, StartReply(1, "book a table")),
        (2.6, HoldReply(1)),
        (2.9, RetractReply(1)),
        (3.6, StartReply(2, "book a table for two")),
    ]


def test_another_utterance_under_speech_is_no_cough_although_the_final_of_the_one_before_is_late(play: Play) -> None:
    script: Script = [*ENDED, (2.6, STARTED), (2.9, saying("for")), (3.1, saying("for two")), (3.3, STOPPED)]
    story = play([*script, (3.35, said("Book a table.")), (3.5, said("for two"))])
    assert story == [
        (2.5, StartReply(1, "book a table")),
        (2.6, HoldReply(1)),
        (2.9, RetractReply(1)),
        (3.6, StartReply(2, "Book a table. for two")),
    ]


def test_what_a_heard_reply_has_answered_is_not_said_again(play: Play) -> None:
    script: Script = [*ENDED, (2.6, ReplyAudible(1)), (2.8, STARTED), (3.0, saying("Book a table for two please."))]
    story = play([*script, (3.3, STOPPED)])
    assert story[-1] == (4.8, StartReply(2, "for two please."))
    assert InterruptReply(1) in [order for _, order in story]


def test_words_that_grow_without_a_detector_interrupt_the_reply(play: Play) -> None:
    script: Script = [
        *ENDED,
        (2.6, ReplyAudible(1)),
        (3.0, saying("book a table for two")),
        (3.4, saying("book a table for two")),
    ]
    story = play(script, WITHOUT_DETECTOR)
    assert InterruptReply(1) in [order for _, order in story]


def test_words_that_grow_after_the_reply_are_a_turn(play: Play) -> None:
    story = play([*ENDED, (2.6, ReplyAudible(1)), (2.9, ReplyEnded(1)), (3.2, saying("book a table for two", 1.0))])
    assert story == [(2.5, StartReply(1, "book a table")), (3.5, StartReply(2, "for two"))]


def test_the_same_words_and_other_words_change_nothing(play: Play) -> None:
    for text in ("book a table", "Book a table.", "book a label for two"):
        assert play([*ENDED, (2.6, saying(text))]) == [(2.5, StartReply(1, "book a table"))]


TYPED_MEANWHILE: Script = [(1.0, STARTED), (2.0, saying("book")), (2.1, Typed("by the river"))]
FIRST: tuple[float, Action] = (2.1, StartReply(1, "book by the river"))
RETRACTED: tuple[float, Action] = (2.3, RetractReply(1))


def test_what_was_typed_meanwhile_is_answered_with_it(play: Play) -> None:
    """It stands after the utterance that was open, because that began before it."""
    script: Script = [*TYPED_MEANWHILE, (2.3, saying("book a table", 1.0)), (2.4, STOPPED)]
    assert play(script) == [FIRST, RETRACTED, (2.7, StartReply(2, "book a table by the river"))]


def test_who_speaks_on_after_typing_is_not_answered_before_the_speech_stops(play: Play) -> None:
    """However long the recogniser tells nothing."""
    script: Script = [*TYPED_MEANWHILE, (2.3, saying("book a table", 1.0)), (5.0, saying("book a table for two", 1.0))]
    assert play([*script, (5.1, STOPPED)])[2:] == [(5.4, StartReply(2, "book a table for two by the river"))]


def test_what_was_typed_meanwhile_stands_after_the_final_of_what_was_said_before(play: Play) -> None:
    for final in ("book", "Book."):
        assert play([*TYPED_MEANWHILE, (2.3, said(final))]) == [FIRST]
    told = [FIRST, RETRACTED, (2.3, StartReply(2, "look by the river"))]
    assert play([*TYPED_MEANWHILE, (2.3, said("look"))]) == told
    assert play([*TYPED_MEANWHILE, (2.3, said(""))])[-1] == (2.3, StartReply(2, "by the river"))


def test_what_was_typed_meanwhile_keeps_its_place_while_the_caller_goes_on(play: Play) -> None:
    """The utterance goes on over the reply, with and without a pause, its final comes late, and there is another."""
    for pause in (0.0, 0.4):
        script: Script = [
            *TYPED_MEANWHILE,
            (2.2, STOPPED),
            (2.3, STARTED),
            (2.5, saying("book a table")),
            (2.7, STOPPED),
            (2.7 + pause, said("book a table")),
            (3.2, STARTED),
            (3.5, said("for two")),
            (3.6, STOPPED),
        ]
        at, last = play(script)[-1]
        assert isinstance(last, StartReply)
        assert (at, last.words) == (3.9, "book a table by the river for two")


def test_more_is_typed_and_all_of_it_stands_after_what_was_said(play: Play) -> None:
    script: Script = [*TYPED_MEANWHILE, (2.2, Typed("please")), (2.4, said("book a table"))]
    assert [action for _, action in play(script)][-3:] == [
        StartReply(2, "book by the river please"),
        RetractReply(2),
        StartReply(3, "book a table by the river please"),
    ]


def test_what_was_typed_stands_before_what_is_said_after_it(play: Play) -> None:
    script: Script = [*TYPED_MEANWHILE, (2.3, said("book")), (2.5, STARTED), (2.9, said("please")), (3.0, STOPPED)]
    assert play(script)[-1] == (3.3, StartReply(2, "book by the river please"))


def test_the_longest_turn_ends_although_the_caller_speaks_on(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one two")), (4.2, saying("one two three")), (4.4, ReplyAudible(1))]
    assert play(script, replace(Policy(), max_turn=3.0))[0] == (4.0, StartReply(1, "one two"))
    assert len(play(script, replace(Policy(), max_turn=3.0))) == 1


def test_under_push_to_talk_growing_words_change_nothing(play: Play) -> None:
    script: Script = [*ENDED, (2.3, saying("book a table for two"))]
    assert play(script, Policy(decides=False)) == []
