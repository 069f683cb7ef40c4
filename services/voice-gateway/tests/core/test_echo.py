"""A reply is known again when it comes back out of the caller's loudspeaker, and the caller is not taken for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.echo import is_echo

PLAYED = "Your table is booked for two, at 8 o'clock on Friday; we look forward to seeing you."
NUMBERS = frozenset(
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "nineteen", "twenty", "thirty", "ninety"]
)


@pytest.mark.parametrize(
    "heard",
    [
        "table is",
        "Your table is booked.",
        "your table was booked for two",
        "for 2 at eight oclock",
        "booked for two at eight o clock on friday",
        "friday we look forwards to seeing",
        "table is booked two at eight",
        "seeing you",
        "booked",
    ],
)
def test_what_was_played_is_echo(heard: str) -> None:
    assert is_echo(heard, PLAYED, NUMBERS, final=True)


@pytest.mark.parametrize(
    "heard",
    [
        "stop",
        "table for three please",
        "no not at eight",
        "on Friday I can't",
        "your table is booked for two at eight no stop",
        "wait a moment your table is booked for two at eight o'clock",
        "three",
        "",
        "...",
    ],
)
def test_what_the_caller_says_is_none(heard: str) -> None:
    assert not is_echo(heard, PLAYED, NUMBERS, final=True)


@pytest.mark.parametrize(
    ("heard", "played", "echo"),
    [
        ("that is five dollars", "that is $5", True),
        ("that is five", "that is $5", True),
        ("at twenty five past", "at 25 past", True),
        ("at 25 past", "at twenty five past", True),
        ("for tw", "for two", True),
        ("caller 1 turn 2", "I have heard caller 1 turn 1 quite well", False),
        ("table for three", "a table for two", False),
        ("table for 3", "a table for 2", False),
        ("three", "a table for 8", False),
        ("caller 2 turn 2", "I have heard caller 2 turn 1 quite well", False),
        ("for 12 people at the table", "for 13 people at the table", False),
        ("a table for three", "a table for 2 at 8", False),
        ("a table for 3", "a table for two at eight", False),
        ("a table for two at eight", "a table for 2 at 8", True),
        ("at eight thirty", "a table at 8:30", True),
        ("at nine thirty", "a table at 8:30", False),
        ("on friday the twelfth", "on Friday the 12th", True),
        ("in nineteen ninety nine", "it was in 1999", True),
        ("call four one five", "call 415 555 1234", True),
    ],
)
def test_a_number_may_be_written_otherwise_and_must_be_the_same(heard: str, played: str, echo: bool) -> None:
    assert is_echo(heard, played, NUMBERS, final=False, language="en-US") is echo


def test_numbers_are_the_same_in_the_language_that_is_spoken() -> None:
    for tag, same, other, played in (
        ("de-DE", "um fünfundzwanzig", "um sechsundzwanzig", "um 25 geht es"),
        ("es-US", "para dos", "para tres", "una mesa para 2"),
    ):
        numbers = frozenset(["fünfundzwanzig", "sechsundzwanzig", "dos", "tres"])
        assert is_echo(same, played, numbers, final=True, language=tag)
        assert not is_echo(other, played, numbers, final=True, language=tag)


def test_in_a_language_that_says_no_numbers_any_may_be_meant() -> None:
    assert is_echo("टेबल तीन", "टेबल 2", frozenset(["तीन"]), final=True, language="hi-IN")


def test_the_last_word_of_a_partial_may_be_unfinished() -> None:
    assert is_echo("your table is boo", PLAYED, final=False)
    assert is_echo("fo", PLAYED, final=False)
    assert not is_echo("fo", PLAYED, final=True)
    assert not is_echo("xy", PLAYED, final=False)


def test_words_far_apart_are_no_echo() -> None:
    assert not is_echo("your friday you", PLAYED, final=True)


def test_without_anything_played_nothing_is_echo() -> None:
    assert not is_echo("your table", "", final=True)
    assert not is_echo("", "", final=False)


WORDS = st.lists(st.text("abcdefghij", min_size=4, max_size=9), min_size=1, max_size=30, unique=True)
OTHERS = st.lists(st.text("qrstuvwxyz", min_size=4, max_size=9), min_size=1, max_size=10)


@settings(deadline=None)
@given(WORDS, st.data())
def test_any_stretch_of_what_was_played_is_its_echo(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first + 1, len(words)))
    heard = ", ".join(words[first:last]).upper() + "."
    assert is_echo(heard, " ".join(words), final=data.draw(st.booleans()))


@settings(deadline=None)
@given(WORDS, OTHERS, st.data())
def test_one_word_in_four_may_be_misheard_or_missing(words: list[str], others: list[str], data: st.DataObject) -> None:
    heard = list(words)
    for at in range(2, len(words) - 1, 4):
        heard[at] = data.draw(st.sampled_from([others[0], ""]))
    assert is_echo(" ".join(heard), " ".join(words), final=True)


@settings(deadline=None)
@given(WORDS, OTHERS, st.data())
def test_a_sentence_of_the_callers_own_with_our_words_in_it_is_no_echo(
    words: list[str], others: list[str], data: st.DataObject
) -> None:
    own = [*others, others[0]]  # two at least
    first = data.draw(st.integers(0, len(words) - 1))
    ours = words[first : first + data.draw(st.integers(0, 20))]
    place = data.draw(st.sampled_from(["before", "after", "around"]))
    heard = {"before": [*own, *ours], "after": [*ours, *own], "around": [*own, *ours, *own]}[place]
    assert not is_echo(" ".join(heard), " ".join(words), final=True)


@settings(deadline=None)
@given(OTHERS, WORDS, st.booleans())
def test_words_that_were_not_played_are_no_echo(others: list[str], words: list[str], final: bool) -> None:
    assert not is_echo(" ".join(others), " ".join(words), final=final)


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.booleans())
def test_any_text_gets_an_answer(heard: str, played: str, final: bool) -> None:
    assert is_echo(heard, played, NUMBERS, final=final) in (True, False)
