"""A pattern means the same as a regular expression and as sentences."""

import random
import re

import pytest
from mini_llm.pattern import parse_pattern, references, regex, sample

RULES = {"who": parse_pattern("me | us")}


def matches(source: str, text: str) -> bool:
    """Does the pattern cover these words?"""
    expression = regex(parse_pattern(source), lambda rule: f"(?:{regex(RULES[rule], str)})")
    return re.fullmatch(expression, "".join(f"{word} " for word in text.split())) is not None


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("tell [me | us] a (joke | story)", "tell us a story", True),
        ("tell [me | us] a (joke | story)", "tell a joke", True),
        ("tell [me | us] a (joke | story)", "tell you a joke", False),
        ("show <who>", "show us", True),
        ("(very)+ good", "very very very good", True),
        ("very+ good", "good", False),
        ("stop", "stopped", False),
    ],
)
def test_a_pattern_covers_whole_words(source: str, text: str, expected: bool) -> None:
    assert matches(source, text) is expected


def test_every_sample_of_a_pattern_matches_it() -> None:
    source = "[please] (tell | show) <who> [(a | another) joke]"
    for seed in range(200):
        words = sample(parse_pattern(source), RULES, random.Random(seed))
        assert matches(source, " ".join(words))


def test_a_pattern_names_the_rules_it_mentions() -> None:
    assert sorted(references(parse_pattern("[<a>] (<b> | c) <d>+"))) == ["a", "b", "d"]


@pytest.mark.parametrize("source", ["(a | b", "a ) b", "[a", "a | ", "", "+ a", "<a b>", "[a)"])
def test_a_broken_pattern_is_refused_with_its_text(source: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        parse_pattern(source)
