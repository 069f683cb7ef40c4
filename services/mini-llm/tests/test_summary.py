"""A long call is summarised by what its caller said, and the summary is understood again."""

from datetime import datetime

from mini_llm.conversation import conversation
from mini_llm.responder import respond
from mini_llm.summary import MOST_WORDS, asks_for_summary, summarise

NOW = datetime(2026, 3, 3, 15, 5)
REQUEST = (
    "Language: en-US\n\nNotes so far:\nCaller: My name is Rosa.\n\nSaid since:\n"
    "Caller: What can you do?\nAgent: I can count.\nCaller: My favorite color is green.\nCaller: Tell me a joke."
)


def answer(*said: str, notes: str) -> str:
    system = f"You are Clara.\n\nNotes of what was said earlier in this call:\n{notes}"
    return respond(conversation([("system", system), *(("user", text) for text in said)]), NOW)


def test_only_a_call_to_be_summarised_is_summarised() -> None:
    assert asks_for_summary(REQUEST)
    assert asks_for_summary("Said since:\nCaller: Hi.")
    assert not asks_for_summary("What has been said since: nothing?")


def test_notes_are_what_the_caller_said_with_facts_first() -> None:
    assert summarise(REQUEST, None).splitlines() == [
        "Caller: My name is Rosa.",
        "Caller: My favorite color is green.",
        "Caller: What can you do?",
        "Caller: Tell me a joke.",
    ]


def test_where_the_place_is_small_facts_and_the_newest_stay() -> None:
    assert summarise(REQUEST, 17).splitlines() == [
        "Caller: My name is Rosa.",
        "Caller: My favorite color is green.",
        "Caller: Tell me a joke.",
    ]
    long = "Said since:\n" + "\n".join(f"Caller: Count to {number}." for number in range(200))
    notes = summarise(long, None)
    assert MOST_WORDS - 4 <= len(notes.split()) <= MOST_WORDS
    assert notes.endswith("Caller: Count to 199.")


def test_of_a_call_without_words_that_is_noted() -> None:
    assert summarise("Said since:\nAgent: Hello.", None) == "Nothing was said yet."


def test_what_was_noted_is_remembered() -> None:
    notes = summarise(REQUEST, None)
    assert answer("What is my name?", notes=notes) == "Your name is Rosa."
    assert answer("What is my name?", notes="Nothing was said yet.") == (
        "You have not told me your name yet. What is it?"
    )
    assert "Clara" in answer("What is your name?", notes="Caller: You are Bob.")
