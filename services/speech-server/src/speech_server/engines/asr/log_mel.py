"""What does an encoder see of audio? NeMo's log-mel frames, in float32 as NeMo computes them.

One frame every 10 ms, of 25 ms under a Hann window around it: pre-emphasis 0.97, power spectrum of 512 points, mel bank
(the one in onnx-asr's wheel), log(x + 2^-24).
"""

from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt
import onnx_asr.preprocessors

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.engines.onnx.transducer import Floats

HOP = ASR_RATE_HZ // 100
POINTS, WINDOW = 512, 400
BINS = POINTS // 2 + 1
FLOOR = np.float32(2.0**-24)
_PRE_EMPHASIS = np.float32(0.97)


def emphasised(samples: Floats, last: float) -> Floats:
    """Samples after pre-emphasis; `last` is the sample before them."""
    found = samples.copy()
    found[1:] -= _PRE_EMPHASIS * samples[:-1]
    found[:1] -= _PRE_EMPHASIS * np.float32(last)
    return found


def power(samples: Floats, frames: int) -> Floats:
    """[frames, bins] of pre-emphasised samples; the first frame begins at the first of them."""
    views = np.lib.stride_tricks.sliding_window_view(samples, POINTS)[::HOP][:frames]
    # numpy's types say float64, but what is float32 stays so.
    spectrum: npt.NDArray[np.complex64] = np.fft.rfft(views * _window())  # type: ignore[assignment]
    found: Floats = spectrum.real**2
    found += spectrum.imag**2
    return found


def log_mel(spectra: Floats, mel_bands: int) -> Floats:
    """[frames, mel] of [frames, bins]."""
    mel: Floats = spectra @ _bank(mel_bands)
    mel += FLOOR
    return np.log(mel, out=mel)


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
