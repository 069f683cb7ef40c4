"""What does a model of Whisper's family hear? Log-mel features of the last 8 s of a call's audio, in numpy.

As Whisper's own extractor makes them: zero mean and unit variance, windows of 25 ms every 10 ms, 80 mel bands of
Slaney's scale, decimal logarithms within 80 dB of the loudest, about -1 to 1. Shorter audio has silence before it.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from voice_gateway.core.events import INPUT_RATE_HZ

WINDOW_S = 8.0
BANDS, FRAMES = 80, 800
_SAMPLES = round(WINDOW_S * INPUT_RATE_HZ)
_FFT, _HOP = 400, 160
_FLOOR, _RANGE = 1e-10, 8.0
_LEAST_VARIANCE = 1e-7
_LINEAR_HZ, _BREAK_HZ, _LOG_STEP = 200.0 / 3.0, 1000.0, np.log(6.4) / 27.0
"""Slaney's scale: linear up to 1000 Hz, 27 bands for a factor of 6.4 above."""

Floats = npt.NDArray[np.float32]


def log_mel(pcm16: bytes) -> Floats:
    """Features (bands, frames) of the end of `pcm16` at 16 kHz. Blocking: some 5 ms."""
    said = np.frombuffer(pcm16, dtype="<i2")[-_SAMPLES:]
    audio = np.zeros(_SAMPLES, dtype=np.float32)
    if len(said):
        audio[-len(said) :] = said / np.float32(32768)
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + np.float32(_LEAST_VARIANCE))
    frames = sliding_window_view(np.pad(audio, _FFT // 2, mode="reflect"), _FFT)[::_HOP][:FRAMES]
    # All frames of the silence before are alike: one stands for them. It ends where a window touches the first sample.
    alike = max(0, (_SAMPLES - len(said) - _FFT // 2) // _HOP)
    spectrum = np.fft.rfft(frames[alike:] * _window())
    bands = _filters() @ (spectrum.real**2 + spectrum.imag**2).T
    if alike:
        bands = np.concatenate([np.repeat(bands[:, :1], alike, axis=1), bands], axis=1)
    levels = np.log10(np.maximum(bands, _FLOOR))
    levels = np.maximum(levels, levels.max() - _RANGE)
    return np.asarray((levels + 4.0) / 4.0, dtype=np.float32)


@cache
def _window() -> Floats:
    return np.hanning(_FFT + 1)[:-1].astype(np.float32)


@cache
def _filters() -> Floats:
    """One triangle a band, of the same area: (bands, bins)."""
    bins = np.linspace(0.0, INPUT_RATE_HZ / 2, _FFT // 2 + 1)
    edges = _to_hz(np.linspace(0.0, _to_mel(INPUT_RATE_HZ / 2), BANDS + 2))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return np.asarray(triangles * 2.0 / (high - low), dtype=np.float32)


def _to_mel(hz: float) -> float:
    """Of a frequency above the break."""
    return float(_BREAK_HZ / _LINEAR_HZ + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = np.maximum(mel - _BREAK_HZ / _LINEAR_HZ, 0.0)
    return np.asarray(np.minimum(mel * _LINEAR_HZ, _BREAK_HZ) * np.exp(_LOG_STEP * above), dtype=np.float64)
