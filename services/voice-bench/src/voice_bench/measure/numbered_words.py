"""How can a recogniser know exactly which words it was sent? Each word carries its number, at its first and at its last
frame, in samples that no speech has; between them it is real speech, which the gateway's detector takes for such.
"""

from collections.abc import Sequence

import numpy as np

from voice_bench.measure.clips import FRAME_BYTES, FRAME_S, Frames

WORD_S = 0.4
_WORD_FRAMES = round(WORD_S / FRAME_S)
_BEGINS, _ENDS = (12_345, -23_456), (23_456, -12_345)


def sentence(numbers: Sequence[int], clips: Sequence[Frames]) -> Frames:
    """These words, spoken in the voice of the clips."""
    voice = [frame for clip in clips for frame in clip]
    frames: list[bytes] = []
    for number in numbers:
        at = len(frames) % (len(voice) - _WORD_FRAMES)
        word = voice[at : at + _WORD_FRAMES]
        word[0] = _with_mark(word[0], (*_BEGINS, number))
        word[-1] = _with_mark(word[-1], (*_ENDS, number))
        frames += word
    return tuple(frames)


def text(numbers: Sequence[int]) -> str:
    """What a recogniser says of them."""
    return " ".join(f"w{number}" for number in numbers)


def words_in(pcm16: bytes) -> list[int]:
    """The words that are whole in this audio, in their order."""
    samples = np.frombuffer(pcm16[: len(pcm16) // 2 * 2], dtype="<i2")
    begun = set(_marks(samples, _BEGINS))
    return [number for number in _marks(samples, _ENDS) if number in begun]


def _with_mark(frame: bytes, mark: tuple[int, int, int]) -> bytes:
    content = np.array(mark, dtype="<i2").tobytes()
    half = FRAME_BYTES // 2
    return frame[:half] + content + frame[half + len(content) :]


def _marks(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]", mark: tuple[int, int]) -> list[int]:
    found = np.flatnonzero((samples[:-2] == mark[0]) & (samples[1:-1] == mark[1]))
    return [int(samples[at + 2]) for at in found]
