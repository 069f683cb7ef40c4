"""What is heard where nobody speaks? Silence, noise and tones, whose transcripts are empty. Pure: PCM16 at 16 kHz."""

from collections.abc import Mapping, Sequence

import numpy as np

from voice_bench.measure.clips import RATE_HZ
from voice_bench.speech.conditions import Rng, Samples, pcm16_of, pink, white

LENGTH_S = 5.0
NOISE_DBFS = (-60, -50, -40, -30, -20)
"""RMS levels: from a quiet room to a machine beside the microphone."""
TONE_LEVEL = 0.2
"""Peak of music and signals, of full scale."""
_HISS_DBFS = -80
_CHORDS = ((220.0, 277.18, 329.63), (196.0, 246.94, 293.66), (174.61, 220.0, 261.63), (164.81, 207.65, 246.94))
"""A, G, F, E major; Hz."""
_MELODY = (440.0, 493.88, 523.25, 587.33, 659.26, 587.33, 523.25, 493.88)
_DTMF_ROWS, _DTMF_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)


def non_speech(rng: Rng) -> Mapping[str, Mapping[str, bytes]]:
    """Recordings by category and name, `LENGTH_S` each."""
    count = round(LENGTH_S * RATE_HZ)
    noise = {
        f"{name}{dbfs}dBFS": pcm16_of(_gain(dbfs) * make(count, rng))
        for name, make in (("white", white), ("pink", pink))
        for dbfs in NOISE_DBFS
    }
    return {
        "silence": {"zeros": bytes(2 * count), "hiss": pcm16_of(_gain(_HISS_DBFS) * white(count, rng))},
        "noise-only": noise,
        "tones": {name: pcm16_of(TONE_LEVEL * made) for name, made in _tones(count).items()},
    }


def _tones(count: int) -> Mapping[str, Samples]:
    at_s = np.arange(count) / RATE_HZ
    sweep_hz = 100 * 40 ** (at_s / LENGTH_S)  # 100 Hz to 4 kHz
    keys = [(row, column) for row in _DTMF_ROWS for column in _DTMF_COLUMNS]
    return {
        "chords": _notes(count, _CHORDS, decay_s=1.0, overtones=4),
        "melody": _notes(count, [(hz,) for hz in _MELODY], decay_s=0.4, overtones=6),
        "sweep": np.sin(2 * np.pi * np.cumsum(sweep_hz) / RATE_HZ),
        "dtmf": _notes(count, keys, decay_s=np.inf, overtones=1, pause=0.5),
        "dial": (np.sin(2 * np.pi * 350 * at_s) + np.sin(2 * np.pi * 440 * at_s)) / 2,
    }


def _notes(
    count: int, chords: Sequence[Sequence[float]], *, decay_s: float, overtones: int, pause: float = 0.0
) -> Samples:
    """One chord after another, as long each; `pause` is the silent part at its end. Peak 1 or less."""
    length = count // len(chords)
    at_s = np.arange(length) / RATE_HZ
    shape = np.exp(-at_s / decay_s) * (at_s < (1 - pause) * length / RATE_HZ)
    found = np.zeros(count)
    for number, chord in enumerate(chords):
        strings = [np.sin(2 * np.pi * hz * part * at_s) / part for hz in chord for part in range(1, overtones + 1)]
        most = len(chord) * sum(1 / part for part in range(1, overtones + 1))
        found[number * length : (number + 1) * length] = shape * np.sum(strings, axis=0) / most
    return found


def _gain(dbfs: float) -> float:
    return float(10 ** (dbfs / 20))
