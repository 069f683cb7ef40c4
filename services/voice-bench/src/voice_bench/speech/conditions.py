"""How does a recording sound in noise, over a telephone, or from far below the usual level? Pure: PCM16 at 16 kHz."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pcm import AudioFormat, Clip, Encoding

from voice_bench.measure.clips import FRAME_SAMPLES, RATE_HZ

Samples = NDArray[np.float64]
"""Full scale is 1.0."""
Rng = np.random.Generator

TELEPHONE_HZ = (300, 3400)
QUIET_DB = -30.0
_MULAW = AudioFormat(Encoding.MULAW, 8000)
_FULL_SCALE = 32768
_ACTIVE = 1e-3
"""A frame counts as speech down to 30 dB below the loudest one's power."""
_PINK_FROM_HZ = 20.0


def clean(pcm16: bytes, rng: Rng) -> bytes:
    """As it is."""
    return pcm16


def noisy(snr_db: float) -> Callable[[bytes, Rng], bytes]:
    """White noise, `snr_db` below the mean power of the frames in which somebody speaks."""

    def add(pcm16: bytes, rng: Rng) -> bytes:
        samples = _samples(pcm16)
        level = np.sqrt(_speech_power(samples) / 10 ** (snr_db / 10))
        return pcm16_of(samples + level * white(len(samples), rng))

    return add


def telephone(pcm16: bytes, rng: Rng) -> bytes:
    """Nothing below 300 Hz and above 3400 Hz."""
    samples = _samples(pcm16)
    lines, hz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    lines[(hz < TELEPHONE_HZ[0]) | (hz > TELEPHONE_HZ[1])] = 0
    return pcm16_of(np.fft.irfft(lines, len(samples)))


def mulaw(pcm16: bytes, rng: Rng) -> bytes:
    """To 8 kHz µ-law and back."""
    narrow = Clip(pcm16, RATE_HZ).at(_MULAW.rate_hz).pcm16
    return Clip(_MULAW.decode(_MULAW.encode(narrow)), _MULAW.rate_hz).at(RATE_HZ).pcm16


def quiet(pcm16: bytes, rng: Rng) -> bytes:
    """30 dB lower, rounded to 16 bits again."""
    return pcm16_of(_samples(pcm16) * 10 ** (QUIET_DB / 20))


CONDITIONS: Mapping[str, Callable[[bytes, Rng], bytes]] = {
    "clean": clean,
    "noise-20dB": noisy(20),
    "noise-10dB": noisy(10),
    "telephone": telephone,
    "mulaw": mulaw,
    "quiet": quiet,
}


def white(count: int, rng: Rng) -> Samples:
    """Noise with the same power at every frequency; its RMS is 1."""
    return rng.normal(0, 1, count)


def pink(count: int, rng: Rng) -> Samples:
    """Noise whose power falls by 3 dB an octave, as that of rooms and streets; its RMS is 1."""
    lines, hz = np.fft.rfft(rng.normal(0, 1, count)), np.fft.rfftfreq(count, 1 / RATE_HZ)
    noise: Samples = np.fft.irfft(lines / np.sqrt(np.maximum(hz, _PINK_FROM_HZ)), count)
    noise /= np.sqrt(np.mean(noise**2))
    return noise


def pcm16_of(samples: Samples) -> bytes:
    """Rounded; what is louder than full scale is made quieter as a whole, so that ratios stay."""
    peak = np.max(np.abs(samples), initial=0.0)
    scaled = np.rint(samples / max(1.0, peak) * (_FULL_SCALE - 1))
    return bytes(scaled.astype("<i2").tobytes())


def _samples(pcm16: bytes) -> Samples:
    return np.frombuffer(pcm16, "<i2") / (_FULL_SCALE - 1)


def _speech_power(samples: Samples) -> float:
    """Mean square of the 20 ms frames that are not pauses; 0 for silence."""
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    powers = np.mean(frames**2, axis=1)
    loudest = np.max(powers, initial=0.0)
    return float(np.mean(powers[powers >= loudest * _ACTIVE])) if loudest else 0.0
