"""Is a frame loud enough to be speech at all? What is quieter counts as silence, whatever the detector thinks of it."""

from collections.abc import Sequence

from pcm import SAMPLE_BYTES, Framer, dbfs

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.interfaces import VoiceActivity


class LevelGate:
    """A detector's frames, those below `quietest_dbfs` (RMS) silenced."""

    def __init__(self, activity: VoiceActivity, quietest_dbfs: float) -> None:
        self._activity = activity
        self.frame_s = activity.frame_s
        self._quietest_dbfs = quietest_dbfs
        self._framer = Framer(round(activity.frame_s * ASR_RATE_HZ) * SAMPLE_BYTES)

    async def score(self, pcm16: bytes) -> Sequence[float]:
        """Probabilities of the frames completed by this audio."""
        levels = [dbfs(frame) for frame in self._framer.push(pcm16)]
        scores = await self._activity.score(pcm16)
        return [score if level >= self._quietest_dbfs else 0.0 for score, level in zip(scores, levels, strict=True)]

    def close(self) -> None:
        """Forget the stream."""
        self._activity.close()
