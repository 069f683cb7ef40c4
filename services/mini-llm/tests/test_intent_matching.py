"""Sentences are understood as people type them, as a good recogniser writes them, and slightly misheard."""

import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mini_llm.conversation import conversation
from mini_llm.intent_matching import understand
from mini_llm.responder import respond
from mini_llm.rulebook import load_rulebook

NOW = datetime(2026, 3, 3, 15, 5)
FALLBACKS = tuple(text.split("{")[0] for text in load_rulebook().fallback)

MEANT: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("meant.toml").read_text("utf-8"))
PAIRS = [(intent, text) for intent, texts in MEANT.items() for text in texts]
ALONE = {intent.name for intent in load_rulebook().intents if intent.alone}
BARE = [(intent, text.rstrip(".?!")) for intent, text in PAIRS if intent not in ALONE and ". " not in text]


def meant(text: str) -> list[str]:
    """Names of the intents."""
    return [meaning.intent.name for meaning in understand(text)]


def with_curly_apostrophes(text: str) -> str:
    """As a phone's keyboard writes."""
    return text.replace("'", "’")


def without_commas(text: str) -> str:
    """As people type."""
    return text.replace(",", "")


def test_every_intent_has_examples() -> None:
    assert list(MEANT) == [intent.name for intent in load_rulebook().intents]


@pytest.mark.parametrize(("intent", "text"), PAIRS)
def test_an_example_means_its_intent_and_is_answered(intent: str, text: str) -> None:
    assert meant(text) == [intent]
    answer = respond(conversation([("user", text)]), NOW)
    assert answer
    assert not answer.startswith(FALLBACKS)
    assert not set("{}*_#`0123456789") & set(answer), answer


@given(
    st.sampled_from(BARE),
    st.lists(st.sampled_from(["Um, ", "okay, so ", "Well, ", "uh ", "Hey, ", "Oh, ", "please "]), max_size=2),
    st.lists(st.sampled_from([", please", " please", ", thanks", ", thank you", " now"]), max_size=2),
    st.sampled_from([str, str.lower, str.upper, with_curly_apostrophes, without_commas]),
    st.sampled_from(["", ".", "?", "!", "...", " . "]),
)
@settings(deadline=None, derandomize=True, max_examples=600)
def test_what_stands_around_a_sentence_and_how_it_is_written_makes_no_difference(
    example: tuple[str, str], before: list[str], after: list[str], write: Callable[[str], str], end: str
) -> None:
    intent, text = example
    if "Zoltan" in text:
        write = str  # only its capital says that this is a name
    said = write("".join(before) + text + "".join(after)) + end
    assert meant(said) == [intent], said


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("Hello. My name is Anna. What is 3 plus 4?", ["tell_name", "sum"]),
        ("Hi, I'm Sarah. What's your name?", ["tell_name", "who_are_you"]),
        ("My name is Anna and I live in Berlin.", ["tell_name", "tell_city"]),
        ("What's 7 times 8, and what's 3 plus 4?", ["sum", "sum"]),
        ("Okay. So, what's the time?", ["time"]),
        ("Thanks. Tell me another joke. And then a story. Stop!", ["joke", "stop"]),
        ("No, no. Stop! Stop!", ["stop"]),
        ("Tell me a. Story.", ["story"]),
        ("I want to order a pizza. What time is it?", ["time"]),
        ("could you maybe tell me the time right now", ["time"]),
        ("Actually, my name is Peter.", ["tell_name"]),
        ("Okay, Google, what's the weather?", ["weather"]),
    ],
)
def test_several_sentences_and_words_around_one_are_understood(text: str, intents: list[str]) -> None:
    assert meant(text) == intents


@pytest.mark.parametrize(
    "text",
    [
        "And Mr. John Dashwood had then leisure to consider how much there might prudently be in his power.",
        "How do I bake bread?",
        "They say it's going to rain tomorrow.",
        "How are you going to do that?",
        "What's the capital of France?",
        "I have 2 dogs and a cat.",
        "Set a timer for ten minutes.",
        "It's twenty-five.",
        "I'm German.",
        "It's Monday.",
        "I AM HERE",
        "My name is not Peter.",
        "I'm not Anna.",
        "Don't tell me a joke.",
        "I told you three times to stop.",
        "I waited for over three hours.",
        "Hello. I want to order a pizza.",
        "One, two, three.",
        "You.",
    ],
)
def test_what_no_rule_knows_is_not_guessed(text: str) -> None:
    assert meant(text) == []


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("My name is Anna.", "Anna"),
        ("my name's anna", "Anna"),
        ("I'm called Jean-Luc.", "Jean-Luc"),
        ("i'm called jean-luc", "Jean-Luc"),
        ("Um, my first name is McKenzie, thanks.", "McKenzie"),
        ("Hi, this is Mary Ann Smith.", "Mary Ann Smith"),
        ("My name is Mr. Dashwood. Hello!", "Mr Dashwood"),
        ("I’m Zoltan, nice to meet you.", "Zoltan"),
        ("Please call me Élodie now", "Élodie"),
        ("it's anna", "Anna"),
        ("Hello. My name is O'Neil and I live in New York.", "O'Neil"),
    ],
)
def test_a_name_is_kept_as_it_was_written(told: str, name: str) -> None:
    talk = conversation([("user", told), ("assistant", "Well."), ("user", "What's my name?")])
    assert respond(talk, NOW) == f"Your name is {name}."
    assert f"Nice to meet you, {name}." in respond(conversation([("user", told)]), NOW)


PIECES = st.lists(
    st.sampled_from(["plus", "2", "{", "what", "is", ".", "my name is", "%", "and", "count to"]), max_size=30
)


@given(st.text(max_size=300) | PIECES.map(" ".join))
@settings(deadline=None, derandomize=True)
def test_whatever_is_said_is_answered(text: str) -> None:
    assert respond(conversation([("user", text)]), NOW).strip()
