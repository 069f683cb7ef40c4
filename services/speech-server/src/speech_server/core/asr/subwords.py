"""How do a model's tokens become words, with times and confidence?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from speech_server.core.asr.asr_types import Hypothesis, Word

WORD_START = "\u2581"
"""A token that begins with this begins a word (SentencePiece)."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """One token of a decode."""

    token: int
    frame: int
    """Number of the encoder's frame it was found in."""
    frames: int = 1
    """How many frames it lasts, as far as the model says."""
    logprob: float = 0.0


def hypothesis(emitted: Sequence[Emitted], vocabulary: Sequence[str], frame_s: float) -> Hypothesis:
    """Text, words and confidence; a word's confidence is the geometric mean of its tokens' probabilities.

    Tokens in angle brackets (`<unk>`, language marks) are no text. Times never overlap and never go back.
    """
    groups: list[list[Emitted]] = []
    for one in emitted:
        piece = vocabulary[one.token]
        if is_mark(piece):
            continue
        if piece.startswith(WORD_START) or not groups:
            groups.append([])
        groups[-1].append(one)
    words: list[Word] = []
    for group in groups:
        text = "".join(vocabulary[one.token] for one in group).replace(WORD_START, " ").strip()
        if text:
            start_s = max(group[0].frame * frame_s, words[-1].end_s if words else 0.0)
            end_s = max((group[-1].frame + max(1, group[-1].frames)) * frame_s, start_s)
            words.append(Word(text, start_s, end_s, _confidence(group)))
    return joined(words)


def joined(words: Sequence[Word]) -> Hypothesis:
    """Words as a hypothesis; its confidence is their mean."""
    confidence = sum(word.confidence for word in words) / len(words) if words else 0.0
    return Hypothesis(" ".join(word.text for word in words), tuple(words), confidence)


def shifted(words: Sequence[Word], by_s: float) -> tuple[Word, ...]:
    """The same words, later."""
    return tuple(Word(word.text, word.start_s + by_s, word.end_s + by_s, word.confidence) for word in words)


def is_mark(piece: str) -> bool:
    """Is the token no text (`<unk>`, a language)?"""
    return piece.startswith("<") and piece.endswith(">") and len(piece) > 2


def _confidence(group: Sequence[Emitted]) -> float:
    return min(1.0, math.exp(sum(one.logprob for one in group) / len(group)))
