"""Are words compared as they are spoken, however a recogniser writes them?"""

import pytest
from voice_bench.measure.word_errors import errors


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("go forward ten meters", "Go forward, 10 metres!"),
        ("five five", "5, 5."),
        ("five five", "55"),
        ("one two three", "1 2 3"),
        ("ten of clubs", "10 of Clubs."),
        ("one of them", "1 of them"),
        ("nineteen ninety eight", "1998"),
        ("and mister john dashwood", "And Mr. John Dashwood,"),
        ("what is seven times eight", "What's 7 times 8?"),
        ("an ill disposed young man", "An ill-disposed young man."),
    ],
)
def test_a_way_of_writing_is_no_error(said: str, heard: str) -> None:
    assert errors([(said, heard)]).wrong == 0


def test_wrong_words_are_pooled_over_all_recordings() -> None:
    found = errors([("Go forward, ten meters!", "go forward ten meters"), ("nine", ""), ("a b", "a c d")])
    assert (found.words, found.wrong, found.rate) == (7, 3, 3 / 7)


def test_where_nothing_was_said_every_word_is_wrong_and_there_is_no_rate() -> None:
    found = errors([("", "you too"), ("", "...")])
    assert (found.words, found.wrong, found.rate, found.percent) == (0, 2, None, None)
    assert errors([]).rate is None


def test_words_of_another_language_are_left_as_they_are() -> None:
    found = errors([("der one ist zehn", "Der one ist 10!")], "de-DE")
    assert (found.words, found.wrong) == (4, 1)
