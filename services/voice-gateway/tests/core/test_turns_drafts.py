"""When is a reply begun before its turn is decided, and what becomes of it? Stories of drafts."""

from dataclasses import replace

from turn_player import STARTED, STOPPED, Play, Script, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Committed,
    Ending,
    Event,
    Heard,
    HoldReply,
    ReleaseReply,
    ReplyAudible,
    ReplyEnded,
    RetractReply,
    StartReply,
    Typed,
)

DRAFTS = Policy(drafts=True)


def draft(n: int, words: str) -> StartReply:
    """Begin draft `n`."""
    return StartReply(n, words, draft=True)


def test_settled_words_are_answered_in_a_draft_that_the_silence_releases(play: Play) -> None:
    story = play([(1.0, STARTED), (2.2, said("hello there")), (2.3, STOPPED)], DRAFTS)
    assert story == [(2.3, draft(1, "hello there")), (2.6, ReleaseReply(1, "hello there"))]


def test_a_final_in_the_pause_begins_the_draft(play: Play) -> None:
    story = play([(1.0, STARTED), (1.9, saying("hello")), (2.3, STOPPED), (2.4, said("hello there"))], DRAFTS)
    assert story == [(2.4, draft(1, "hello there")), (2.6, ReleaseReply(1, "hello there"))]


def test_the_first_pass_end_of_utterance_begins_the_draft(play: Play) -> None:
    story = play([(1.0, STARTED), (1.8, saying("hello", stability=1.0, until=1.7)), (2.3, STOPPED)], DRAFTS)
    assert story == [(2.3, draft(1, "hello")), (2.6, ReleaseReply(1, "hello"))]


def test_a_partial_that_stands_for_all_the_speech_begins_the_draft(play: Play) -> None:
    story = play(
        [(1.0, STARTED), (2.25, saying("Hello", until=2.2)), (2.3, STOPPED), (2.7, said("hello."))],
        DRAFTS,
    )
    assert story == [(2.3, draft(1, "Hello")), (2.7, ReleaseReply(1, "hello."))]


def test_a_partial_begins_the_draft_only_when_the_recogniser_has_heard_the_silence(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.25, saying("hello", until=2.0)), (2.3, STOPPED), (2.5, progress(2.2))]
    assert play([*script, (2.7, said("hello"))], DRAFTS) == [(2.5, draft(1, "hello")), (2.7, ReleaseReply(1, "hello"))]


def test_words_that_still_grow_begin_no_draft(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.3, STOPPED),
        (2.35, saying("book", until=2.3)),
        (2.4, saying("book it", until=2.3)),
    ]
    story = play([*script, (2.5, progress(2.4)), (2.7, said("book it"))], DRAFTS)
    assert story == [(2.5, draft(1, "book it")), (2.7, ReleaseReply(1, "book it"))]


def test_words_that_the_detector_missed_are_answered_in_a_draft(play: Play) -> None:
    assert play([(1.0, said("hello"))], DRAFTS) == [(1.0, draft(1, "hello")), (1.3, ReleaseReply(1, "hello"))]


def test_going_on_retracts_the_draft_and_its_words_come_again(play: Play) -> None:
    story = play(
        [
            (1.0, STARTED),
            (2.0, said("book a table")),
            (2.1, STOPPED),
            (2.3, STARTED),
            (3.0, said("for two")),
            (3.1, STOPPED),
        ],
        DRAFTS,
    )
    assert story == [
        (2.1, draft(1, "book a table")),
        (2.3, RetractReply(1)),
        (3.1, draft(2, "book a table for two")),
        (3.4, ReleaseReply(2, "book a table for two")),
    ]


def test_a_cough_in_the_pause_gives_the_words_another_draft(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, said("book")), (2.1, STOPPED), (2.3, STARTED), (2.5, STOPPED)], DRAFTS)
    assert story[:2] == [(2.1, draft(1, "book")), (2.3, RetractReply(1))]
    assert story[2:] == [(4.0, StartReply(2, "book"))]


def test_words_that_change_retract_the_draft_and_begin_another(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.25, saying("for to", until=2.2)), (2.3, STOPPED), (2.4, said("for two"))]
    assert play(script, DRAFTS) == [
        (2.3, draft(1, "for to")),
        (2.4, RetractReply(1)),
        (2.4, draft(2, "for two")),
        (2.6, ReleaseReply(2, "for two")),
    ]


def test_a_final_that_changes_the_words_and_ends_the_turn_starts_the_reply_anew(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.25, saying("for to", until=2.2)), (2.3, STOPPED), (2.9, said("for two"))]
    assert play(script, DRAFTS) == [
        (2.3, draft(1, "for to")),
        (2.9, RetractReply(1)),
        (2.9, StartReply(2, "for two")),
    ]


def test_case_and_punctuation_change_no_draft_and_the_turn_has_them(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.25, saying("for two", until=2.2)), (2.3, STOPPED), (2.4, said("For two!"))]
    assert play(script, DRAFTS) == [(2.3, draft(1, "for two")), (2.6, ReleaseReply(1, "For two!"))]


def test_a_partial_that_its_final_takes_back_takes_the_draft_along(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.25, saying("uh", until=2.2)), (2.3, STOPPED), (2.4, said(""))]
    assert play(script, DRAFTS) == [(2.3, draft(1, "uh")), (2.4, RetractReply(1))]


def test_typing_in_the_pause_retracts_the_draft(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, said("book")), (2.1, STOPPED), (2.2, Typed("a table"))]
    assert play(script, DRAFTS) == [
        (2.1, draft(1, "book")),
        (2.2, RetractReply(1)),
        (2.2, StartReply(2, "book a table")),
    ]


def test_a_typed_turn_needs_no_draft(play: Play) -> None:
    assert play([(1.0, Typed("hello"))], DRAFTS) == [(1.0, StartReply(1, "hello"))]


def test_committing_releases_the_draft(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, said("book")), (2.1, STOPPED), (2.2, Committed())]
    assert play(script, DRAFTS) == [(2.1, draft(1, "book")), (2.2, ReleaseReply(1, "book"))]


def test_push_to_talk_drafts_nothing(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, said("book")), (2.1, STOPPED), (4.0, Committed())]
    assert play(script, replace(DRAFTS, decides=False)) == [(4.0, StartReply(1, "book"))]


def test_without_drafts_nothing_is_begun_before_the_turn_is_decided(play: Play) -> None:
    assert play([(1.0, STARTED), (2.2, said("hello")), (2.3, STOPPED)]) == [(2.6, StartReply(1, "hello"))]


def test_a_turn_that_is_over_at_once_needs_no_draft(play: Play) -> None:
    policy = replace(DRAFTS, end_on_final=True)
    assert play([(1.0, STARTED), (2.2, said("hello"))], policy) == [(2.2, StartReply(1, "hello"))]


def test_a_turn_has_so_many_drafts_and_no_more(play: Play) -> None:
    policy = replace(DRAFTS, draft_tries=2)
    script: list[tuple[float, Event]] = [(1.0, STARTED)]
    for at, word in ((2.0, "one"), (3.0, "two"), (4.0, "three")):
        script += [(at, said(word)), (at + 0.1, STOPPED), (at + 0.2, STARTED)]
    script += [(5.0, said("four")), (5.1, STOPPED), (6.0, STARTED), (7.0, said("five")), (7.1, STOPPED)]
    assert play(script, policy) == [
        (2.1, draft(1, "one")),
        (2.2, RetractReply(1)),
        (3.1, draft(2, "one two")),
        (3.2, RetractReply(2)),
        (5.4, StartReply(3, "one two three four")),
        (6.0, HoldReply(3)),
        (7.0, RetractReply(3)),
        (7.4, StartReply(4, "one two three four five")),
    ]


def test_the_tries_begin_anew_when_a_reply_is_heard(play: Play) -> None:
    policy = replace(DRAFTS, draft_tries=1)
    script: Script = [
        (1.0, STARTED),
        (2.0, said("one")),
        (2.1, STOPPED),
        (2.6, ReplyAudible(1)),
        (2.9, ReplyEnded(1)),
        (3.0, STARTED),
        (4.0, said("two")),
        (4.1, STOPPED),
    ]
    assert play(script, policy)[2:] == [(4.1, draft(2, "two")), (4.4, ReleaseReply(2, "two"))]


def settled(text: str, until: float, ending: Ending = Ending.COMPLETE) -> Heard:
    """The first pass says that the utterance is over."""
    return Heard(text, False, 1.0, until, ending)


def test_a_complete_sentence_is_drafted_before_the_detector_has_waited_for_its_hangover(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.2, settled("Book it.", 2.15)), (2.3, STOPPED)]
    assert play(script, DRAFTS) == [(2.2, draft(1, "Book it.")), (2.4, ReleaseReply(1, "Book it."))]


def test_who_goes_on_within_the_hangover_takes_the_draft_back(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.2, settled("Book it.", 2.15)),
        (2.9, saying("Book it for two", until=2.8)),
        (3.5, final_of("Book it for two.")),
        (3.6, STOPPED),
    ]
    assert play(script, DRAFTS) == [
        (2.2, draft(1, "Book it.")),
        (2.9, RetractReply(1)),
        (3.5, draft(2, "Book it for two.")),
        (3.7, ReleaseReply(2, "Book it for two.")),
    ]


def final_of(text: str) -> Heard:
    """A final of a complete sentence."""
    return Heard(text, True, ending=Ending.COMPLETE)


def test_words_that_may_go_on_wait_for_the_detector(play: Play) -> None:
    for ending in (Ending.UNKNOWN, Ending.INCOMPLETE, Ending.READING_OUT):
        script: Script = [(1.0, STARTED), (2.2, settled("five", 2.15, ending)), (2.3, STOPPED)]
        assert play(script, DRAFTS)[0] == (2.3, draft(1, "five"))


def test_a_late_word_of_the_recogniser_begins_no_draft_while_the_caller_speaks(play: Play) -> None:
    script: Script = [(1.0, STARTED), (4.2, settled("Book it.", 2.15)), (5.0, STOPPED), (5.2, final_of("For two."))]
    assert [at for at, order in play(script, DRAFTS) if order == draft(1, "Book it.")] == []


def test_a_long_turn_is_not_drafted_while_the_caller_speaks_either(play: Play) -> None:
    policy = replace(DRAFTS, draft_max_speech=1.0)
    script: Script = [(1.0, STARTED), (2.2, settled("Book it.", 2.15)), (2.3, STOPPED)]
    assert play(script, policy) == [(2.4, StartReply(1, "Book it."))]


def test_a_long_turn_has_no_draft(play: Play) -> None:
    policy = replace(DRAFTS, draft_max_speech=3.0)
    assert play([(1.0, STARTED), (4.2, said("at length")), (4.3, STOPPED)], policy) == [
        (4.6, StartReply(1, "at length"))
    ]


def test_nobody_hears_a_draft_whatever_is_said_of_it(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, said("book")),
        (2.1, STOPPED),
        (2.2, ReplyAudible(1)),
        (2.25, ReplyEnded(1)),
    ]
    assert play(script, DRAFTS) == [(2.1, draft(1, "book")), (2.4, ReleaseReply(1, "book"))]


def test_a_released_draft_is_a_reply_like_any_other(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, said("book")),
        (2.1, STOPPED),
        (2.5, STARTED),
        (3.0, said("it")),
        (3.1, STOPPED),
    ]
    assert play(script, DRAFTS) == [
        (2.1, draft(1, "book")),
        (2.4, ReleaseReply(1, "book")),
        (2.5, HoldReply(1)),
        (3.0, RetractReply(1)),
        (3.1, draft(2, "book it")),
        (3.4, ReleaseReply(2, "book it")),
    ]


def test_the_late_final_of_a_released_draft_corrects_it(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.25, saying("for to", until=2.2)), (2.3, STOPPED), (4.0, said("for two"))]
    assert play(script, DRAFTS) == [
        (2.3, draft(1, "for to")),
        (3.85, ReleaseReply(1, "for to")),
        (4.0, RetractReply(1)),
        (4.0, StartReply(2, "for two")),
    ]
