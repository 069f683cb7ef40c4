"""A phrase that is spoken twice is heard once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.continuation import Continuation

RATE_HZ = 1000
Words = tuple[tuple[str, float], ...]


def render(lengths: list[int]) -> bytes:
    """Word i lasts `lengths[i]` samples, and each of its samples says so."""
    return np.repeat(np.arange(1, len(lengths) + 1), lengths).astype("<i2").tobytes()


def timed(lengths: list[int]) -> Words:
    """As a voice tells them."""
    return tuple((f"w{n}", float(end) / RATE_HZ) for n, end in enumerate(np.cumsum(lengths), 1))


def heard(audio: bytes) -> list[int]:
    """The words in it, one after another."""
    values = np.frombuffer(audio, "<i2").tolist()
    return [value for n, value in enumerate(values) if n == 0 or values[n - 1] != value]


def speak(
    continuation: Continuation, lengths: list[int], until: int | None, chunk: int, *, tells: bool
) -> tuple[bytes, Words]:
    """One rendering in pieces, until sample `until`, None = to its end."""
    audio, told = b"", list[tuple[str, float]]()
    pcm16, words = render(lengths), list(timed(lengths)) if tells else []
    end = len(pcm16) // 2 if until is None else until
    for start in range(0, end, chunk):
        stop = min(start + chunk, end)
        now = tuple(word for word in words if word[1] * RATE_HZ <= stop)
        words = words[len(now) :]
        more, fresh = continuation.add(pcm16[2 * start : 2 * stop], now)
        audio += more
        told += fresh
    return (audio, tuple(told)) if until is not None else (audio + continuation.end(), tuple(told))


def test_one_rendering_passes_as_it_is() -> None:
    lengths = [10, 20, 30]
    assert speak(Continuation(RATE_HZ), lengths, None, 7, tells=True) == (render(lengths), timed(lengths))


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("dies_at", [0, 1, 10, 15, 29, 30, 59, 60])
def test_a_voice_that_renders_alike_goes_on_at_the_same_sample(dies_at: int, tells: bool) -> None:
    lengths = [10, 20, 30]
    continuation = Continuation(RATE_HZ)
    first, told = speak(continuation, lengths, dies_at, 4, tells=tells)
    continuation.render_again()
    second, more = speak(continuation, lengths, None, 4, tells=tells)
    assert first + second == render(lengths)
    assert told + more == (timed(lengths) if tells else ())


def test_a_voice_that_times_its_words_anew_goes_on_as_far_into_the_same_word() -> None:
    continuation = Continuation(RATE_HZ)
    first, told = speak(continuation, [10, 20, 30], 35, 5, tells=True)
    continuation.render_again()
    second, more = speak(continuation, [15, 26, 40], None, 5, tells=True)
    assert np.frombuffer(second, "<i2").tolist() == [3] * 35
    assert told + more == (("w1", 0.01), ("w2", 0.03), ("w3", 0.07))
    assert heard(first + second) == [1, 2, 3]


def test_a_voice_that_tells_its_words_too_late_goes_on_at_the_same_sample() -> None:
    continuation = Continuation(RATE_HZ)
    speak(continuation, [10, 2000], 15, 5, tells=True)
    continuation.render_again()
    second, _ = speak(continuation, [10, 2000], None, 100, tells=False)
    assert len(second) == 2 * 1995


def test_a_rendering_that_is_shorter_than_what_was_handed_out_adds_nothing() -> None:
    continuation = Continuation(RATE_HZ)
    speak(continuation, [10, 20], 25, 5, tells=False)
    continuation.render_again()
    assert speak(continuation, [8, 10], None, 5, tells=False) == (b"", ())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.integers(5, 60), min_size=4, max_size=4), min_size=2, max_size=4),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.integers(1, 50),
)
def test_every_word_is_heard_once_and_in_order_however_often_the_voice_breaks_off(
    renderings: list[list[int]], deaths: list[float], chunk: int
) -> None:
    continuation = Continuation(RATE_HZ)
    audio, words = b"", Words()
    for lengths, death in zip(renderings[:-1], deaths, strict=False):
        more, told = speak(continuation, lengths, round(death * sum(lengths)), chunk, tells=True)
        audio, words = audio + more, words + told
        continuation.render_again()
    more, told = speak(continuation, renderings[-1], None, chunk, tells=True)
    said = heard(audio + more)
    assert said == sorted(set(said))  # none twice
    assert [word for word, _ in words + told] == ["w1", "w2", "w3", "w4"]
    ends = [end for _, end in words + told]
    assert ends == sorted(ends)
