"""Is somebody speaking? Silero's model, one for all streams of a process."""

from vad.detector import SileroDetector
from vad.model import FRAME_S, FRAME_SAMPLES, RATE_HZ, ModelMissing
from vad.stream import OnScores, SileroStream

__all__ = ["FRAME_S", "FRAME_SAMPLES", "RATE_HZ", "ModelMissing", "OnScores", "SileroDetector", "SileroStream"]
