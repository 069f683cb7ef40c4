"""What does it mean when the caller speaks while a reply has the floor? Stories of coughs and barge-ins."""

from dataclasses import replace

from turn_player import STARTED, STOPPED, Play, Script, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Action,
    CorrectWords,
    HoldReply,
    InterruptReply,
    ReplyAudible,
    ReplyEnded,
    ResumeReply,
    RetractReply,
    SpeechStopped,
    StartReply,
)

ASKED: Script = [(1.0, STARTED), (2.0, said("tell me a story")), (2.1, STOPPED)]
ANSWERED: tuple[float, Action] = (2.4, StartReply(1, "tell me a story"))
HEARD: Script = [*ASKED, (3.0, ReplyAudible(1))]
HELD: tuple[float, Action] = (4.0, HoldReply(1))
UNDETECTED = Policy(detects=False)
WORDS = Policy(barge_in_words=3)


def test_a_cough_is_not_a_barge_in(play: Play) -> None:
    assert play([*HEARD, (4.0, STARTED), (4.3, STOPPED), (9.0, ReplyEnded(1))]) == [
        ANSWERED,
        HELD,
        (4.8, ResumeReply(1)),
    ]


def test_a_reply_goes_on_sooner_when_the_recogniser_is_through_with_the_cough(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, STOPPED), (4.4, progress(4.2)), (4.45, progress(4.3)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (4.55, ResumeReply(1))]


def test_a_burst_that_the_recogniser_has_not_heard_is_waited_for(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.2, progress(4.2)), (4.2, SpeechStopped(0.3)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (4.7, ResumeReply(1))]


def late_by(seconds: float) -> Script:
    """A reply that is heard, to words that were told so late."""
    return [(1.0, STARTED), (2.0, said("tell me a story", until=2.0 - seconds)), (2.1, STOPPED), (3.0, ReplyAudible(1))]


def test_a_recogniser_that_was_late_gets_as_much_longer_for_words_over_a_reply(play: Play) -> None:
    """One that is through is waited for no longer."""
    cough: Script = [(4.0, STARTED), (4.3, STOPPED), (9.0, ReplyEnded(1))]
    assert play([*late_by(0.4), *cough]) == [ANSWERED, HELD, (5.2, ResumeReply(1))]
    words: Script = [(4.0, STARTED), (4.3, STOPPED), (5.1, saying("no", until=4.7)), (5.3, said("no"))]
    assert play([*late_by(0.4), *words])[2] == (5.1, InterruptReply(1))
    through: Script = [(4.0, STARTED), (4.3, STOPPED), (5.0, progress(4.4)), (9.0, ReplyEnded(1))]
    assert play([*late_by(0.4), *through]) == [ANSWERED, HELD, (5.0, ResumeReply(1))]


def test_no_reply_is_held_for_ever_for_a_recogniser_that_is_late(play: Play) -> None:
    cough: Script = [(4.0, STARTED), (4.3, STOPPED), (9.0, ReplyEnded(1))]
    assert play([*late_by(0.6), *cough], Policy(max_hold=0.7, lag_slack=5.0)) == [ANSWERED, HELD, (5.0, ResumeReply(1))]


def test_coughs_in_a_row_are_not_a_barge_in(play: Play) -> None:
    coughs: Script = [(at + after, fact) for at in (4.0, 4.7, 5.4) for after, fact in ((0.0, STARTED), (0.6, STOPPED))]
    assert play([*HEARD, *coughs], Policy(max_hold=1.0)) == [ANSWERED, HELD, (6.5, ResumeReply(1))]


def test_speech_with_words_is_a_barge_in_when_it_lasts(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.1, saying("no")), (5.0, said("no wait")), (5.1, STOPPED)])
    assert story == [ANSWERED, HELD, (4.2, InterruptReply(1)), (5.4, StartReply(2, "no wait"))]


def test_words_that_come_later_interrupt_at_once(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.6, saying("no")), (5.0, said("no wait")), (5.1, STOPPED)])
    assert story == [ANSWERED, HELD, (4.6, InterruptReply(1)), (5.4, StartReply(2, "no wait"))]


def test_speech_without_words_is_a_barge_in_when_it_lasts_long(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (7.0, said("no wait")), (7.1, STOPPED)])
    assert story == [ANSWERED, HELD, (6.0, InterruptReply(1)), (7.4, StartReply(2, "no wait"))]


def test_a_final_over_a_reply_is_a_barge_in_at_once(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.1, said("stop")), (4.15, STOPPED)])
    assert story == [ANSWERED, HELD, (4.1, InterruptReply(1)), (4.45, StartReply(2, "stop"))]


def test_the_short_word_stop_with_a_partial_is_a_barge_in(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.1, saying("stop")), (4.15, STOPPED), (4.3, said("stop"))])
    assert story == [ANSWERED, HELD, (4.15, InterruptReply(1)), (4.45, StartReply(2, "stop"))]


def test_the_short_word_stop_is_a_barge_in_even_when_it_is_recognised_after_the_speech(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.15, STOPPED), (4.4, said("stop", until=4.1))])
    assert story == [ANSWERED, HELD, (4.4, InterruptReply(1)), (4.45, StartReply(2, "stop"))]


def test_a_partial_after_the_speech_is_a_barge_in_at_once(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.15, STOPPED), (4.3, saying("stop", until=4.1)), (4.5, said("stop"))])
    assert story == [ANSWERED, HELD, (4.3, InterruptReply(1)), (4.5, StartReply(2, "stop"))]


def test_a_word_that_comes_when_the_reply_goes_on_again_interrupts_it(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.15, STOPPED), (4.9, said("stop", until=4.1))])
    assert story == [ANSWERED, HELD, (4.65, ResumeReply(1)), (4.9, InterruptReply(1)), (4.9, StartReply(2, "stop"))]


def test_a_long_noise_interrupts_and_starts_no_reply(play: Play) -> None:
    assert play([*HEARD, (4.0, STARTED), (6.6, STOPPED)]) == [ANSWERED, HELD, (6.0, InterruptReply(1))]


def test_a_cough_that_looked_like_a_word_is_still_a_cough(play: Play) -> None:
    script: Script = [
        *HEARD,
        (4.0, STARTED),
        (4.05, saying("uh")),
        (4.1, said("")),
        (4.15, STOPPED),
        (9.0, ReplyEnded(1)),
    ]
    assert play(script) == [ANSWERED, HELD, (4.65, ResumeReply(1))]


def test_without_a_detector_a_partial_that_lasts_interrupts(play: Play) -> None:
    story = play([*HEARD, (4.0, saying("wait")), (4.1, saying("wait a")), (5.0, said("wait a minute"))], UNDETECTED)
    assert story == [ANSWERED, HELD, (4.2, InterruptReply(1)), (5.0, StartReply(2, "wait a minute"))]


def test_without_a_detector_a_partial_that_is_taken_back_at_once_was_noise(play: Play) -> None:
    story = [*HEARD, (4.0, saying("uh")), (4.1, said("")), (9.0, ReplyEnded(1))]
    assert play(story, UNDETECTED) == [ANSWERED, HELD, (4.1, ResumeReply(1))]


def test_without_a_detector_a_final_interrupts(play: Play) -> None:
    story = play([*HEARD, (4.0, saying("wait")), (4.1, said("wait"))], UNDETECTED)
    assert story == [ANSWERED, HELD, (4.1, InterruptReply(1)), (4.4, StartReply(2, "wait"))]


def test_a_partial_over_a_reply_decides_nothing_by_itself(play: Play) -> None:
    assert play([*HEARD, (4.0, saying("mm")), (9.0, ReplyEnded(1))]) == [ANSWERED]


def test_speech_before_the_reply_is_audible_holds_it_back(play: Play) -> None:
    story = play([*ASKED, (2.5, STARTED), (2.6, STOPPED), (3.0, ReplyAudible(1)), (9.0, ReplyEnded(1))])
    assert story == [ANSWERED, (2.5, HoldReply(1)), (3.1, ResumeReply(1))]


def test_going_on_before_the_reply_is_audible_retracts_it_and_keeps_the_words(play: Play) -> None:
    story = play([*ASKED, (2.5, STARTED), (3.5, said("about a whale")), (3.6, STOPPED)])
    assert story == [
        ANSWERED,
        (2.5, HoldReply(1)),
        (3.5, RetractReply(1)),
        (3.9, StartReply(2, "tell me a story about a whale")),
    ]


def test_a_noise_over_a_reply_that_nobody_has_heard_leaves_it_alone(play: Play) -> None:
    assert play([*ASKED, (2.5, STARTED), (3.5, STOPPED)]) == [ANSWERED, (2.5, HoldReply(1)), (4.0, ResumeReply(1))]


def test_a_long_noise_that_retracts_a_reply_gives_it_back(play: Play) -> None:
    story = play([*ASKED, (2.5, STARTED), (5.5, STOPPED)])
    assert story == [ANSWERED, (2.5, HoldReply(1)), (4.5, RetractReply(1)), (7.0, StartReply(2, "tell me a story"))]


def test_a_reply_that_became_audible_just_before_it_was_held_is_interrupted(play: Play) -> None:
    story = play([*ASKED, (2.5, STARTED), (2.55, ReplyAudible(1)), (3.5, said("wait")), (3.6, STOPPED)])
    assert story == [ANSWERED, (2.5, HoldReply(1)), (3.5, InterruptReply(1)), (3.9, StartReply(2, "wait"))]


def test_a_cough_over_a_held_reply_that_became_audible_resumes_it(play: Play) -> None:
    script: Script = [*ASKED, (2.5, STARTED), (2.55, ReplyAudible(1)), (2.6, STOPPED), (9.0, ReplyEnded(1))]
    assert play(script) == [ANSWERED, (2.5, HoldReply(1)), (3.1, ResumeReply(1))]


def test_going_on_after_a_turn_ended_on_a_partial_says_nothing_twice(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("what is the")), (2.1, STOPPED), (4.0, STARTED)]
    story = play([*script, (4.5, saying("what is the time")), (5.0, said("what is the time in rome")), (5.1, STOPPED)])
    assert story == [
        (3.6, StartReply(1, "what is the")),
        (4.0, HoldReply(1)),
        (4.5, RetractReply(1)),
        (5.4, StartReply(2, "what is the time in rome")),
    ]


def test_a_correction_under_a_cough_retracts_at_once_and_is_settled(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("what is the")), (2.1, STOPPED), (4.0, STARTED)]
    story = play([*script, (4.1, said("what is the time")), (4.15, STOPPED)])
    assert story == [
        (3.6, StartReply(1, "what is the")),
        (4.0, HoldReply(1)),
        (4.1, RetractReply(1)),
        (4.45, StartReply(2, "what is the time")),
    ]


def test_a_final_without_news_under_a_cough_leaves_the_reply_alone(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("what time")), (2.1, STOPPED), (4.0, STARTED)]
    story = play([*script, (4.1, said("What time?")), (4.15, STOPPED), (4.7, ReplyAudible(1)), (6.0, said("stop"))])
    assert story == [
        (3.6, StartReply(1, "what time")),
        (4.0, HoldReply(1)),
        (4.65, ResumeReply(1)),
        (6.0, InterruptReply(1)),
        (6.3, StartReply(2, "stop")),
    ]


def test_words_confirmed_under_an_overlap_are_kept(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("what time")),
        (2.1, STOPPED),
        (4.0, STARTED),
        (4.1, said("What time?")),
    ]
    story = play([*script, (4.9, said("in rome")), (5.0, STOPPED)])
    assert story[-1] == (5.3, StartReply(2, "What time? in rome"))


def test_a_correction_under_a_barge_in_into_an_audible_reply_is_not_answered(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("what is the")),
        (2.1, STOPPED),
        (3.9, ReplyAudible(1)),
        (4.0, STARTED),
    ]
    story = play([*script, (4.1, said("what is the time")), (4.9, said("no stop")), (5.0, STOPPED)])
    assert story == [
        (3.6, StartReply(1, "what is the")),
        (4.0, HoldReply(1)),
        (4.1, CorrectWords(1, "what is the", "what is the time")),
        (4.9, InterruptReply(1)),
        (5.3, StartReply(2, "no stop")),
    ]


def test_the_reply_ending_under_the_caller_keeps_what_the_caller_said(play: Play) -> None:
    story = play(
        [*HEARD, (4.0, STARTED), (4.05, saying("and")), (4.1, ReplyEnded(1)), (4.9, said("and then")), (5.0, STOPPED)]
    )
    assert story == [ANSWERED, HELD, (5.3, StartReply(2, "and then"))]


def test_the_reply_ending_under_a_partial_keeps_the_partial(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.05, saying("and")), (4.1, ReplyEnded(1)), (4.2, STOPPED)])
    assert story == [ANSWERED, HELD, (5.7, StartReply(2, "and"))]


def test_a_final_over_a_reply_without_detected_speech_interrupts_it(play: Play) -> None:
    assert play([*HEARD, (5.0, said("stop"))]) == [ANSWERED, (5.0, InterruptReply(1)), (5.3, StartReply(2, "stop"))]


def test_words_before_the_reply_is_audible_without_detected_speech_go_on_with_the_turn(play: Play) -> None:
    story = play([*ASKED, (2.6, saying("about")), (3.0, said("about a whale"))])
    assert story == [ANSWERED, (2.6, RetractReply(1)), (3.0, StartReply(2, "tell me a story about a whale"))]


def test_facts_about_a_dead_reply_change_nothing(play: Play) -> None:
    script: Script = [
        *HEARD,
        (4.0, STARTED),
        (5.0, said("no")),
        (5.1, STOPPED),
        (5.5, ReplyAudible(1)),
        (5.6, ReplyEnded(1)),
    ]
    story = play([*script, (5.7, STARTED), (6.0, said("thanks")), (6.1, STOPPED)])
    assert story == [
        ANSWERED,
        HELD,
        (5.0, InterruptReply(1)),
        (5.4, StartReply(2, "no")),
        (5.7, HoldReply(2)),
        (6.0, RetractReply(2)),
        (6.4, StartReply(3, "no thanks")),
    ]


def test_a_dead_reply_that_ends_under_a_barge_in_changes_nothing(play: Play) -> None:
    script: Script = [*HEARD, (4.0, said("no")), (5.0, ReplyAudible(2)), (6.0, STARTED), (6.1, ReplyEnded(1))]
    story = play([*script, (7.0, said("stop")), (7.1, STOPPED)])
    assert story == [
        ANSWERED,
        (4.0, InterruptReply(1)),
        (4.3, StartReply(2, "no")),
        (6.0, HoldReply(2)),
        (7.0, InterruptReply(2)),
        (7.4, StartReply(3, "stop")),
    ]


def test_only_the_first_final_is_too_late_for_a_turn_ended_on_a_partial(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("go")), (2.1, STOPPED), (3.9, ReplyAudible(1)), (4.0, said("go on"))]
    story = play([*script, (6.0, said("stop"))])
    corrected = (4.0, CorrectWords(1, "go", "go on"))
    assert story == [(3.6, StartReply(1, "go")), corrected, (6.0, InterruptReply(1)), (6.3, StartReply(2, "stop"))]


def test_a_reply_that_fails_gives_the_floor_back(play: Play) -> None:
    story = play([*ASKED, (3.0, ReplyEnded(1)), (4.0, STARTED), (5.0, said("again")), (5.1, STOPPED)])
    assert story == [ANSWERED, (5.4, StartReply(2, "again"))]


def test_how_long_words_must_last_is_a_setting(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.1, saying("no")), (4.6, STOPPED)], Policy(barge_in_after=0.5))
    assert story[:3] == [ANSWERED, HELD, (4.5, InterruptReply(1))]


def test_how_long_speech_without_words_must_last_is_a_setting(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.6, STOPPED)], Policy(max_hold=0.5))
    assert story == [ANSWERED, HELD, (4.5, InterruptReply(1))]


def test_how_soon_a_held_reply_goes_on_is_a_setting(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.3, STOPPED), (9.0, ReplyEnded(1))], Policy(resume_after=2.0))
    assert story == [ANSWERED, HELD, (6.3, ResumeReply(1))]


def test_where_words_are_needed_a_noise_never_interrupts(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (8.0, STOPPED), (9.0, ReplyEnded(1))], WORDS)
    assert story == [ANSWERED, HELD, (6.0, ResumeReply(1))]


def test_where_words_are_needed_they_interrupt_a_reply_that_goes_on_under_a_noise_too(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (7.0, saying("oh no stop")), (7.4, STOPPED)], WORDS)
    assert story[:4] == [ANSWERED, HELD, (6.0, ResumeReply(1)), (7.0, InterruptReply(1))]


def test_fewer_words_than_are_needed_are_nobodys_turn(play: Play) -> None:
    script: Script = [
        (4.0, STARTED),
        (4.3, saying("please")),
        (4.5, STOPPED),
        (4.6, said("please")),
        (9.0, ReplyEnded(1)),
    ]
    assert play([*HEARD, *script], WORDS) == [ANSWERED, HELD, (4.75, ResumeReply(1))]
    assert play([*HEARD, (5.0, said("please")), (9.0, ReplyEnded(1))], WORDS) == [ANSWERED]


def test_words_of_two_utterances_add_up(play: Play) -> None:
    story = play([*HEARD, (4.0, STARTED), (4.4, said("please stop")), (4.9, said("now")), (5.0, STOPPED)], WORDS)
    assert story == [ANSWERED, HELD, (4.9, InterruptReply(1)), (5.3, StartReply(2, "please stop now"))]


def test_a_turn_that_goes_on_needs_one_word_only(play: Play) -> None:
    story = play([*ASKED, (2.5, STARTED), (2.9, said("please")), (3.0, STOPPED)], WORDS)
    assert story[-1] == (3.3, StartReply(2, "tell me a story please"))


def test_without_a_detector_too_few_words_let_the_reply_go_on(play: Play) -> None:
    story = play([*HEARD, (4.0, saying("uh")), (9.0, ReplyEnded(1))], replace(WORDS, detects=False))
    assert story == [ANSWERED, HELD, (6.0, ResumeReply(1))]
