"""How many words are wrong? Case, punctuation and spelling aside that say nothing about hearing."""

import re
from collections.abc import Iterable

import jiwer

_SPELT = {"mister": "mr", "10": "ten"}


def plain(text: str) -> str:
    """Lower-case words; "ill-disposed" is two."""
    words = re.sub(r"[^\w']+", " ", text.lower()).split()
    return " ".join(_SPELT.get(word, word) for word in words)


def wrong(pairs: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Words wrong, and words said, over pairs of (said, heard)."""
    said, heard = zip(*((plain(one), plain(other)) for one, other in pairs), strict=True)
    found = jiwer.process_words(list(said), list(heard))
    return found.substitutions + found.deletions + found.insertions, sum(len(one.split()) for one in said)
