"""When is each word of a text said? At a speaking rate, by its letters; pauses stand in brackets: "five [1.2] six"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORDS_PER_MINUTE = 160.0
"""Of conversation; the seconds below are for this rate."""
_LETTER_S, _WORD_S = 0.055, 0.12
_PAUSE = re.compile(r"\[(\d+(?:\.\d+)?)\]")


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word and when it is said, seconds since its text began."""

    text: str
    start_s: float
    end_s: float


def timed(text: str, words_per_minute: float = _WORDS_PER_MINUTE) -> tuple[SaidWord, ...]:
    """The words of a text, one after the other. Example at the usual rate: "a table [0.5] please" is "a" until 0.175 s,
    "table" until 0.57 s, silence, and "please" from 1.07 s until 1.52 s."""
    return tuple(_timed(text, _WORDS_PER_MINUTE / words_per_minute))


def without_pauses(text: str) -> str:
    """The words alone."""
    return " ".join(_PAUSE.sub(" ", text).split())


def _timed(text: str, slower: float) -> Iterator[SaidWord]:
    at_s = 0.0
    for number, piece in enumerate(_PAUSE.split(text)):
        if number % 2:
            at_s += float(piece)
            continue
        for word in piece.split():
            end_s = at_s + (_WORD_S + _LETTER_S * sum(sign.isalnum() for sign in word)) * slower
            yield SaidWord(word, at_s, end_s)
            at_s = end_s
