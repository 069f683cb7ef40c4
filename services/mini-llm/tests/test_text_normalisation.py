"""Text is spelled one way, and numbers and times are said the way people say them."""

from datetime import date, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mini_llm.number_words import LARGEST, date_words, number_words, time_words, year_words
from mini_llm.text_normalisation import LONGEST_WORDS, normalise, sentences

NUMBERS = st.integers(0, 1_200) | st.integers(0, LARGEST)


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
        (Fraction(7, 2), "three point five"),
        (Fraction(1, 3), "about zero point three three"),
        (Fraction(-1, 20), "minus zero point zero five"),
        (Fraction(6), "six"),
    ],
)
def test_a_number_is_said_in_words(number: Fraction | int, words: str) -> None:
    assert number_words(number) == words


@given(NUMBERS)
@settings(deadline=None, derandomize=True)
def test_every_number_that_can_be_said_is_understood_again(number: int) -> None:
    assert normalise(number_words(number)) == f"{number} "
    assert normalise(f"{number:,}") == f"{number} "


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


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (3, "Tuesday, the third"),
        (12, "Thursday, the twelfth"),
        (20, "Friday, the twentieth"),
        (31, "Tuesday, the thirty first"),
    ],
)
def test_a_date_is_said_with_its_weekday(day: int, words: str) -> None:
    assert date_words(date(2026, 3, day)) == f"{words} of March"


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
    ("text", "words"),
    [
        ("What's 7 × 8?", "What's 7 times 8"),
        ("seven x eight", "7 times 8"),
        ("12-5", "12 minus 5"),
        ("twelve − five", "12 minus 5"),
        ("-5 + 3 =", "minus 5 plus 3"),
        ("9 / 3 or 9÷3", "9 divided by 3 or 9 divided by 3"),
        ("5² and 20%", "5 squared and 20 percent"),
        ("It costs $1,200.", "It costs 1200"),
        ("A hundred and five, twenty-five, twelve hundred", "105 25 1200"),
        ("3.5 plus three point five", "3.5 plus 3.5"),
        ("5 million and 2.5 thousand", "5000000 and 2500"),
        ("Um, well-known — uh, words!", "well-known words"),
        ("I’m “here”, Jean-Luc", "I'm here Jean-Luc"),
        ("OK, Bye-bye!", "okay bye"),
        ("to plus for times ate", "2 plus 4 times 8"),
        ("I won two tickets to go for free", "I won 2 tickets to go for free"),
        ("7 time 8, 10 divide by 2", "7 times 8 10 divided by 2"),
        ("🙂 *** _", ""),
    ],
)
def test_text_is_spelled_one_way(text: str, words: str) -> None:
    assert " ".join(normalise(text).split()) == words


@given(st.text(max_size=200))
@settings(deadline=None, derandomize=True)
def test_whatever_is_written_is_words_with_a_space_after_each(text: str) -> None:
    words = normalise(text)
    assert words == "".join(f"{word} " for word in words.split())
    assert len(words.split()) <= 4 * LONGEST_WORDS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello. My name is Mr. Dashwood. Really?", ["Hello.", "My name is Mr Dashwood.", "Really?"]),
        ("It is 3.5, e.g. so.", ["It is 3.5, e.g.", "so."]),
        ("one\ntwo", ["one", "two"]),
    ],
)
def test_sentences_end_at_their_signs(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts
