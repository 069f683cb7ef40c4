"""Are the features those of Whisper's extractor? Compared with its formula, written down once more without an FFT."""

from math import cos, exp, log, pi

import numpy as np
import numpy.typing as npt
import pytest
from voice_gateway.backends.log_mel import BANDS, FRAMES, log_mel

RATE, SAMPLES, WINDOW, HOP = 16_000, 128_000, 400, 160


def tone(hz: float, seconds: float, level: float = 0.3) -> bytes:
    """A tone that swells, in some noise."""
    noise = np.random.default_rng(1)
    times = np.arange(round(seconds * RATE)) / RATE
    wave = level * np.sin(2 * pi * hz * times) * (0.2 + times / seconds) + noise.normal(0, 0.01, len(times))
    return (np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes()


def mel(hz: float) -> float:
    """Slaney's scale."""
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * log(hz / 1000) / log(6.4)


def hertz(mels: float) -> float:
    """Its inverse."""
    return 200 * mels / 3 if mels < 15 else 1000 * exp(log(6.4) * (mels - 15) / 27)


def weight(band: int, hz: float) -> float:
    """How much a frequency counts in a band."""
    low, centre, high = (hertz((band + step) * mel(RATE / 2) / (BANDS + 1)) for step in (0, 1, 2))
    rise, fall = (hz - low) / (centre - low), (high - hz) / (high - centre)
    return max(0.0, min(rise, fall)) * 2 / (high - low)


def by_definition(pcm16: bytes, frames: list[int]) -> npt.NDArray[np.float64]:
    """These frames, as a discrete Fourier sum in double precision; the loudest band must be in one of them."""
    said = np.frombuffer(pcm16, "<i2")[-SAMPLES:].astype(np.float64) / 32768
    audio = np.concatenate([np.zeros(SAMPLES - len(said)), said])
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    hann = np.array([0.5 - 0.5 * cos(2 * pi * n / WINDOW) for n in range(WINDOW)])
    angles = 2 * pi * np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW)) / WINDOW
    weights = np.array([[weight(band, k * RATE / WINDOW) for k in range(WINDOW // 2 + 1)] for band in range(BANDS)])
    columns = []
    for frame in frames:
        places = np.abs(np.arange(WINDOW) + frame * HOP - WINDOW // 2)  # reflected at the beginning
        places = np.where(places >= SAMPLES, 2 * (SAMPLES - 1) - places, places)  # and at the end
        windowed = audio[places] * hann
        power = (np.cos(angles) @ windowed) ** 2 + (np.sin(angles) @ windowed) ** 2
        columns.append(np.log10(np.maximum(weights @ power, 1e-10)))
    levels = np.array(columns).T
    return np.asarray((np.maximum(levels, levels.max() - 8) + 4) / 4, dtype=np.float64)


@pytest.mark.parametrize(
    ("pcm16", "loudest"),
    [(tone(440, 2.0), 799), (tone(3000, 8.0), 799), (tone(200, 9.5), 799), (tone(6000, 0.05), 798)],
    ids=["two seconds", "eight seconds", "more", "hardly any"],
)
def test_features_are_those_of_the_formula(pcm16: bytes, loudest: int) -> None:
    found = log_mel(pcm16)
    loudest = int(found.max(axis=0).argmax())
    frames = [0, 1, 300, 597, 598, 599, 600, 601, 700, 794, 795, 796, 797, 798, 799, loudest]
    assert found.shape == (BANDS, FRAMES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, frames], by_definition(pcm16, frames), atol=2e-3)


def test_all_frames_before_the_speech_are_computed_as_well() -> None:
    """The silence before is taken from one frame: what touches the speech is not."""
    found = log_mel(tone(440, 2.0))
    every = list(range(590, 615))
    loudest = int(found.max(axis=0).argmax())
    np.testing.assert_allclose(found[:, [*every, loudest]], by_definition(tone(440, 2.0), [*every, loudest]), atol=2e-3)


def test_silence_has_features_too() -> None:
    for silence in (b"", bytes(320), bytes(2 * SAMPLES)):
        found = log_mel(silence)
        assert found.shape == (BANDS, FRAMES)
        assert np.isfinite(found).all()
