"""Numbers and times are said the way people say them, and understood again."""

from datetime import date, datetime
from fractions import Fraction

import pytest
from mini_llm.hearing import normalise, speakable
from mini_llm.numbers import LARGEST, digits_words, fraction_words, number_words, ordinal_words, parse_number
from mini_llm.spoken_time import date_words, time_words, year_words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (56, "fifty six"),
        (100, "one hundred"),
        (1_105, "one thousand one hundred five"),
        (-40, "minus forty"),
        (2_000_001, "two million one"),
    ],
)
def test_a_number_is_said_in_words_and_understood_again(number: int, words: str) -> None:
    assert number_words(number) == words
    assert parse_number(words) == number


def test_every_number_that_can_be_said_is_understood_again() -> None:
    for number in [*range(1_200), *range(1_000, LARGEST, LARGEST // 997)]:
        assert parse_number(number_words(number)) == number


def test_a_number_too_large_to_say_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be said"):
        number_words(LARGEST + 1)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("a hundred and five", Fraction(105)),
        ("three point five", Fraction(7, 2)),
        ("minus two", Fraction(-2)),
        ("twelve hundred", Fraction(1_200)),
        ("five six", None),
        ("and", None),
        ("a", None),
        ("three point", None),
        ("hundred", None),
        ("", None),
    ],
)
def test_spoken_numbers_are_read_and_nonsense_is_not(words: str, number: Fraction | None) -> None:
    assert parse_number(words) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (Fraction(7, 2), "three point five"),
        (Fraction(1, 3), "about zero point three three"),
        (Fraction(-1, 20), "minus zero point zero five"),
        (Fraction(6), "six"),
    ],
)
def test_fractions_are_said_with_two_decimals_at_most(number: Fraction, words: str) -> None:
    assert fraction_words(number) == words


def test_ordinals_are_regular_but_for_the_few_that_are_not() -> None:
    said = [ordinal_words(number) for number in (1, 2, 3, 4, 12, 20, 21, 30, 31)]
    assert said == [
        "first",
        "second",
        "third",
        "fourth",
        "twelfth",
        "twentieth",
        "twenty first",
        "thirtieth",
        "thirty first",
    ]


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [
        (15, 5, "three oh five in the afternoon"),
        (0, 0, "twelve o'clock at night"),
        (12, 30, "twelve thirty in the afternoon"),
        (9, 15, "nine fifteen in the morning"),
        (20, 59, "eight fifty nine in the evening"),
    ],
)
def test_a_time_is_said_with_its_part_of_the_day(hour: int, minute: int, words: str) -> None:
    assert time_words(datetime(2026, 3, 3, hour, minute)) == words


def test_a_date_is_said_with_its_weekday() -> None:
    assert date_words(date(2026, 3, 3)) == "Tuesday, the third of March"


@pytest.mark.parametrize(
    ("year", "words"),
    [
        (2026, "twenty twenty six"),
        (2005, "two thousand five"),
        (1999, "nineteen ninety nine"),
        (1900, "nineteen hundred"),
        (1907, "nineteen oh seven"),
    ],
)
def test_years_are_said_in_pairs(year: int, words: str) -> None:
    assert year_words(year) == words


@pytest.mark.parametrize(
    ("digits", "words"),
    [("12", "twelve"), ("3.5", "three point five"), ("007", "zero zero seven"), ("1" * 13, " ".join(["one"] * 13))],
)
def test_digits_become_words(digits: str, words: str) -> None:
    assert digits_words(digits) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's 7 × 8?", "what's seven times eight "),  # noqa: RUF001
        ("12-5", "twelve minus five "),
        ("9 / 3", "nine divided by three "),
        ("It costs 1,200.", "it costs one thousand two hundred "),
        ("Um, well-known — uh, words!", "well known words "),
        ("I’m here", "i'm here "),  # noqa: RUF001
        ("🙂 ***", ""),
    ],
)
def test_typed_text_is_heard_like_speech(text: str, words: str) -> None:
    assert normalise(text) == words


def test_what_is_said_back_holds_no_digit_and_no_markdown() -> None:
    assert speakable("**Take** 2 of `them`, now!") == "Take two of them, now!"
