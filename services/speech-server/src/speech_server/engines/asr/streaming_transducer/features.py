"""What does the encoder see of audio that comes piece by piece? NeMo's log-mel frames, the same as of the whole.

One frame every 10 ms, of 25 ms under a Hann window around it: pre-emphasis 0.97, power spectrum of 512 points, mel bank
(the one in onnx-asr's wheel), log(x + 2^-24). Not normalised: that is how streaming models are trained.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
import onnx_asr.preprocessors

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.engines.onnx.transducer import Floats

HOP = ASR_RATE_HZ // 100
POINTS, WINDOW = 512, 400
PRE_EMPHASIS = 0.97
FLOOR = 2.0**-24


@dataclass(slots=True)
class AudioTail:
    """One utterance's audio that frames are still made of."""

    rest: Floats = field(default_factory=lambda: np.zeros(POINTS // 2, np.float32))
    """Pre-emphasised samples; the first frame stands on the first sample, with silence before it."""
    last: float = 0.0


def push(tail: AudioTail, samples: Floats, mel_bands: int) -> Floats:
    """The frames [time, mel] that these samples (16 kHz, -1..1) complete."""
    if samples.size:
        before = np.concatenate(([np.float32(tail.last)], samples[:-1]))
        emphasised = samples - np.float32(PRE_EMPHASIS) * before
        tail.rest = np.concatenate((tail.rest, emphasised.astype(np.float32)))
        tail.last = float(samples[-1])
    ready = (len(tail.rest) - POINTS) // HOP + 1
    if ready <= 0:
        return np.zeros((0, mel_bands), np.float32)
    views = np.lib.stride_tricks.sliding_window_view(tail.rest, POINTS)[::HOP][:ready]
    power = np.abs(np.fft.rfft(views * _window(), POINTS)).astype(np.float32) ** 2
    tail.rest = tail.rest[ready * HOP :].copy()
    found: Floats = np.log(power @ _bank(mel_bands) + np.float32(FLOOR)).astype(np.float32)
    return found


@lru_cache
def _window() -> Floats:
    side = (POINTS - WINDOW) // 2
    return np.pad(np.hanning(WINDOW), (side, side)).astype(np.float32)


@lru_cache
def _bank(mel_bands: int) -> Floats:
    place = files(onnx_asr.preprocessors).joinpath("data").joinpath("fbanks.npz")
    with as_file(place) as path, np.load(path) as banks:
        bank: Floats = banks[f"nemo{mel_bands}"].astype(np.float32)
    return bank
