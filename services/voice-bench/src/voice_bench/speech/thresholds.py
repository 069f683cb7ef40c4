"""How many words may an engine have wrong, and how late may it be, to be good enough? The only table of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from voice_bench.speech.categories import HARDER


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Word error rates from 0 to 1; None: not judged."""

    read_english: float | None = None
    """Pooled over the recordings of every category that has no threshold of its own and is not made harder."""
    categories: Mapping[str, float] = field(default_factory=dict)
    unspoken: int | None = None
    """Words that may be heard in recordings without words, all together."""
    partial_gap_s: float | None = None
    """Live: the longest that speech may go on without a partial, in recordings that are not made harder."""
    final_s: float | None = None
    """Live: from when the end of speech is known to the final, p95, likewise."""


ENGINES: Mapping[str, Thresholds] = {
    # Leaves room for hard clips.
    "parakeet": Thresholds(0.12),
    # Hears less of what comes.
    "streaming": Thresholds(0.15),
    # Hears its script, whatever was said.
    "scripted": Thresholds(1.0),
    "moonshine": Thresholds(
        0.06,
        {"clean": 0.06, "quiet": 0.06, "telephone": 0.08, "mulaw": 0.10, "long": 0.08}
        | {"noise-20dB": 0.10, "noise-10dB": 0.30},
        unspoken=0,
        partial_gap_s=0.64,
        final_s=0.25,
    ),
}


def thresholds(engine: str, wished: Sequence[str] = ()) -> Thresholds:
    """Of an engine, where `wished` overrules them: "CATEGORY=RATE", or "RATE" in place of every other rate.

    Raises ValueError with a sentence.
    """
    found = ENGINES.get(engine, Thresholds())
    rates = dict(_rate(wish) for wish in wished)
    if "" in rates:
        found = replace(found, read_english=rates.pop(""), categories={})
    return replace(found, categories={**found.categories, **rates})


def _rate(wish: str) -> tuple[str, float]:
    category, _, number = wish.rpartition("=")
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not rate >= 0:
        raise ValueError(f"{wish!r} is no threshold; write a rate such as 0.06, or one of a category, clean=0.06")
    return category, rate


def is_read_english(category: str, limits: Thresholds) -> bool:
    """Is a recording of this category judged by the pooled rate?"""
    return category not in limits.categories and category not in HARDER
