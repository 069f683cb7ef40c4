"""How is a whole recording cut for an engine? The detector scores it, `core.sections` decides, these are the clips."""

import numpy as np
import numpy.typing as npt

from speech_server.core.sections import Section, sections
from speech_server.ports import ASR_RATE_HZ, VoiceActivityDetector

PIECE_BYTES = 2 * 10 * ASR_RATE_HZ
"""Ten seconds: the detector is asked so much at once."""


async def found_sections(detector: VoiceActivityDetector, pcm16: bytes, longest_s: float) -> list[Section]:
    """The stretches of speech in the recording, none longer than `longest_s`."""
    activity = detector.open()
    try:
        scores: list[float] = []
        for start in range(0, len(pcm16), PIECE_BYTES):
            scores += await activity.score(pcm16[start : start + PIECE_BYTES])
        return sections(scores, activity.frame_s, longest_s)
    finally:
        activity.close()


def clip_of(pcm16: bytes, section: Section) -> bytes:
    """The section's audio, whole samples."""
    start, end = (2 * int(at * ASR_RATE_HZ) for at in (section.start_s, section.end_s))
    return pcm16[start:end]


def as_floats(pcm16: bytes) -> npt.NDArray[np.float32]:
    """Samples -1..1."""
    return np.frombuffer(pcm16, "<i2").astype(np.float32) / np.float32(32768)
