"""How does a stream change its sample rate without a seam between chunks?"""

import numpy as np
import soxr


class Resampler:
    """Streaming PCM16 mono resampler; keeps its filter state from chunk to chunk.

    Output lags input by the filter's delay (a few milliseconds); `flush` releases it at the end.
    Equal rates pass through untouched.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        # MQ: the shortest filter that keeps speech clean; less delay is worth more here than a steep edge.
        self._stream = None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="MQ")

    def push(self, pcm16: bytes) -> bytes:
        """The samples that are ready after `pcm16` (whole samples, possibly none)."""
        return pcm16 if self._stream is None else self._run(pcm16, last=False)

    def flush(self) -> bytes:
        """The rest of the stream. The resampler must not be used afterwards."""
        return b"" if self._stream is None else self._run(b"", last=True)

    def _run(self, pcm16: bytes, *, last: bool) -> bytes:
        assert self._stream is not None
        chunk = self._stream.resample_chunk(np.frombuffer(pcm16, dtype="<i2"), last=last)
        return bytes(chunk.tobytes())
