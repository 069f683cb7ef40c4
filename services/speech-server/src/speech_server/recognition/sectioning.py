"""How is a whole recording cut up? The detector scores it, `long_audio_split` decides: these are the clips."""

import numpy as np
import numpy.typing as npt

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.core.asr.long_audio_split import Section, sections
from speech_server.interfaces import VoiceActivityDetector

PIECE_BYTES = 2 * 10 * ASR_RATE_HZ
"""Ten seconds: the detector is asked so much at once."""
_HOP = ASR_RATE_HZ // 100
QUIETER_DB = 35.0
"""What is so much quieter than the loudest of a clip is no speech."""
WINDOW_S = 0.2
"""Shorter pauses stand inside words, too."""


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


def powers(clip: npt.NDArray[np.float32], hop: int) -> npt.NDArray[np.float32]:
    """Mean square of each `hop` samples; what is left at the end is left out."""
    means: npt.NDArray[np.float32] = np.square(clip[: len(clip) // hop * hop]).reshape(-1, hop).mean(axis=1)
    return means


def quietest_s(clip: npt.NDArray[np.float32], from_s: float, until_s: float) -> float:
    """The middle of the quietest WINDOW_S between two moments of a clip (16 kHz): where a word is least likely cut."""
    first, last = (int(at * ASR_RATE_HZ) for at in (from_s, until_s))
    power = powers(clip[first : max(last, first + _HOP)], _HOP)
    window = min(len(power), round(WINDOW_S * 100))
    smooth = np.convolve(power, np.ones(window), "valid")
    return from_s + (int(smooth.argmin()) + window / 2) / 100


def loud_part_s(clip: npt.NDArray[np.float32]) -> tuple[float, float]:
    """From the first to the last 10 ms of a clip (16 kHz) that are within QUIETER_DB of its loudest."""
    power = powers(clip, _HOP)
    loud = np.flatnonzero(power >= power.max(initial=0.0) * 10 ** (-QUIETER_DB / 10))
    return (float(loud[0]) / 100, float(loud[-1] + 1) / 100) if len(loud) else (0.0, len(clip) / ASR_RATE_HZ)
