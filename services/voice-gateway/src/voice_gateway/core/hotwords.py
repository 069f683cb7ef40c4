"""Which words is recognition to expect? Those of the deployment, and those of the call, each with its boost."""

import math
from functools import lru_cache
from typing import TypeAlias

Hotwords: TypeAlias = tuple[tuple[str, float], ...]
"""Phrase and boost; 0 = the recogniser's default."""

MAX_HOTWORDS = 500
MAX_CHARS = 100
MAX_BOOST = 1000.0


@lru_cache(8)
def parse(text: str) -> Hotwords:
    """A list such as "Parakeet: 30, New York, Riva: 20", parted by commas or line ends. Raises ValueError."""
    found = tuple(_one(part.strip()) for part in text.replace("\n", ",").split(",") if part.strip())
    if len(found) > MAX_HOTWORDS:
        raise ValueError(f"has {len(found)} phrases; {MAX_HOTWORDS} are the most")
    return found


def joined(calls: Hotwords, deployments: Hotwords) -> Hotwords:
    """The call's, and those of the deployment that the call does not name itself."""
    named = {_key(phrase) for phrase, _ in calls}
    return (*calls, *(word for word in deployments if _key(word[0]) not in named))


def _one(part: str) -> tuple[str, float]:
    phrase, colon, number = part.rpartition(":")
    if not colon:
        phrase, number = part, "0"
    phrase = " ".join(phrase.split())
    try:
        boost = float(number)
    except ValueError:
        raise ValueError(
            f"{part[:MAX_CHARS]!r}: what follows the colon must be a number, such as Parakeet: 30"
        ) from None
    if not phrase:
        raise ValueError(f"{part[:MAX_CHARS]!r} has no phrase before the colon")
    if len(phrase) > MAX_CHARS:
        raise ValueError(f"a phrase has {len(phrase)} characters; {MAX_CHARS} are the most")
    if not math.isfinite(boost) or abs(boost) > MAX_BOOST:
        raise ValueError(f"{phrase!r} has the boost {number.strip()}; it must be {-MAX_BOOST:g} to {MAX_BOOST:g}")
    return phrase, boost


def _key(phrase: str) -> str:
    return " ".join(phrase.casefold().split())
