"""Results of the recogniser become transcripts for the caller and facts for the machine."""

from voice_gateway.core.events import Transcribed, WordTime
from voice_gateway.core.transcript import RecognitionResult, TranscriptState, update_transcript
from voice_gateway.core.turn_types import Heard


def fold(
    *results: RecognitionResult, received_s: float = 5.0, now: float = 9.0
) -> tuple[list[Transcribed], list[Heard]]:
    """What the caller and the machine are told of `results`."""
    state, told, facts = TranscriptState(), [], []
    for result in results:
        state, transcribed, fact = update_transcript(state, result, turn=3, received_s=received_s, now=now)
        told += [transcribed] if transcribed else []
        facts.append(fact)
    return told, facts


def partial(text: str, stability: float = 0.5, processed_s: float | None = None) -> RecognitionResult:
    return RecognitionResult(text, False, stability, processed_s)


def final(text: str, processed_s: float | None = None) -> RecognitionResult:
    return RecognitionResult(text, True, 1.0, processed_s)


def test_the_leading_space_of_a_result_is_dropped() -> None:
    told, facts = fold(partial(" hello "), final(" hello world "))
    assert [event.text for event in told] == ["hello", "hello world"]
    assert [fact.text for fact in facts] == ["hello", "hello world"]


def test_utterances_are_numbered_and_a_final_closes_one() -> None:
    told, _ = fold(partial("a"), final("a b"), final("c"), partial("d"))
    assert [(event.utterance, event.final) for event in told] == [(1, False), (1, True), (2, True), (3, False)]
    assert {event.turn for event in told} == {3}


def test_a_final_belongs_to_the_turn_in_which_its_utterance_was_told_last() -> None:
    state, turns = TranscriptState(), []
    for turn, result in (
        (1, partial("a")),
        (2, final("a b")),
        (2, final("c")),
        (2, partial("d")),
        (3, partial("d e")),
        (3, final("d e")),
    ):
        state, told, _ = update_transcript(state, result, turn=turn, received_s=5.0, now=9.0)
        turns.append(told.turn if told else None)
    assert turns == [1, 1, 2, 2, 3, 3]


def test_an_unchanged_partial_is_told_once_but_the_machine_hears_it_each_time() -> None:
    told, facts = fold(partial("hello"), partial(" hello"), partial("hello", 0.9), partial("hello you"))
    assert [event.text for event in told] == ["hello", "hello you"]
    assert [fact.stability for fact in facts] == [0.5, 0.5, 0.9, 0.5]


def test_a_partial_that_becomes_stable_is_told_again() -> None:
    told, _ = fold(partial("hello"), partial("hello", 1.0))
    assert [event.stability for event in told] == [0.5, 1.0]


def test_progress_without_words_is_for_the_machine_only() -> None:
    told, facts = fold(partial("", processed_s=4.0))
    assert told == []
    assert facts == [Heard("", False, 0.5, until=8.0)]


def test_audio_the_recogniser_has_not_worked_through_is_not_stood_for() -> None:
    _, facts = fold(partial("a", processed_s=3.5), final("a", 5.0), partial("b"), final("b", 7.0), received_s=5.0)
    assert [fact.until for fact in facts] == [7.5, 9.0, 9.0, 9.0]


def timed(text: str, *ends_s: float, processed_s: float = 0.0) -> RecognitionResult:
    """A final whose words take 0.2 s each and end then."""
    words = tuple(WordTime(word, end_s - 0.2, end_s) for word, end_s in zip(text.split(), ends_s, strict=True))
    return RecognitionResult(text, True, 1.0, processed_s or ends_s[-1] + 0.4, words)


def said(*results: RecognitionResult) -> list[str]:
    """The finals with words that the machine hears."""
    _, facts = fold(*results, received_s=30.0)
    return [fact.text for fact in facts if fact.final and fact.text]


def test_a_final_that_comes_again_is_no_second_turn() -> None:
    once = timed("book a table", 0.9, 1.1, 1.4)
    told, facts = fold(once, once, received_s=30.0)
    assert [event.text for event in told] == ["book a table"]
    assert [(fact.text, fact.final) for fact in facts] == [("book a table", True), ("", False)]


def test_a_final_of_all_after_finals_of_its_parts_brings_only_what_is_new() -> None:
    parts = (timed("book a table", 0.9, 1.1, 1.4), timed("for two", 1.7, 2.1))
    assert said(*parts, timed("book a table for two", 0.9, 1.1, 1.4, 1.7, 2.1)) == ["book a table", "for two"]
    more = timed("book a table for two please", 0.9, 1.1, 1.4, 1.7, 2.1, 2.6)
    assert said(*parts, more) == ["book a table", "for two", "please"]


def test_a_second_yes_counts() -> None:
    assert said(timed("yes", 1.0), timed("yes", 3.0)) == ["yes", "yes"]
    assert said(final("yes", 1.0), final("yes", 3.0)) == ["yes", "yes"]
    assert said(final("yes"), final("yes")) == ["yes", "yes"]


def test_without_word_times_what_was_said_of_the_same_audio_comes_once() -> None:
    parts = (final("book a table", 2.0), final("for two", 2.0))
    assert said(*parts, final("for two", 2.0), final("Book a table for two.", 2.0)) == ["book a table", "for two"]


def test_a_partial_that_turns_out_to_be_known_is_closed() -> None:
    told, facts = fold(
        timed("book a table", 0.9, 1.1, 1.4), partial("book a", processed_s=1.9), timed("book a table", 0.9, 1.1, 1.4)
    )
    assert [(fact.text, fact.final) for fact in facts] == [("book a table", True), ("book a", False), ("", True)]
    assert [(event.text, event.final) for event in told][-1] == ("", True)


def test_signs_without_a_letter_or_digit_are_no_words() -> None:
    told, facts = fold(final("."), final("..."), final(" ?! "), final("7"))
    assert [event.text for event in told] == ["7"]
    assert [fact.text for fact in facts] == ["", "", "", "7"]


def test_an_empty_final_nobody_waits_for_is_not_told() -> None:
    told, facts = fold(final(""), final("  "))
    assert told == []
    assert [fact.final for fact in facts] == [True, True]


def test_an_empty_final_closes_the_partial_the_caller_saw_and_its_number_is_not_used_again() -> None:
    told, _ = fold(partial("hm"), final(""), partial("hello"))
    assert [(event.utterance, event.text, event.final) for event in told] == [
        (1, "hm", False),
        (1, "", True),
        (2, "hello", False),
    ]


def test_the_same_words_in_the_next_utterance_are_told_again() -> None:
    told, _ = fold(partial("yes"), final("yes"), partial("yes"))
    assert [event.utterance for event in told] == [1, 1, 2]


def test_the_samples_are_those_of_the_words_where_the_recogniser_tells_them() -> None:
    words = (WordTime("go", 1.0, 1.25, 0.9), WordTime("on", 1.5, 2.0, 0.8))
    told, _ = fold(RecognitionResult("go on", True, 1.0, 3.0, words))
    assert (told[0].first_sample, told[0].last_sample, told[0].words) == (16000, 32000, words)


def test_without_word_times_an_utterance_reaches_from_the_last_final_to_the_audio_worked_through() -> None:
    told, _ = fold(final("a", 2.0), partial("b", processed_s=2.5))
    assert [(event.first_sample, event.last_sample) for event in told] == [(0, 32000), (32000, 40000)]


def test_words_without_times_are_words() -> None:
    words = (WordTime("go", 0.0, 0.0, 0.9), WordTime("on", 0.0, 0.0, 0.8))
    told, facts = fold(
        RecognitionResult("go on", True, 1.0, 2.0, words), RecognitionResult("go on", True, 1.0, 4.0, words)
    )
    assert [event.text for event in told] == ["go on", "go on"]
    assert [fact.text for fact in facts] == ["go on", "go on"]


def test_words_recognised_once_more_a_little_later_are_known() -> None:
    once = (WordTime("for", 1.0, 1.2, 0.9), WordTime("two", 1.3, 1.6, 0.9))
    again = (WordTime("for", 1.02, 1.24, 0.9), WordTime("two", 1.36, 1.7, 0.9))
    _, facts = fold(
        RecognitionResult("for two", True, 1.0, 2.0, once), RecognitionResult("for two", True, 1.0, 2.7, again)
    )
    assert [(fact.text, fact.final) for fact in facts] == [("for two", True), ("", False)]


def test_a_late_repetition_leaves_the_utterance_that_began_since_open() -> None:
    once = (WordTime("yes", 1.0, 1.3, 0.9),)
    told, facts = fold(
        RecognitionResult("yes", True, 1.0, 2.0, once),
        partial("and also", processed_s=2.6),
        RecognitionResult("yes", True, 1.0, 2.0, once),
        final("and also that", 3.5),
    )
    assert [(event.utterance, event.text, event.final) for event in told] == [
        (1, "yes", True),
        (2, "and also", False),
        (2, "and also that", True),
    ]
    assert [(fact.text, fact.final) for fact in facts][2] == ("", False)


def test_the_whole_again_though_a_little_more_audio_was_heard_is_known_without_word_times() -> None:
    _, facts = fold(final("book a table", 2.0), final("for two", 3.0), final("Book a table for two.", 3.1))
    assert [fact.text for fact in facts] == ["book a table", "for two", ""]


def test_a_second_yes_counts_without_word_times_too() -> None:
    _, facts = fold(final("yes", 2.0), final("yes", 2.9))
    assert [fact.text for fact in facts] == ["yes", "yes"]
