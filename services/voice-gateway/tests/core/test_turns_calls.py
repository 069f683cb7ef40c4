"""What else makes a call? Stories of greetings, idle callers, push-to-talk, typed turns and the stop button."""

import pytest
from turn_player import STARTED, STOPPED, Play, Script, Told, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Action,
    Cause,
    Committed,
    CorrectWords,
    EndCall,
    Event,
    HoldReply,
    Interrupted,
    InterruptReply,
    RecogniserLost,
    ReplyAudible,
    ReplyEnded,
    ResumeReply,
    RetractReply,
    StartReply,
    TimeLow,
    Typed,
    WordsLost,
)

GREETS = Policy(greets=True)
GREETING = (0.0, StartReply(1, "", cause=Cause.GREETING))
IDLES = Policy(idle_after=10.0, idle_tries=2)
PUSH = Policy(decides=False)
ASKED: Script = [(1.0, STARTED), (2.0, said("one")), (2.1, STOPPED)]
ANSWERED: tuple[float, Action] = (2.4, StartReply(1, "one"))
PUSHED: Script = [*ASKED, (2.4, Committed())]


# ------------------------------------------------------------------------------------ greeting and silence


def test_the_agent_greets_first(play: Play) -> None:
    assert play([(0.5, ReplyAudible(1)), (2.0, ReplyEnded(1))], GREETS) == [GREETING]


def test_a_greeting_is_given_once_even_when_it_fails(play: Play) -> None:
    assert play([(0.5, ReplyEnded(1))], GREETS) == [GREETING]


def test_a_caller_who_speaks_before_the_greeting_is_heard_gets_an_answer_instead(play: Play) -> None:
    story = play([(0.2, STARTED), (0.9, said("hello")), (1.0, STOPPED)], GREETS)
    assert story == [GREETING, (0.2, HoldReply(1)), (0.9, RetractReply(1)), (1.3, StartReply(2, "hello"))]


def test_a_caller_with_a_partial_before_the_greeting_is_heard_gets_an_answer_too(play: Play) -> None:
    story = play([(0.2, STARTED), (0.9, saying("hello")), (1.0, STOPPED), (1.1, said("hello"))], GREETS)
    assert story == [GREETING, (0.2, HoldReply(1)), (0.9, RetractReply(1)), (1.3, StartReply(2, "hello"))]


def test_a_noise_does_not_swallow_the_greeting(play: Play) -> None:
    assert play([(0.2, STARTED), (3.2, STOPPED), (4.0, ReplyAudible(1))], GREETS) == [
        GREETING,
        (0.2, HoldReply(1)),
        (3.7, ResumeReply(1)),
    ]


def test_a_greeting_can_be_interrupted(play: Play) -> None:
    story = play([(0.5, ReplyAudible(1)), (1.0, STARTED), (2.0, said("hi")), (2.1, STOPPED)], GREETS)
    assert story == [GREETING, (1.0, HoldReply(1)), (2.0, InterruptReply(1)), (2.4, StartReply(2, "hi"))]


def test_the_idle_prompt_comes_and_comes_again_and_then_the_call_ends(play: Play) -> None:
    prompts: Script = [(11.0, ReplyAudible(1)), (12.0, ReplyEnded(1)), (23.0, ReplyEnded(2))]
    assert play(prompts, IDLES) == [
        (10.0, StartReply(1, "", cause=Cause.SILENCE)),
        (22.0, StartReply(2, "", cause=Cause.SILENCE)),
        (33.0, EndCall("idle")),
    ]


def test_a_caller_who_speaks_again_gets_all_idle_prompts_again(play: Play) -> None:
    script: Script = [(12.0, ReplyEnded(1)), (15.0, Typed("yes")), (16.0, ReplyEnded(2))]
    assert play([*script, (27.0, ReplyEnded(3)), (38.0, ReplyEnded(4))], IDLES) == [
        (10.0, StartReply(1, "", cause=Cause.SILENCE)),
        (15.0, StartReply(2, "yes")),
        (26.0, StartReply(3, "", cause=Cause.SILENCE)),
        (37.0, StartReply(4, "", cause=Cause.SILENCE)),
        (48.0, EndCall("idle")),
    ]


def test_a_call_that_has_ended_answers_nothing(play: Play) -> None:
    script: Script = [
        (20.0, STARTED),
        (21.0, said("hello")),
        (22.0, STOPPED),
        (23.0, Typed("hello")),
    ]
    assert play(script, Policy(idle_after=10.0, idle_tries=0)) == [(10.0, EndCall("idle"))]


def test_without_an_idle_limit_the_agent_waits_for_ever(play: Play) -> None:
    assert play([]) == []


# -------------------------------------------------------------------------------------------- push-to-talk


def test_push_to_talk_ends_no_turn_by_itself(play: Play) -> None:
    assert play(ASKED, PUSH) == []


def test_a_committed_turn_of_settled_words_is_answered_at_once(play: Play) -> None:
    assert play([(1.0, STARTED), (2.0, said("one")), (2.1, Committed())], PUSH) == [(2.1, StartReply(1, "one"))]


def test_committing_long_after_the_speech_is_answered_at_once(play: Play) -> None:
    assert play([*ASKED, (9.0, Committed())], PUSH) == [(9.0, StartReply(1, "one"))]


def test_committing_long_after_an_unsettled_word_is_answered_at_once(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, STOPPED), (9.0, Committed())]
    assert play(script, PUSH) == [(9.0, StartReply(1, "one"))]


def test_a_committed_turn_waits_for_its_final(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("one")),
        (2.1, Committed()),
        (2.5, said("one two")),
    ]
    assert play(script, PUSH) == [(2.5, StartReply(1, "one two"))]


def test_a_committed_turn_waits_for_a_recogniser_that_has_said_nothing_yet(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (1.3, STOPPED),
        (1.4, Committed()),
        (6.0, said("yes", until=1.3)),
    ]
    assert play(script, PUSH) == [(6.0, StartReply(1, "yes"))]


def test_a_word_nobody_noticed_before_it_was_committed_is_answered(play: Play) -> None:
    assert play([(1.4, Committed()), (1.9, said("yes", until=1.3))], PUSH) == [(1.9, StartReply(1, "yes"))]


def test_committing_nothing_starts_no_reply(play: Play) -> None:
    assert play(
        [(1.0, Committed()), (9.0, STARTED), (10.0, said("one")), (10.5, STOPPED), (11.0, Committed())], PUSH
    ) == [(11.0, StartReply(1, "one"))]


def test_noise_after_committing_does_not_take_the_commitment_back(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, Committed()), (2.2, STARTED)]
    assert play([*script, (2.5, said("one"))], PUSH) == [(2.5, StartReply(1, "one"))]


def test_the_tail_of_a_committed_turn_is_answered_too(play: Play) -> None:
    story = play([*PUSHED, (2.6, said("two", until=2.0))], PUSH)
    assert story == [ANSWERED, (2.6, RetractReply(1)), (2.6, StartReply(2, "one two"))]


def test_push_to_talk_speech_stops_no_reply_before_it_is_committed(play: Play) -> None:
    script: Script = [(3.0, ReplyAudible(1)), (4.0, STARTED), (6.0, said("two")), (6.1, STOPPED)]
    story = play([*PUSHED, *script, (7.0, Committed())], PUSH)
    assert story == [ANSWERED, (7.0, InterruptReply(1)), (7.0, StartReply(2, "two"))]


def test_push_to_talk_words_before_the_reply_is_audible_join_the_turn_when_committed(play: Play) -> None:
    story = play([*PUSHED, (2.6, STARTED), (3.0, said("two")), (3.1, STOPPED), (3.2, Committed())], PUSH)
    assert story == [ANSWERED, (3.2, RetractReply(1)), (3.2, StartReply(2, "one two"))]


def test_a_push_to_talk_word_recognised_after_the_speech_is_not_lost(play: Play) -> None:
    script: Script = [(3.0, ReplyAudible(1)), (4.0, STARTED), (4.1, STOPPED), (4.2, Committed())]
    story = play([*PUSHED, *script, (4.5, said("two", until=4.1))], PUSH)
    assert story == [ANSWERED, (4.2, InterruptReply(1)), (4.5, StartReply(2, "two"))]


def test_a_push_to_talk_final_nobody_detected_waits_under_the_reply(play: Play) -> None:
    script: Script = [
        (3.0, ReplyAudible(1)),
        (5.0, said("two")),
        (9.0, ReplyEnded(1)),
        (9.5, Committed()),
    ]
    assert play([*PUSHED, *script], PUSH) == [ANSWERED, (9.5, StartReply(2, "two"))]


def test_push_to_talk_words_under_a_reply_that_ends_are_answered_at_once_when_committed(play: Play) -> None:
    script: Script = [
        (3.0, ReplyAudible(1)),
        (4.0, STARTED),
        (4.8, said("two")),
        (5.0, ReplyEnded(1)),
    ]
    assert play([*PUSHED, *script, (5.2, Committed())], PUSH) == [ANSWERED, (5.2, StartReply(2, "two"))]


def test_push_to_talk_noise_does_not_keep_the_idle_prompt_away(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, STOPPED)], Policy(decides=False, idle_after=10.0))
    assert story == [(13.5, StartReply(1, "", cause=Cause.SILENCE))]


def test_committing_ends_a_turn_early_in_any_call(play: Play) -> None:
    assert play([*ASKED, (2.15, Committed())]) == [(2.15, StartReply(1, "one"))]


def test_committing_over_a_reply_takes_the_floor_in_any_call(play: Play) -> None:
    script: Script = [
        (3.0, ReplyAudible(1)),
        (4.0, STARTED),
        (4.05, saying("stop")),
        (4.1, Committed()),
    ]
    story = play([*ASKED, *script, (4.3, said("stop"))])
    assert story == [ANSWERED, (4.0, HoldReply(1)), (4.1, InterruptReply(1)), (4.3, StartReply(2, "stop"))]


def test_going_on_after_committing_goes_on_with_the_turn_where_the_machine_decides(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, Committed()), (2.2, STARTED)]
    assert play([*script, (4.0, said("one two")), (4.1, STOPPED)]) == [(4.4, StartReply(1, "one two"))]


# -------------------------------------------------------------------------------------- typed turns, stop


def test_a_typed_turn_is_answered_at_once(play: Play) -> None:
    assert play([(1.0, Typed("  hello "))]) == [(1.0, StartReply(1, "hello"))]


TYPED_IN: dict[str, tuple[Script, Told]] = {
    "hearing": ([(1.0, STARTED), (2.0, said("one"))], [(5.0, StartReply(1, "one two"))]),
    "hearing a partial": (
        [(4.0, STARTED), (4.5, saying("one")), (5.5, said("One."))],
        [(5.0, StartReply(1, "one two"))],
    ),
    "pausing": ([(1.0, STARTED), (4.8, said("one")), (4.9, STOPPED)], [(5.0, StartReply(1, "one two"))]),
    "thinking": (ASKED, [ANSWERED, (5.0, RetractReply(1)), (5.0, StartReply(2, "one two"))]),
    "speaking": ([*ASKED, (3.0, ReplyAudible(1))], [ANSWERED, (5.0, InterruptReply(1)), (5.0, StartReply(2, "two"))]),
    "an overlap": (
        [*ASKED, (3.0, ReplyAudible(1)), (4.9, STARTED), (4.95, saying("no")), (5.5, said("no"))],
        [ANSWERED, (4.9, HoldReply(1)), (5.0, InterruptReply(1)), (5.0, StartReply(2, "no two"))],
    ),
    "an overlap nobody heard": (
        [*ASKED, (4.9, STARTED), (4.95, saying("no"))],
        [ANSWERED, (4.9, HoldReply(1)), (5.0, RetractReply(1)), (5.0, StartReply(2, "one no two"))],
    ),
}


@pytest.mark.parametrize("where", TYPED_IN)
def test_a_typed_turn_takes_the_floor_and_loses_no_spoken_word(play: Play, where: str) -> None:
    script, told = TYPED_IN[where]
    assert play(sorted([*script, (5.0, Typed("two"))], key=lambda line: line[0])) == told


def test_a_typed_turn_of_blanks_is_no_turn(play: Play) -> None:
    script: Script = [(1.0, Typed(" ")), (2.0, STARTED), (2.1, Typed("")), (2.2, STOPPED)]
    assert play([*script, (9.0, said("one")), (9.5, Typed(" "))]) == [(9.3, StartReply(1, "one"))]


def test_the_final_of_words_spoken_before_a_typed_turn_changes_nothing(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("one")),
        (2.1, STOPPED),
        (4.0, Typed("two")),
        (4.5, said("one")),
    ]
    story = play(script)
    assert story == [(3.6, StartReply(1, "one")), (4.0, RetractReply(1)), (4.0, StartReply(2, "one two"))]


def test_the_stop_button_stops_a_reply_being_thought_up(play: Play) -> None:
    assert play([*ASKED, (2.6, Interrupted())]) == [ANSWERED, (2.6, InterruptReply(1))]


def test_the_stop_button_stops_a_reply_being_heard(play: Play) -> None:
    assert play([*ASKED, (3.0, ReplyAudible(1)), (4.0, Interrupted())]) == [ANSWERED, (4.0, InterruptReply(1))]


def test_the_stop_button_over_a_reply_leaves_the_floor_to_the_caller(play: Play) -> None:
    script: Script = [
        (3.0, ReplyAudible(1)),
        (4.0, STARTED),
        (4.1, Interrupted()),
        (4.5, saying("no")),
    ]
    story = play([*ASKED, *script, (8.0, said("no tell me another")), (8.1, STOPPED)])
    stopped = [(4.0, HoldReply(1)), (4.1, InterruptReply(1))]
    assert story == [ANSWERED, *stopped, (8.4, StartReply(2, "no tell me another"))]


def test_the_stop_button_leaves_what_was_said_before_it_to_the_caller(play: Play) -> None:
    script: Script = [
        (3.0, ReplyAudible(1)),
        (4.0, STARTED),
        (4.1, saying("no")),
        (4.15, Interrupted()),
        (4.3, STOPPED),
    ]
    assert play([*ASKED, *script])[-1] == (5.8, StartReply(2, "no"))


def test_an_empty_final_of_a_recogniser_that_ends_turns_leaves_the_floor_to_who_speaks(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, said("")), (4.5, TimeLow()), (6.0, said("one")), (6.5, ReplyAudible(1))]
    assert play(script, Policy(end_on_final=True)) == [(6.0, StartReply(1, "one"))]


def test_the_stop_button_over_a_held_reply_drops_its_turn(play: Play) -> None:
    story = play([*ASKED, (2.6, STARTED), (2.7, Interrupted()), (3.5, said("two")), (3.6, STOPPED)])
    assert story == [ANSWERED, (2.6, HoldReply(1)), (2.7, InterruptReply(1)), (3.9, StartReply(2, "two"))]


def test_the_late_final_of_a_turn_that_was_stopped_is_not_answered(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, STOPPED), (3.8, Interrupted())]
    assert play([*script, (4.0, said("one two"))]) == [
        (3.6, StartReply(1, "one")),
        (3.8, InterruptReply(1)),
        (4.0, CorrectWords(1, "one", "one two")),
    ]


def test_the_stop_button_without_a_reply_does_nothing(play: Play) -> None:
    script: Script = [(0.5, Interrupted()), (1.5, Interrupted()), (2.2, Interrupted()), *ASKED]
    assert play(sorted(script, key=lambda line: line[0])) == [ANSWERED]


def test_progress_reports_between_turns_change_nothing(play: Play) -> None:
    script: Script = [(0.5, progress(0.4)), *ASKED, (2.6, progress(2.5)), (3.0, ReplyAudible(1))]
    assert play([*script, (3.5, progress(3.4)), (9.0, ReplyEnded(1)), (9.5, progress(9.4))]) == [ANSWERED]


# ------------------------------------------------------------------------------- the ends of calls, lost words

GOODBYE = Policy(idle_after=10.0, idle_tries=1, says_goodbye=True)
WARNING = StartReply(2, "", cause=Cause.TIME_LOW, protected=True)


def test_a_caller_who_stays_silent_hears_a_goodbye_before_the_call_ends(play: Play) -> None:
    assert play([(12.0, ReplyEnded(1)), (23.0, ReplyAudible(2)), (24.0, ReplyEnded(2))], GOODBYE) == [
        (10.0, StartReply(1, "", cause=Cause.SILENCE)),
        (22.0, StartReply(2, "", cause=Cause.GOODBYE)),
        (24.0, EndCall("idle")),
    ]


def test_a_caller_who_says_a_word_over_the_goodbye_stays(play: Play) -> None:
    script: Script = [(12.0, ReplyEnded(1)), (22.5, ReplyAudible(2)), (23.0, STARTED), (23.5, said("wait"))]
    assert play([*script, (23.6, STOPPED), (24.5, ReplyEnded(3))], GOODBYE)[2:6] == [
        (23.0, HoldReply(2)),
        (23.5, InterruptReply(2)),
        (23.9, StartReply(3, "wait")),
        (34.5, StartReply(4, "", cause=Cause.SILENCE)),
    ]


def test_a_noise_over_the_goodbye_keeps_no_call_up(play: Play) -> None:
    script: Script = [(12.0, ReplyEnded(1)), (22.5, ReplyAudible(2)), (23.0, STARTED), (23.5, STOPPED)]
    ended = [(23.0, HoldReply(2)), (24.0, ResumeReply(2)), (25.0, EndCall("idle"))]
    assert play([*script, (25.0, ReplyEnded(2))], GOODBYE)[2:] == ended
    long_noise: Script = [*script[:-1], (25.5, STOPPED)]
    interrupted = [(23.0, HoldReply(2)), (25.0, InterruptReply(2)), (27.0, EndCall("idle"))]
    assert play(long_noise, GOODBYE)[2:] == interrupted


def test_a_caller_hears_at_once_that_the_time_is_low_where_nobody_speaks(play: Play) -> None:
    assert play([(5.0, TimeLow()), (5.5, ReplyAudible(1)), (7.0, ReplyEnded(1))]) == [
        (5.0, StartReply(1, "", cause=Cause.TIME_LOW, protected=True))
    ]


def test_a_caller_hears_that_the_time_is_low_after_the_reply(play: Play) -> None:
    script: Script = [(2.5, ReplyAudible(1)), (3.0, TimeLow()), (5.0, ReplyEnded(1)), (5.5, ReplyAudible(2))]
    assert play([*ASKED, *script, (7.0, ReplyEnded(2))]) == [ANSWERED, (5.0, WARNING)]


def test_no_turn_is_cut_short_by_a_time_that_is_low(play: Play) -> None:
    script: Script = [(1.0, STARTED), (1.5, TimeLow()), (2.0, said("one")), (2.1, STOPPED), (2.5, ReplyAudible(1))]
    assert play([*script, (5.0, ReplyEnded(1)), (6.0, ReplyAudible(2))]) == [ANSWERED, (5.0, WARNING)]


def test_a_caller_who_speaks_into_the_warning_hears_it_whole_and_is_answered_then(play: Play) -> None:
    script: Script = [(5.0, TimeLow()), (5.2, STARTED), (5.5, ReplyAudible(1)), (5.9, said("one")), (6.0, STOPPED)]
    assert play([*script, (7.0, ReplyEnded(1))]) == [
        (5.0, StartReply(1, "", cause=Cause.TIME_LOW, protected=True)),
        (7.0, StartReply(2, "one")),
    ]


def test_a_warning_that_failed_or_was_stopped_does_not_come_again(play: Play) -> None:
    assert play([(5.0, TimeLow()), (5.5, ReplyEnded(1))]) == [
        (5.0, StartReply(1, "", cause=Cause.TIME_LOW, protected=True))
    ]
    assert play([(5.0, TimeLow()), (5.5, Interrupted())])[1:] == [(5.5, InterruptReply(1))]


def test_the_stop_button_before_the_warning_does_not_take_it_away(play: Play) -> None:
    script: Script = [(2.5, ReplyAudible(1)), (3.0, TimeLow()), (4.0, Interrupted()), (4.5, ReplyAudible(2))]
    assert play([*ASKED, *script]) == [ANSWERED, (4.0, InterruptReply(1)), (4.0, WARNING)]


def test_a_warning_waits_for_the_final_of_the_turn_before(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("one")), (2.1, STOPPED), (4.0, ReplyAudible(1)), (4.2, TimeLow())]
    assert play([*script, (4.5, ReplyEnded(1)), (5.0, said("one two")), (5.5, ReplyAudible(2))]) == [
        (3.6, StartReply(1, "one")),
        (5.0, CorrectWords(1, "one", "one two")),
        (5.0, WARNING),
    ]


def test_a_greeting_comes_before_the_warning(play: Play) -> None:
    story = play([(0.0, TimeLow()), (1.0, ReplyAudible(1)), (2.0, ReplyEnded(1)), (2.5, ReplyAudible(2))], GREETS)
    assert story == [GREETING, (2.0, WARNING)]


def test_words_that_were_lost_are_asked_for_again(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.1, STOPPED), (9.0, WordsLost()), (9.5, ReplyAudible(1))]
    assert play(script) == [(9.0, StartReply(1, "", cause=Cause.WORDS_LOST))]


def test_words_that_come_after_all_take_the_question_back(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.1, STOPPED), (9.0, WordsLost()), (9.1, said("one", until=2.0))]
    assert play(script) == [
        (9.0, StartReply(1, "", cause=Cause.WORDS_LOST)),
        (9.1, RetractReply(1)),
        (9.1, StartReply(2, "one")),
    ]


def test_words_that_were_lost_in_a_pause_end_the_turn(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.1, STOPPED), (2.5, WordsLost())]
    assert play(script) == [(2.5, StartReply(1, "", cause=Cause.WORDS_LOST))]
    assert play([*script[:2], (2.4, Committed()), *script[2:]], PUSH) == [
        (2.5, StartReply(1, "", cause=Cause.WORDS_LOST))
    ]
    assert play(script, PUSH) == []


def test_nobody_asks_again_while_there_are_words_or_somebody_speaks(play: Play) -> None:
    assert play([(1.0, STARTED), (2.0, saying("one")), (2.1, STOPPED), (2.2, WordsLost())]) == [
        (3.6, StartReply(1, "one"))
    ]
    assert play([(1.0, STARTED), (2.0, WordsLost()), (3.0, said("one")), (3.1, STOPPED)]) == [
        (3.4, StartReply(1, "one"))
    ]
    assert play([*ASKED, (2.5, ReplyAudible(1)), (2.6, WordsLost())]) == [ANSWERED]


LOST = StartReply(1, "", cause=Cause.RECOGNISER_LOST, protected=True)


def test_a_caller_who_can_not_be_heard_any_more_is_told_and_the_call_ends(play: Play) -> None:
    assert play([(5.0, RecogniserLost()), (5.5, ReplyAudible(1)), (8.0, ReplyEnded(1))]) == [
        (5.0, LOST),
        (8.0, EndCall("recogniser lost")),
    ]


def test_nothing_a_caller_does_keeps_a_lost_call_up_or_its_last_word_away(play: Play) -> None:
    facts: list[Event] = [STARTED, STOPPED, said("one"), saying("one"), Typed("one"), Committed(), TimeLow()]
    for one in facts:
        script: Script = [(5.0, RecogniserLost()), (5.2, one), (5.5, ReplyAudible(1)), (6.0, one), (8.0, ReplyEnded(1))]
        assert play(script) == [(5.0, LOST), (8.0, EndCall("recogniser lost"))]


def test_the_stop_button_ends_a_lost_call(play: Play) -> None:
    script: Script = [(5.0, RecogniserLost()), (5.5, ReplyAudible(1)), (6.0, Interrupted())]
    assert play(script) == [(5.0, LOST), (6.0, InterruptReply(1)), (6.0, EndCall("recogniser lost"))]


def test_a_reply_is_heard_to_its_end_before_a_lost_call_ends(play: Play) -> None:
    script: Script = [(3.0, ReplyAudible(1)), (3.5, RecogniserLost()), (5.0, ReplyEnded(1)), (7.0, ReplyEnded(2))]
    assert play([*ASKED, *script]) == [
        ANSWERED,
        (5.0, StartReply(2, "", cause=Cause.RECOGNISER_LOST, protected=True)),
        (7.0, EndCall("recogniser lost")),
    ]


def test_what_was_being_said_is_dropped_when_a_call_is_lost(play: Play) -> None:
    hearing: Script = [(1.0, STARTED), (2.0, saying("one")), (2.5, RecogniserLost()), (4.0, ReplyEnded(1))]
    assert play(hearing) == [(2.5, LOST), (4.0, EndCall("recogniser lost"))]
    overlap: Script = [(2.6, STARTED), (2.7, RecogniserLost()), (3.0, ReplyEnded(1)), (4.0, ReplyEnded(2))]
    assert play([*ASKED, *overlap]) == [
        ANSWERED,
        (2.6, HoldReply(1)),
        (2.7, ResumeReply(1)),
        (3.0, StartReply(2, "", cause=Cause.RECOGNISER_LOST, protected=True)),
        (4.0, EndCall("recogniser lost")),
    ]


def test_a_draft_goes_when_a_call_is_lost(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, said("one")), (2.1, STOPPED), (2.2, RecogniserLost()), (4.0, ReplyEnded(2))]
    assert play(script, Policy(drafts=True)) == [
        (2.1, StartReply(1, "one", draft=True)),
        (2.2, RetractReply(1)),
        (2.2, StartReply(2, "", cause=Cause.RECOGNISER_LOST, protected=True)),
        (4.0, EndCall("recogniser lost")),
    ]


def test_a_warning_that_is_spoken_is_not_taken_for_the_last_word_of_a_lost_call(play: Play) -> None:
    script: Script = [(5.0, TimeLow()), (5.5, ReplyAudible(1)), (6.0, RecogniserLost()), (7.0, ReplyEnded(1))]
    assert play([*script, (9.0, ReplyEnded(2))]) == [
        (5.0, StartReply(1, "", cause=Cause.TIME_LOW, protected=True)),
        (7.0, StartReply(2, "", cause=Cause.RECOGNISER_LOST, protected=True)),
        (9.0, EndCall("recogniser lost")),
    ]
