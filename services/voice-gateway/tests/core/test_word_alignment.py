"""Word times a voice tells are laid on the words that were sent."""

from voice_gateway.core.speakable.phrase import SpeakablePhrase, Word, plain
from voice_gateway.core.word_alignment import TimedWord, align


def laid(text: str, *reported: tuple[str, int], end: int) -> list[TimedWord]:
    """The phrase's words from sample 1000 on, after the voice has told `reported` and ended at `end`."""
    phrase = align(plain(text), 1000)
    words: list[TimedWord] = []
    for word, end_sample in reported:
        phrase, over = phrase.place(word, end_sample)
        words += over
    return words + phrase.finish(end)


def test_words_keep_their_own_spelling_and_punctuation() -> None:
    assert laid("Well, stop!", ("well", 1500), ("stop", 2000), end=2000) == [
        TimedWord("Well,", 1500),
        TimedWord("stop!", 2000),
    ]


def test_a_word_the_voice_joins_to_its_neighbour_is_not_lost() -> None:
    assert laid("there was a", ("there", 1200), ("a", 1800), end=2000) == [
        TimedWord("there", 1200),
        TimedWord("was", 1600),
        TimedWord("a", 1800),
    ]


def test_a_voice_that_does_not_tell_is_taken_to_speak_evenly() -> None:
    assert laid("a bbb cccc", end=2100) == [TimedWord("a", 1200), TimedWord("bbb", 1600), TimedWord("cccc", 2100)]


def test_a_word_that_was_not_sent_changes_nothing() -> None:
    assert laid("four now", ("quattro", 1300), ("", 1400), ("now", 1900), end=2000) == [
        TimedWord("four", 1500),
        TimedWord("now", 1900),
    ]


def test_words_after_the_last_one_told_end_with_the_phrase() -> None:
    assert laid("one two", ("one", 1400), end=2000)[-1] == TimedWord("two", 2000)


def test_a_word_told_far_ahead_is_taken_for_another() -> None:
    assert laid("a b c d e f g the", ("the", 1100), end=2000)[-1] == TimedWord("the", 2000)


def test_a_phrase_still_being_made_is_guessed_at_fifteen_letters_a_second() -> None:
    assert align(plain("fourteen letter"), 0).guess(1500) == [
        TimedWord("fourteen", 847 + 53),
        TimedWord("letter", 1600),
    ]


def test_a_phrase_without_words_has_none() -> None:
    assert laid("  ", end=2000) == []


def test_a_written_word_spoken_as_several_is_over_with_the_last_of_them() -> None:
    phrase = align(SpeakablePhrase((Word("costs", "costs"), Word("$5 today.", "five dollars today."))), 1000)
    phrase, over = phrase.place("costs", 1500)
    assert over == [TimedWord("costs", 1500)]
    phrase, over = phrase.place("dollars", 2500)
    assert over == []
    assert phrase.finish(3000) == [TimedWord("$5 today.", 3000)]


def test_what_has_no_sound_is_over_with_the_word_before_the_next() -> None:
    phrase = align(SpeakablePhrase((Word("Great", "Great"), Word("—", ""), Word("stuff", "stuff"))), 0)
    assert [word.text for word in phrase.finish(900)] == ["Great", "—", "stuff"]
