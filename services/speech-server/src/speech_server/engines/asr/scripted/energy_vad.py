"""Is a frame speech? Loud enough is, for recordings and tones without noise."""

from collections.abc import Sequence

from pcm import SAMPLE_BYTES, Framer, dbfs

from speech_server.core.asr.asr_types import ASR_RATE_HZ


class EnergyActivity:
    """One stream: probability 1.0 at or above the threshold, else 0.0."""

    def __init__(self, threshold_dbfs: float, frame_ms: int) -> None:
        self._threshold_dbfs = threshold_dbfs
        self.frame_s = frame_ms / 1000
        self._framer = Framer(ASR_RATE_HZ * frame_ms // 1000 * SAMPLE_BYTES)

    async def score(self, pcm16: bytes) -> Sequence[float]:
        """Probabilities of the frames completed by this audio."""
        return [float(dbfs(frame) >= self._threshold_dbfs) for frame in self._framer.push(pcm16)]

    def close(self) -> None:
        """Nothing is kept."""


class EnergyDetector:
    """Any number of streams; no model, no thread."""

    def __init__(self, threshold_dbfs: float, frame_ms: int) -> None:
        self._threshold_dbfs = threshold_dbfs
        self._frame_ms = frame_ms

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to free."""

    def open(self) -> EnergyActivity:
        """A detector for one stream."""
        return EnergyActivity(self._threshold_dbfs, self._frame_ms)
