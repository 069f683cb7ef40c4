"""Transcripts as they are asked for: punctuation, digits, masks; words keep their times."""

import pytest
from speech_server.core.asr.asr_types import Hypothesis, Word
from speech_server.core.asr.text_normalisation import TextFormat, masked_words, normalise_text


def spoken(text: str) -> Hypothesis:
    """A word every half second."""
    words = tuple(Word(word, number / 2, number / 2 + 0.4, 0.9) for number, word in enumerate(text.split()))
    return Hypothesis(text, words, 0.9)


@pytest.mark.parametrize(
    ("said", "language", "written"),
    [
        ("call twenty five people", "en", "call 25 people"),
        ("it is two thousand and six.", "en", "it is 2006."),
        ("one more time please", "en", "one more time please"),
        ("no one knows", "en", "no one knows"),
        ("am fünfundzwanzigsten mai um zwölf", "de", "am 25. mai um 12"),
        ("nothing to write", "en", "nothing to write"),
        ("", "en", ""),
    ],
)
def test_number_words_become_digits(said: str, language: str, written: str) -> None:
    assert normalise_text(spoken(said), TextFormat(digits_of=language)).text == written


def test_a_number_lasts_from_its_first_word_to_its_last() -> None:
    words = normalise_text(spoken("room twenty five please"), TextFormat(digits_of="en")).words
    assert [(word.text, word.start_s, word.end_s) for word in words] == [
        ("room", 0.0, 0.4),
        ("25", 0.5, 1.4),
        ("please", 1.5, 1.9),
    ]


def test_plain_words_have_neither_capitals_nor_punctuation_and_stray_marks_vanish() -> None:
    plain = normalise_text(spoken("Hello , it's 3.5 km!"), TextFormat(plain=True))
    assert plain.text == "hello it's 3.5 km"
    assert len(plain.words) == 4


def test_a_masked_word_keeps_its_punctuation_and_its_neighbours() -> None:
    wording = TextFormat(masked=masked_words(["# comment", "", " Darn "]))
    assert normalise_text(spoken("Darn! That darned thing"), wording).text == "D***! That darned thing"


def test_a_text_without_words_is_reworded_too() -> None:
    assert normalise_text(Hypothesis("Hello."), TextFormat(plain=True)) == Hypothesis("hello")


def test_alternatives_are_reworded_like_the_best() -> None:
    heard = Hypothesis("Hi.", others=(Hypothesis("High."),))
    assert normalise_text(heard, TextFormat(plain=True)).others == (Hypothesis("high"),)


def test_nothing_asked_for_changes_nothing() -> None:
    heard = spoken("Twenty five, darn.")
    assert normalise_text(heard, TextFormat()) is heard
