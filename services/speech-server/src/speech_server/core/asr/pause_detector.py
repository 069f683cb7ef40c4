"""Has the speaker paused, perhaps for good? Probabilities of frames in, paused or resumed out."""

from typing import Literal

PAUSE_S = 0.2
"""Silence after which work ahead is worth its cost: shorter gaps are mostly inside sentences."""


class PauseDetector:
    """One utterance after another: `push` every frame of open utterances, `reset` between them."""

    def __init__(self, frame_s: float, offset: float) -> None:
        self._needed = max(1, round(PAUSE_S / frame_s))
        self._offset = offset
        self._silent = 0

    def push(self, probability: float) -> Literal["paused", "resumed"] | None:
        """What this frame has made true."""
        if probability >= self._offset:
            was_paused, self._silent = self._silent >= self._needed, 0
            return "resumed" if was_paused else None
        self._silent += 1
        return "paused" if self._silent == self._needed else None

    def reset(self) -> None:
        """Another utterance."""
        self._silent = 0
