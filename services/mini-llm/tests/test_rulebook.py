"""The intent file is whole, and a pattern means what it says."""

import re

import pytest
from mini_llm.rulebook import expression, load_rulebook, read_rulebook
from mini_llm.skills import SKILLS
from mini_llm.text_normalisation import normalise


def matches(pattern: str, text: str) -> bool:
    """Does the pattern cover this text?"""
    return re.fullmatch(expression(pattern, {"who": "(?:me |us )"}.__getitem__), normalise(text)) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("tell [me | us] a (joke | story)", "tell us a story", True),
        ("tell [me | us] a (joke | story)", "tell a joke", True),
        ("tell [me | us] a (joke | story)", "tell you a joke", False),
        ("show <who>", "show us", True),
        ("stop", "stopped", False),
        ("stop", "non stop", False),
        ("one more", "1 more", True),
        ("what is (new | not good)", "what's new", True),
        ("what is new", "whats new", True),
        ("what is new", "what’s new", True),
        ("i am not well", "i'm not well", True),
        ("i did not hear", "i didn't hear", True),
        ("let us go", "let's go", True),
    ],
)
def test_a_pattern_covers_whole_words_however_they_are_written(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_a_pattern_that_mentions_an_unknown_rule_is_refused() -> None:
    text = """
    slots = {}
    rules = {opener = "well", closer = "now", no_name = "i"}
    conversation = {agent = "A", opening = "Hello.", silence = ["?"], fallback = ["?"]}
    [intent.x]
    patterns = ["hello <nobody>"]
    answers.plain = ["Hello."]
    """
    with pytest.raises(KeyError, match="nobody"):
        read_rulebook(text)


def test_every_skill_named_in_the_intent_file_exists_and_every_skill_is_used() -> None:
    assert {intent.skill for intent in load_rulebook().intents} == set(SKILLS)


def test_every_word_of_every_answer_can_be_said() -> None:
    for intent in load_rulebook().intents:
        for line in (line for lines in intent.answers.values() for line in lines):
            assert line == " ".join(line.split()), f"{intent.name}: {line!r}"
            assert not set("*_#`0123456789/") & set(line), line
