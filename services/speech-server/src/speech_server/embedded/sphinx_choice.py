"""Which of several decoders is right, and how much of what it heard may be told already? Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from speech_server.ports import Hypothesis, Word

FRAME_S = 0.01
"""The decoder counts in frames of this length."""

GRAMMAR_SIMILARITY = 0.4
"""Measured: sentences inside a grammar come out at 0.34..1 beside the open language model, others below 0.34."""

SENTENCES_SIMILARITY = 0.6
"""The same for a language model of example sentences, which bends further towards what it does not know: 0.55..1."""

SETTLING_FRAMES = 10
"""A pause this long after a word settles it."""

_FILLER = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+|\(NULL\)")
_VARIANT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of frames and the word or filler the decoder puts there; probability 0..1, 0 = not known."""

    word: str
    first_frame: int
    last_frame: int
    probability: float = 0.0

    @property
    def is_filler(self) -> bool:
        """Silence, noise, a sentence boundary, or a step inside a grammar that takes no sound."""
        return _FILLER.fullmatch(self.word) is not None


def settled(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """A partial without its last word, unless a pause follows it.

    The last word of a partial is a guess at a word half spoken ("go for", "goof", "go forward"); whoever acts on
    partials is better off without it. Words before it change much more rarely.
    """
    last = max((at for at, segment in enumerate(segments) if not segment.is_filler), default=None)
    if last is None:
        return tuple(segments)
    pause = segments[-1].last_frame - segments[last].last_frame
    return tuple(segments if pause >= SETTLING_FRAMES else segments[:last])


def hypothesis(segments: Iterable[Segment], weight: float = 1.0) -> Hypothesis:
    """Words with their times; confidences are posteriors times `weight`, and their mean is the hypothesis' own.

    Fillers are left out, and the marks that tell variants of a pronunciation apart.
    """
    words = tuple(
        Word(
            _VARIANT.sub("", segment.word),
            round(segment.first_frame * FRAME_S, 2),
            round((segment.last_frame + 1) * FRAME_S, 2),
            round(segment.probability * weight, 3),
        )
        for segment in segments
        if not segment.is_filler
    )
    mean = sum(word.confidence for word in words) / len(words) if words else 0.0
    return Hypothesis(" ".join(word.text for word in words), words, round(mean, 3))


def plain(text: str) -> str:
    """The words of a decoder's own text, fillers and marks of variants left out."""
    return " ".join(_VARIANT.sub("", word) for word in text.split() if not _FILLER.fullmatch(word))


def similarity(one: str, other: str) -> float:
    """0..1: how many characters two texts share, in order; 0 when one is empty."""
    return Levenshtein.normalized_similarity(one, other) if one and other else 0.0


def chosen(
    free: tuple[Segment, ...], narrow: Iterable[tuple[tuple[Segment, ...], float]]
) -> tuple[tuple[Segment, ...], float]:
    """What to believe, and the weight of its confidence.

    A narrow decoder (segments, least similarity) hears one of its sentences in everything; the open one, `free`,
    hears roughly what was said. The first narrow one near enough to the open one wins, and that nearness is its
    weight: its own posteriors are always near 1, for want of alternatives.
    """
    text = hypothesis(free).text
    for segments, least in narrow:
        near = similarity(hypothesis(segments).text, text)
        if near >= least:
            return segments, near
    return free, 1.0
