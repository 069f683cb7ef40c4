"""When is a turn over? Stories of silence, finals, and recognisers that are early, late or lost."""

from turn_player import STARTED, STOPPED, Play, Script, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    CorrectWords,
    ReplyAudible,
    ReplyEnded,
    RetractReply,
    SpeechStopped,
    StartReply,
)

EAGER = Policy(end_on_final=True)
NO_PROGRESS = Policy(lag_slack=float("inf"))


def test_settled_words_end_the_turn_after_the_short_silence(play: Play) -> None:
    story = play([(1.0, STARTED), (1.3, saying("hello")), (2.2, said("hello there")), (2.3, STOPPED)])
    assert story == [(2.6, StartReply(1, "hello there"))]


def test_unsettled_words_wait_longer(play: Play) -> None:
    story = play([(1.0, STARTED), (2.2, saying("i would like")), (2.3, STOPPED)])
    assert story == [(3.8, StartReply(1, "i would like"))]


def test_a_final_in_the_pause_leaves_only_the_short_silence_to_wait(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, saying("hello")), (2.3, STOPPED), (2.4, said("hello"))])
    assert story == [(2.6, StartReply(1, "hello"))]


def test_a_late_final_ends_the_turn_at_once(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, saying("hello")), (2.3, STOPPED), (3.1, said("hello there"))])
    assert story == [(3.1, StartReply(1, "hello there"))]


def test_a_last_partial_in_the_pause_does_not_delay_settled_words(play: Play) -> None:
    story = play([(1.0, STARTED), (2.3, STOPPED), (2.55, saying("hello")), (2.58, said("hello there"))])
    assert story == [(2.6, StartReply(1, "hello there"))]


def test_noise_is_not_a_turn(play: Play) -> None:
    assert play([(1.0, STARTED), (1.4, STOPPED)]) == []


def test_a_partial_that_its_final_takes_back_is_noise(play: Play) -> None:
    assert play([(1.0, STARTED), (1.3, saying("uh")), (1.4, STOPPED), (1.6, said(""))]) == []


def test_going_on_in_the_pause_goes_on_with_the_turn(play: Play) -> None:
    story = play(
        [
            (1.0, STARTED),
            (2.0, said("book a table")),
            (2.1, STOPPED),
            (2.3, STARTED),
            (3.0, said("for two")),
            (3.1, STOPPED),
        ]
    )
    assert story == [(3.4, StartReply(1, "book a table for two"))]


def test_words_settled_before_the_caller_went_on_are_unsettled_again(play: Play) -> None:
    story = play(
        [(1.0, STARTED), (2.0, said("book")), (2.1, STOPPED), (2.3, STARTED), (4.0, STOPPED), (4.1, said("", 2.2))]
    )
    assert story == [(5.6, StartReply(1, "book"))]


def test_a_short_word_after_a_pause_unsettles_the_turn(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, said("book")), (2.1, STOPPED), (2.3, STARTED), (2.5, STOPPED)])
    assert story == [(4.0, StartReply(1, "book"))]


def test_two_utterances_in_one_breath_are_one_turn(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, said("yes.")),
        (2.5, saying("and")),
        (3.0, said("and tea.")),
        (3.1, STOPPED),
    ]
    assert play(script) == [(3.4, StartReply(1, "yes. and tea."))]


def test_a_partial_after_a_final_unsettles_the_turn(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, said("yes")), (2.9, saying("and")), (3.0, STOPPED)])
    assert story == [(4.5, StartReply(1, "yes and"))]


def test_the_first_pass_end_of_utterance_settles(play: Play) -> None:
    story = play(
        [(1.0, STARTED), (2.3, saying("hello there", stability=1.0)), (2.4, STOPPED), (3.0, said("Hello there."))]
    )
    assert story == [(2.7, StartReply(1, "hello there"))]


def test_a_partial_after_the_first_pass_end_opens_the_utterance_again(play: Play) -> None:
    story = play([(1.0, STARTED), (2.3, saying("hello", stability=1.0)), (2.4, saying("hello you")), (2.5, STOPPED)])
    assert story == [(4.0, StartReply(1, "hello you"))]


def test_a_final_that_differs_from_the_partial_the_turn_was_ended_on_corrects_the_reply(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("what is the")), (2.1, STOPPED), (4.0, said("what is the time"))]
    assert play(script) == [
        (3.6, StartReply(1, "what is the")),
        (4.0, RetractReply(1)),
        (4.0, StartReply(2, "what is the time")),
    ]


def test_a_final_that_only_adds_signs_changes_nothing(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("what time is it")), (2.1, STOPPED), (4.0, said("What time is it?"))]
    assert play(script) == [(3.6, StartReply(1, "what time is it"))]


def test_a_final_that_takes_the_whole_turn_back_takes_the_reply_back(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("uh")),
        (2.1, STOPPED),
        (4.0, said("")),
        (5.0, STARTED),
        (6.0, said("hi")),
        (6.1, STOPPED),
    ]
    assert play(script) == [(3.6, StartReply(1, "uh")), (4.0, RetractReply(1)), (6.4, StartReply(2, "hi"))]


def test_a_correction_comes_too_late_for_an_answer_once_the_reply_is_heard(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("what is the")),
        (2.1, STOPPED),
        (3.9, ReplyAudible(1)),
        (4.0, said("what is the time")),
    ]
    corrected = (4.0, CorrectWords(1, "what is the", "what is the time"))
    assert play(script) == [(3.6, StartReply(1, "what is the")), corrected]


def test_a_late_final_that_says_the_same_or_nothing_corrects_nothing(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("thanks")), (2.1, STOPPED), (3.9, ReplyAudible(1))]
    for text in ("Thanks!", ""):
        assert play([*script, (4.0, said(text))]) == [(3.6, StartReply(1, "thanks"))]


def test_a_correction_after_a_short_reply_is_not_a_turn_of_its_own(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("thanks")),
        (2.1, STOPPED),
        (3.7, ReplyAudible(1)),
        (4.0, ReplyEnded(1)),
    ]
    corrected = (4.2, CorrectWords(1, "thanks", "thank you"))
    assert play([*script, (4.2, said("thank you"))]) == [(3.6, StartReply(1, "thanks")), corrected]


def test_only_one_final_is_dropped_for_a_turn_ended_on_a_partial(play: Play) -> None:
    script: Script = [
        (1.0, STARTED),
        (2.0, saying("thanks")),
        (2.1, STOPPED),
        (3.7, ReplyAudible(1)),
        (4.0, ReplyEnded(1)),
    ]
    story = play(
        [*script, (4.1, saying("thank")), (4.2, said("thank you")), (6.0, STARTED), (7.0, said("bye")), (7.1, STOPPED)]
    )
    corrected = (4.2, CorrectWords(1, "thanks", "thank you"))
    assert story == [(3.6, StartReply(1, "thanks")), corrected, (7.4, StartReply(2, "bye"))]


def test_a_turn_that_never_pauses_ends_at_max_turn(play: Play) -> None:
    script: Script = [(1.0, STARTED), *((1.5 + n, said(str(n))) for n in range(70))]
    assert play(script, Policy(max_turn=5.0))[0] == (6.0, StartReply(1, "0 1 2 3 4"))


def test_noise_that_never_pauses_is_no_turn_either(play: Play) -> None:
    assert play([(1.0, STARTED)]) == []


# -------------------------------------------------------------------------------- recognisers that lag


def test_no_turn_ends_while_the_recogniser_is_behind(play: Play) -> None:
    lagging: Script = [(2.0 + n, progress(1.0 + 0.4 * n)) for n in range(8)]
    script: Script = [
        (1.0, STARTED),
        (1.9, saying("so", until=1.2)),
        *lagging,
        (5.0, STOPPED),
        (10.0, said("so it is", until=4.9)),
    ]
    assert play(sorted(script, key=lambda line: line[0])) == [(10.0, StartReply(1, "so it is"))]


def test_a_recogniser_that_stands_still_does_not_hold_the_turn_for_ever(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("are you", until=1.9)), (5.0, STOPPED)]
    assert play(script, Policy(max_lag=4.0)) == [(9.0, StartReply(1, "are you"))]


def test_the_wait_for_a_recogniser_counts_from_its_last_sign(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("are you", until=1.9)), (5.0, STOPPED), (8.0, progress(2.5))]
    assert play(script, Policy(max_lag=4.0)) == [(12.0, StartReply(1, "are you"))]


def test_a_recogniser_that_is_late_gets_as_much_longer_for_its_final(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("are you", until=1.9)), (5.0, STOPPED), (6.0, progress(4.9))]
    assert play(script) == [(7.6, StartReply(1, "are you"))]
    assert play([*script, (7.5, said("are you there", until=6.4))]) == [(7.5, StartReply(1, "are you there"))]


def test_a_sound_after_the_final_does_not_hold_the_answer_until_the_recogniser_is_given_up(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("good day")), (2.9, said("good day", until=2.9)), (4.0, STOPPED)]
    assert play(script) == [(5.5, StartReply(1, "good day"))]


def test_progress_without_words_keeps_settled_words_settled(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.9, said("good day", until=2.9)), (3.9, progress(3.8)), (4.0, STOPPED)]
    assert play(script) == [(4.3, StartReply(1, "good day"))]


def test_progress_alone_settles_nothing(play: Play) -> None:
    assert play([(1.0, STARTED), (1.5, saying("so")), (2.0, progress(2.0)), (2.1, STOPPED)]) == [
        (3.6, StartReply(1, "so"))
    ]


def test_a_recogniser_that_never_tells_its_progress_is_never_behind(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, saying("good day")), (2.9, said("good day")), (4.0, STOPPED)]
    assert play(script, NO_PROGRESS) == [(4.3, StartReply(1, "good day"))]


def test_a_final_of_earlier_speech_does_not_settle_what_came_after_it(play: Play) -> None:
    script: Script = [(1.0, STARTED), (3.4, progress(3.3)), (3.5, said("well", until=2.0)), (3.6, STOPPED)]
    assert play(script) == [(5.3, StartReply(1, "well"))]


def test_words_of_noise_given_up_too_soon_are_answered_when_they_come(play: Play) -> None:
    script: Script = [(1.0, STARTED), (3.0, STOPPED), (9.0, said("is anybody there", until=2.9))]
    assert play(script) == [(9.0, StartReply(1, "is anybody there"))]


def test_a_lagging_final_in_idle_waits_for_no_progress(play: Play) -> None:
    assert play([(9.0, said("hello", until=4.0))]) == [(9.0, StartReply(1, "hello"))]


# ------------------------------------------------------- recognisers that wait for the silence themselves


def test_end_on_final_ends_the_turn_at_once(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, saying("hello")), (2.5, said("hello")), (2.6, STOPPED)], EAGER)
    assert story == [(2.5, StartReply(1, "hello"))]


def test_end_on_final_ends_a_pause_at_once(play: Play) -> None:
    story = play([(1.0, STARTED), (2.0, saying("hello")), (2.1, STOPPED), (2.2, said("hello"))], EAGER)
    assert story == [(2.2, StartReply(1, "hello"))]


def test_end_on_final_does_not_end_the_turn_for_a_final_of_earlier_speech(play: Play) -> None:
    script: Script = [(1.0, STARTED), (4.0, said("first", until=3.0)), (8.0, STOPPED), (8.2, said("second", until=8.0))]
    assert play(script, EAGER) == [(8.2, StartReply(1, "first second"))]


def test_end_on_final_does_not_answer_a_final_without_words(play: Play) -> None:
    assert play([(1.0, STARTED), (2.0, said("")), (2.6, STOPPED)], EAGER) == []


def test_a_final_without_words_does_not_end_the_turn_of_a_caller_who_goes_on(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.0, said("")), (3.0, saying("so")), (6.0, said("so be it")), (6.1, STOPPED)]
    assert play(script, EAGER) == [(6.0, StartReply(1, "so be it"))]


def test_unsettled_words_wait_longer_with_end_on_final_too(play: Play) -> None:
    assert play([(1.0, STARTED), (2.0, saying("well")), (2.1, STOPPED)], EAGER) == [(3.6, StartReply(1, "well"))]


# ------------------------------------------------------------------------------ speech the detector misses


def test_words_the_detector_missed_are_a_turn(play: Play) -> None:
    assert play([(2.0, saying("yes")), (2.4, said("yes please"))]) == [(2.4, StartReply(1, "yes please"))]


def test_a_caller_the_detector_misses_is_not_cut_off_while_their_words_grow(play: Play) -> None:
    words: Script = [(1.0 + n / 2, saying(" ".join("abcdefgh"[: n + 1]))) for n in range(8)]
    assert play([*words, (5.0, said("a b c d e f g h i"))]) == [(5.0, StartReply(1, "a b c d e f g h i"))]


def test_repeated_partials_do_not_hold_the_turn(play: Play) -> None:
    same: Script = [(2.2 + n / 2, saying("well")) for n in range(3)]
    assert play([(1.0, STARTED), (2.0, saying("well")), (2.1, STOPPED), *same]) == [(3.6, StartReply(1, "well"))]


def test_words_that_grow_without_speech_end_at_max_turn(play: Play) -> None:
    words: Script = [(1.0 + n / 2, saying(" ".join(str(m) for m in range(n + 1)))) for n in range(40)]
    (at, first), *_ = play(words, Policy(max_turn=5.0))
    assert 5.0 < at < 7.5
    assert isinstance(first, StartReply)


def test_speech_that_came_in_a_burst_is_waited_for_though_the_clock_says_the_recogniser_is_not_behind(
    play: Play,
) -> None:
    """A caller returns and 2 s of kept speech come at once; the recogniser has heard none of it."""
    script: Script = [(1.0, STARTED), (1.5, saying("go", until=1.4)), (1.7, SpeechStopped(unheard=2.0))]
    story = play([*script, (6.0, said("go forward ten meters", until=5.9))])
    assert story == [(6.0, StartReply(1, "go forward ten meters"))]
