"""How long a silence ends a turn whose words are complete, or go on, or of a caller who pauses? Stories of patience."""

from dataclasses import replace

from turn_player import STARTED, STOPPED, Play, Script, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Ending,
    Event,
    Heard,
    HoldReply,
    ReplyAudible,
    ReplyEnded,
    RetractReply,
    StartReply,
    TurnScored,
)

WORDS = Policy(end_silence=0.3, complete_silence=0.1, incomplete_silence=1.25, reading_silence=1.5)
LEARNING = replace(WORDS, learned_silence_max=0.8)


def final(text: str, ending: Ending) -> Heard:
    """A final after which the turn's words end so."""
    return Heard(text, True, ending=ending)


def one_turn(heard: Heard, *after: tuple[float, Event]) -> Script:
    """Speech from 1.0 until 2.3, with a final in it."""
    return [(1.0, STARTED), (2.2, heard), (2.3, STOPPED), *after]


def test_yes_is_answered_after_the_short_silence(play: Play) -> None:
    assert play(one_turn(final("yes", Ending.ANSWER)), WORDS) == [(2.4, StartReply(1, "yes"))]


def test_a_complete_sentence_is_answered_after_the_short_silence(play: Play) -> None:
    assert play(one_turn(final("Book it.", Ending.COMPLETE)), WORDS) == [(2.4, StartReply(1, "Book it."))]


def test_words_of_which_nobody_knows_wait_the_normal_silence(play: Play) -> None:
    assert play(one_turn(said("book it")), WORDS) == [(2.6, StartReply(1, "book it"))]


def test_a_sentence_that_goes_on_is_waited_for(play: Play) -> None:
    assert play(one_turn(final("book it and", Ending.INCOMPLETE)), WORDS) == [(3.55, StartReply(1, "book it and"))]


def test_a_number_read_out_with_pauses_is_one_turn(play: Play) -> None:
    """The detector tells of speech 0.25 s after it stopped, so pauses of 1.2 s are silences of 0.95 s and more."""
    script: list[tuple[float, Event]] = [(1.0, STARTED), (2.0, final("my number is", Ending.READING_OUT))]
    for at, digits in ((2.25, "five five five"), (5.0, "one two three")):
        script += [(at, STOPPED), (at + 1.05, STARTED), (at + 2.5, final(digits, Ending.READING_OUT))]
    script += [(7.75, STOPPED), (8.8, STARTED), (10.0, final("four five six seven", Ending.UNKNOWN)), (10.1, STOPPED)]
    number = "my number is five five five one two three four five six seven"
    assert play(script, WORDS) == [(10.4, StartReply(1, number))]


def test_words_that_go_on_never_wait_less_than_others(play: Play) -> None:
    patient = replace(WORDS, end_silence=2.0)
    for ending in (Ending.INCOMPLETE, Ending.READING_OUT):
        assert play(one_turn(final("and", ending)), patient) == [(4.3, StartReply(1, "and"))]


def test_complete_words_never_wait_longer_than_others(play: Play) -> None:
    hasty = replace(WORDS, end_silence=0.05)
    for ending in (Ending.ANSWER, Ending.COMPLETE):
        assert play(one_turn(final("yes", ending)), hasty) == [(2.35, StartReply(1, "yes"))]


def test_digits_without_a_final_are_waited_for_no_less(play: Play) -> None:
    patient = replace(WORDS, reading_silence=2.0)
    script: Script = [(1.0, STARTED), (2.2, Heard("five five", False, ending=Ending.READING_OUT)), (2.3, STOPPED)]
    assert play(script, patient) == [(4.3, StartReply(1, "five five"))]


def test_progress_changes_nothing_about_how_the_words_end(play: Play) -> None:
    script = one_turn(final("book it and", Ending.INCOMPLETE), (2.4, progress(2.4)))
    assert play(script, WORDS) == [(3.55, StartReply(1, "book it and"))]


def test_a_partial_that_is_taken_back_ends_nothing(play: Play) -> None:
    """The final says how the words end that are left."""
    script = one_turn(
        final("Book it.", Ending.COMPLETE),
        (2.35, Heard("and", False, ending=Ending.INCOMPLETE)),
        (2.38, Heard("", True, ending=Ending.COMPLETE)),
    )
    assert play(script, WORDS) == [(2.4, StartReply(1, "Book it."))]


def test_a_committed_turn_waits_for_nothing(play: Play) -> None:
    policy = replace(WORDS, end_on_final=True)
    assert play(one_turn(final("five five", Ending.READING_OUT)), policy) == [(2.2, StartReply(1, "five five"))]


def test_a_model_that_hears_the_end_of_the_turn_shortens_the_silence(play: Play) -> None:
    script = one_turn(said("book it"), (2.35, TurnScored(0.9, 2.25)))
    assert play(script, WORDS) == [(2.4, StartReply(1, "book it"))]


def test_a_model_that_hears_no_end_lengthens_it(play: Play) -> None:
    script = one_turn(final("Book it.", Ending.COMPLETE), (2.35, TurnScored(0.2, 2.25)))
    assert play(script, WORDS) == [(3.55, StartReply(1, "Book it."))]


def test_no_model_says_that_a_number_is_over_or_that_yes_goes_on(play: Play) -> None:
    number = one_turn(final("five five", Ending.READING_OUT), (2.35, TurnScored(0.9, 2.25)))
    assert play(number, WORDS) == [(3.8, StartReply(1, "five five"))]
    answer = one_turn(final("yes", Ending.ANSWER), (2.35, TurnScored(0.1, 2.25)))
    assert play(answer, WORDS) == [(2.4, StartReply(1, "yes"))]


def test_a_score_of_before_the_last_words_counts_no_more(play: Play) -> None:
    script: Script = [(1.0, STARTED), (1.5, TurnScored(0.1, 1.4)), (2.2, said("book it")), (2.3, STOPPED)]
    assert play(script, WORDS) == [(2.6, StartReply(1, "book it"))]


def test_a_late_score_ends_the_turn_at_once(play: Play) -> None:
    script = one_turn(said("book it"), (2.55, TurnScored(0.9, 2.25)))
    assert play(script, WORDS) == [(2.55, StartReply(1, "book it"))]


def in_two_parts(pause: float, ending: Ending = Ending.UNKNOWN) -> list[tuple[float, Event]]:
    """A turn with a pause in it, from 1.0 until 4.0."""
    return [
        (1.0, STARTED),
        (2.0, final("book it", ending)),
        (2.1, STOPPED),
        (2.1 + pause, STARTED),
        (3.9, said("for two")),
        (4.0, STOPPED),
    ]


def test_a_pause_within_a_turn_lengthens_the_silences_after_it(play: Play) -> None:
    """end_silence 0.3 stands for pauses of 0.2 s; 0.28 s moves that to 0.224 s, and 0.224 * 1.5 = 0.336."""
    assert play(in_two_parts(0.28), LEARNING) == [(4.336, StartReply(1, "book it for two"))]
    assert play(in_two_parts(0.28), WORDS) == [(4.3, StartReply(1, "book it for two"))]


def test_a_turn_taken_up_again_after_it_was_decided_lengthens_them_too(play: Play) -> None:
    """A pause of 0.9 s moves 0.2 to 0.41 s, and 0.41 * 1.5 = 0.615."""
    assert play(in_two_parts(0.9), replace(LEARNING, learned_silence_max=2.0)) == [
        (2.4, StartReply(1, "book it")),
        (3.0, HoldReply(1)),
        (3.9, RetractReply(1)),
        (4.615, StartReply(2, "book it for two")),
    ]


def test_a_learned_silence_has_a_bound(play: Play) -> None:
    policy = replace(LEARNING, learned_silence_max=0.35)
    assert play(in_two_parts(0.9), policy)[-1] == (4.35, StartReply(2, "book it for two"))


def test_complete_sentences_of_a_caller_who_pauses_wait_as_much_longer(play: Play) -> None:
    script = in_two_parts(0.28)
    script[-2] = (3.9, final("For two.", Ending.COMPLETE))
    assert play(script, LEARNING) == [(4.136, StartReply(1, "book it For two."))]


def test_pauses_where_more_was_to_come_teach_nothing(play: Play) -> None:
    assert play(in_two_parts(1.0, Ending.INCOMPLETE), LEARNING) == [(4.3, StartReply(1, "book it for two"))]


def test_turns_without_a_pause_bring_the_silence_back_and_no_further(play: Play) -> None:
    script = [*in_two_parts(0.28), (4.5, ReplyAudible(1)), (4.9, ReplyEnded(1))]
    for n in range(1, 20):
        at = 10.0 * n
        script += [(at + 1.0, STARTED), (at + 2.0, said("book it")), (at + 2.1, STOPPED)]
        script += [(at + 3.0, ReplyAudible(n + 1)), (at + 4.0, ReplyEnded(n + 1))]
    told = play(script, LEARNING)
    assert told[0] == (4.336, StartReply(1, "book it for two"))
    assert told[1] == (12.4024, StartReply(2, "book it"))
    assert told[2] == (22.4, StartReply(3, "book it"))
    assert told[-1] == (192.4, StartReply(20, "book it"))


def test_a_caller_who_never_pauses_is_answered_sooner_and_sooner(play: Play) -> None:
    """0.3 s less a tenth with each turn that was answered, until the least."""
    script: list[tuple[float, Event]] = []
    for n in range(12):
        at = 10.0 * n
        script += [(at + 1.0, STARTED), (at + 2.0, said("book it")), (at + 2.1, STOPPED)]
        script += [(at + 3.0, ReplyAudible(n + 1)), (at + 4.0, ReplyEnded(n + 1))]
    for wanted, least in ((0.2, 0.2), (0.01, 0.15)):  # never less than half of the operator's
        policy = replace(LEARNING, learned_silence_min=wanted)
        told = [round(at % 10.0 - 2.1, 4) for at, _ in play(script, policy)]
        assert told[:4] == [0.3, 0.27, 0.243, 0.2187]
        assert told[-2:] == [least, least]


def test_one_pause_makes_it_longer_again(play: Play) -> None:
    hasty = replace(LEARNING, learned_silence_min=0.1)
    turns = [(at + 10 * n, fact) for n in range(12) for at, fact in one_turn(said("book it"))]
    heard: list[tuple[float, Event]] = []
    for n in range(1, 13):
        heard += [(10.0 * n - 5.0, ReplyAudible(n)), (10.0 * n - 4.0, ReplyEnded(n))]
    later = [(200.0 + at, fact) for at, fact in in_two_parts(0.9)]
    told = play(sorted([*turns, *heard, *later], key=lambda line: line[0]), hasty)
    assert told[11][0] == 112.45
    assert told[-1] == (204.51, StartReply(14, "book it for two"))  # 0.1 + 0.3 * (0.9 - 0.1) = 0.34


def test_complete_words_of_a_caller_who_never_pauses_wait_no_longer_than_before(play: Play) -> None:
    policy = replace(LEARNING, learned_silence_min=0.05)
    assert play(one_turn(final("Book it.", Ending.COMPLETE)), policy) == [(2.4, StartReply(1, "Book it."))]


def test_a_first_pass_end_of_utterance_settles_words_as_before(play: Play) -> None:
    script: Script = [(1.0, STARTED), (2.2, saying("book it", stability=1.0, until=2.1)), (2.3, STOPPED)]
    assert play(script, WORDS) == [(2.6, StartReply(1, "book it"))]
