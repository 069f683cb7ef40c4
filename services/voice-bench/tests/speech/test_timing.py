"""When did words of a live stream appear?"""

import pytest
from voice_bench.speech.timing import Result, Timing, timing

SPEECH = ((1.0, 2.0), (2.5, 3.5))
"""A word of nine letters in each stretch is over at its end."""


def test_an_utterance_tells_first_word_words_gap_and_final() -> None:
    results = [
        Result(1.4, ""),
        Result(1.5, "sometimes"),
        Result(3.0, "sometimes surprised"),
        Result(4.4, "Sometimes surprised.", True),
    ]
    found = timing(results, SPEECH)
    assert found.first_words == pytest.approx([0.5])
    assert found.finals == pytest.approx([0.9])
    # Half a second in the first stretch and half a second in the second, without the pause between them.
    assert found.gaps == pytest.approx([1.0])
    # The last of 20 letters and spaces ends with the speech.
    assert found.words == pytest.approx([-0.5, -0.5], abs=0.1)


def test_speech_after_the_last_partial_is_a_gap_and_no_partial_is_none() -> None:
    assert timing([Result(1.2, "a"), Result(4, "a b", True)], SPEECH).gaps == pytest.approx([1.8])
    only_final = timing([Result(4, "a b", True)], SPEECH)
    assert (only_final.gaps, only_final.first_words) == ([], [3.0])


def test_a_word_counts_from_when_so_many_are_shown_first() -> None:
    shown = [Result(1.5, "a"), Result(2.0, "a b"), Result(2.1, "b"), Result(4, "a b c", True)]
    _, second, third = timing(shown, ((1.0, 1.6),)).words
    assert [second, third] == pytest.approx([2.0 - 1.4, 4 - 1.6])


def test_each_utterance_has_its_own_speech() -> None:
    found = timing([Result(2.4, "one", True), Result(4.0, "two", True)], SPEECH)
    assert found.finals == pytest.approx([0.4, 0.5])
    assert found.first_words == pytest.approx([1.4, 1.5])


def test_what_says_nothing_tells_nothing() -> None:
    assert timing([], SPEECH) == Timing()
    assert timing([Result(4, "", True)], SPEECH) == Timing()
    assert timing([Result(0.5, "you", True)], SPEECH) == Timing(), "before anybody spoke"
    assert timing([Result(2.2, "you")], SPEECH) == Timing(), "without a final"


def test_streams_are_counted_together() -> None:
    every = Timing()
    every.add(Timing([1], [2], [3], [4]))
    every.add(Timing([5], [], [], [8]))
    assert every == Timing([1, 5], [2], [3], [4, 8])
