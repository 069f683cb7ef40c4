"""Where may a text be cut, so that its first part can be spoken while the rest is made? Pure.

Sentences first; the first one is cut at a comma where it is long, so that speech begins soon.
"""

import re
from dataclasses import dataclass

_SENTENCE = re.compile(r"[^.!?…।\n]*(?:[.!?…।]+[\"')\]]*(?=\s|$)|\n|$|[.!?…।])")
_CLAUSE = re.compile(r"(?<=[,;:—])\s+")
FIRST_CHARACTERS = 60
"""A first phrase longer than this is cut at a comma."""
MOST_CHARACTERS = 300
"""No phrase is longer: a model takes so many symbols."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a text that is spoken in one go."""

    text: str
    speed: float = 1.0
    """Times the voice's own."""
    pause_s: float = 0.0
    """Silence after it, beyond what its punctuation brings."""


def cut(text: str, first: bool = True) -> list[str]:
    """Phrases of a plain text, in order, blank ones left out."""
    pieces: list[str] = []
    sentences = [found[0] for found in _SENTENCE.finditer(text)]
    joined = _join_numbers(sentences)
    for sentence in joined:
        stripped = " ".join(sentence.split())
        if not stripped:
            continue
        is_first = first and not pieces
        clauses = _CLAUSE.split(stripped) if len(stripped) > (FIRST_CHARACTERS if is_first else MOST_CHARACTERS) else []
        pieces += _limited(_packed(clauses, is_first) if clauses else [stripped])
    return pieces


def _join_numbers(sentences: list[str]) -> list[str]:
    """ "3.5" is no end of a sentence: a piece goes on where the next begins without a space."""
    joined: list[str] = []
    for sentence in sentences:
        if joined and sentence and not sentence[0].isspace() and joined[-1] and not joined[-1].endswith("\n"):
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return joined


def _packed(clauses: list[str], is_first: bool) -> list[str]:
    """The first clause alone, the others together as far as they may be."""
    packed: list[str] = []
    for clause in clauses:
        fits = packed and len(packed[-1]) + len(clause) < MOST_CHARACTERS
        if fits and not (is_first and len(packed) == 1):
            packed[-1] += f" {clause}"
        else:
            packed.append(clause)
    return packed


def _limited(phrases: list[str]) -> list[str]:
    limited: list[str] = []
    for phrase in phrases:
        while len(phrase) > MOST_CHARACTERS:
            at = phrase.rfind(" ", 1, MOST_CHARACTERS)
            at = at if at > 0 else MOST_CHARACTERS
            limited.append(phrase[:at].strip())
            phrase = phrase[at:].strip()
        limited.append(phrase)
    return limited
