"""Sums come out right however they are written."""

import operator
import re
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mini_llm.arithmetic import TooBig, evaluate
from mini_llm.conversation import conversation
from mini_llm.number_words import number_words
from mini_llm.responder import respond

NOW = datetime(2026, 3, 3, 15, 5)
SIGNS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    **dict.fromkeys(["plus", "+", " + "], operator.add),
    **dict.fromkeys(["minus", "-", " - ", " − "], operator.sub),
    **dict.fromkeys(["times", "x", "×", "*", " X ", "multiplied by", "time", "multiply by"], operator.mul),
    **dict.fromkeys(["divided by", "/", "÷", "over", "divide by"], operator.truediv),
}
QUESTIONS = [
    "{}",
    "{}?",
    "What's {}?",
    "what’s {}",
    "WHAT IS {}?",
    "How much is {}?",
    "Um, tell me, what is {}?",
    "whats {}",
]
OPERANDS = st.integers(0, 99_999).map(Fraction) | st.decimals(0, 999, places=1).map(Fraction)


def written(number: Fraction) -> list[str]:
    """All ways to write it."""
    figure = str(float(number)) if number.denominator > 1 else str(number)
    words = number_words(number)
    hyphens = re.sub(r"ty (?=(one|two|three|four|five|six|seven|eight|nine)\b)", "ty-", words)
    ways = [figure, words, words.title(), hyphens]
    return [*ways, f"{int(number):,}", f"${figure}"] if number.denominator == 1 else ways


@given(OPERANDS, OPERANDS, st.sampled_from(sorted(SIGNS)), st.sampled_from(QUESTIONS), st.data())
@settings(deadline=None, derandomize=True, max_examples=400)
def test_a_sum_of_two_numbers_comes_out_right(
    left: Fraction, right: Fraction, sign: str, question: str, data: st.DataObject
) -> None:
    both = [data.draw(st.sampled_from(written(number))) for number in (left, right)]
    between = f" {sign} " if sign[-1].isalpha() or not both[0][-1].isdigit() or not both[1][0].isdigit() else sign
    answer = respond(conversation([("user", question.format(between.join(both)))]), NOW)
    if SIGNS[sign] is operator.truediv and right == 0:
        assert answer == "Nobody can divide by zero, not even I."
    else:
        assert answer.endswith(f" is {number_words(SIGNS[sign](left, right))}.")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 plus 3 times 4", 14),
        ("2 times 3 minus 4 times 5", -14),
        ("minus 2 plus 5", 3),
        ("5 squared plus 1", 26),
        ("20 percent of 50", 10),
        ("1 over 4", Fraction(1, 4)),
        ("100 divided by 5 divided by 2", 10),
    ],
)
def test_a_chain_of_numbers_is_worked_out_in_the_usual_order(text: str, value: Fraction) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize("text", ["999999999999 times 2", "9999999999999 minus 9999999999999", "9999999 squared"])
def test_what_is_too_big_to_say_is_refused(text: str) -> None:
    with pytest.raises(TooBig):
        evaluate(text)
