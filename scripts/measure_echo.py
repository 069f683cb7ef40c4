"""Measure the echo canceller of `voice talk` in rooms that are computed: what is left of the echo, and of a talker?

The loudspeaker plays recordings (scripts/fetch_recordings.py), the room delays, reverberates and distorts them, and
another recording talks at the same time. Printed in dB: how much softer the echo is while only the loudspeaker is heard
(echo return loss enhancement, ERLE), in the first second of a reply and from the third on; and how much of the talker
is left.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pcm.compressed import read_recording
from voice_client.live.echo_canceller import EchoCanceller

Samples = npt.NDArray[np.float64]
RATE_HZ = 16_000
FRAME = 320
SEED = 7
ECHO_DBFS_BELOW_REPLY = 6.0
TALKER_DBFS = -20.0
NOISE_DBFS = -65.0
TALKS_FROM_S = 6.0
SETTLED_AFTER_S = 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """What lies between loudspeaker and microphone. `late_s`: how much later than played the echo is captured."""

    name: str
    late_s: float = 0.06
    reverberation_s: float = 0.35
    loss_db: float = ECHO_DBFS_BELOW_REPLY
    is_distorted: bool = True
    drift_ppm: float = 0.0


ROOMS = (
    Room("desk, linear", is_distorted=False),
    Room("desk"),
    Room("late devices", late_s=0.2),
    Room("devices that drift by 100 ppm", drift_ppm=100.0),
    Room("echo 6 dB louder than the reply", loss_db=-6.0),
    Room("hall", reverberation_s=0.8),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one room."""

    first_erle_db: float
    erle_db: float
    talker_db: float
    core_share: float


def echo(reply: Samples, room: Room) -> Samples:
    """What the microphone captures of `reply`."""
    random = np.random.default_rng(SEED)
    tail = round(room.reverberation_s * RATE_HZ)
    response = random.standard_normal(tail) * 10 ** (-3 * np.arange(tail) / tail) * 0.12
    response[0] += 1.0
    response[round(0.003 * RATE_HZ)] += 0.5
    response[round(0.007 * RATE_HZ)] -= 0.35
    played = np.tanh(2 * reply) / 2 if room.is_distorted else reply
    late = np.concatenate([np.zeros(round(room.late_s * RATE_HZ)), response])
    size = len(reply) + len(late)
    captured = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(late, size), size)[: len(reply)]
    if room.drift_ppm:
        captured = np.interp(np.arange(len(reply)) * (1 + room.drift_ppm * 1e-6), np.arange(len(reply)), captured)
    return np.asarray(captured * np.sqrt(power(reply) / power(captured)) * 10 ** (-room.loss_db / 20))


def cancelled(reply: Samples, captured: Samples) -> tuple[Samples, float]:
    """What the canceller of a call makes of it, and the seconds of CPU it took."""
    canceller = EchoCanceller(RATE_HZ, RATE_HZ)
    far, near = pcm16(reply), pcm16(captured)
    began, frames = time.process_time(), []
    for at in range(0, len(near) - 2 * FRAME, 2 * FRAME):
        canceller.played(far[at : at + 2 * FRAME])
        frames.append(canceller.clean(near[at : at + 2 * FRAME]))
    return samples(b"".join(frames)), time.process_time() - began


def measure(reply: Samples, talker: Samples, room: Room) -> Measured:
    """Once with the loudspeaker alone, once with the talker, too."""
    noise = np.random.default_rng(SEED).standard_normal(len(reply)) * 10 ** (NOISE_DBFS / 20)
    captured = echo(reply, room) + noise
    alone, cpu_s = cancelled(reply, captured)
    captured_alone = captured[: len(alone)]
    first = spoken(reply[: len(alone)]) & (np.arange(len(alone)) < RATE_HZ)
    settled = spoken(reply[: len(alone)]) & (np.arange(len(alone)) >= SETTLED_AFTER_S * RATE_HZ)
    speech = np.zeros(len(reply))
    begin = round(TALKS_FROM_S * RATE_HZ)
    said = talker[: len(reply) - begin] * 10 ** (TALKER_DBFS / 20) / np.sqrt(power(talker))
    speech[begin : begin + len(said)] = said
    both, _ = cancelled(reply, captured + speech)
    return Measured(
        first_erle_db=level(captured_alone[first]) - level(alone[first]),
        erle_db=level(captured_alone[settled]) - level(alone[settled]),
        talker_db=_gain_db(speech[begin : begin + len(said)], both[begin:]),
        core_share=cpu_s / (len(alone) / RATE_HZ),
    )


def _gain_db(said: Samples, heard: Samples) -> float:
    """How much of `said` is in `heard`, wherever the canceller's own delay (some milliseconds) has put it."""
    count = min(len(said), len(heard)) - FRAME
    late = max(range(FRAME), key=lambda shift: float(np.dot(said[:count], heard[shift : shift + count])))
    gain = float(np.dot(said[:count], heard[late : late + count]) / np.dot(said[:count], said[:count]))
    return 20 * float(np.log10(max(gain, 1e-6)))


def power(sound: Samples) -> float:
    return float(np.mean(sound**2))


def level(sound: Samples) -> float:
    """In dBFS."""
    return 10 * float(np.log10(power(sound) + 1e-12))


def spoken(sound: Samples) -> npt.NDArray[np.bool_]:
    """Which samples lie in a frame at most 30 dB softer than the loudest."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.mean(frames**2, axis=1)
    return np.resize(np.repeat(loud > np.max(loud) * 1e-3, FRAME), len(sound))


def pcm16(sound: Samples) -> bytes:
    return bytes(np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes())


def samples(sound: bytes) -> Samples:
    return np.frombuffer(sound, "<i2").astype(np.float64) / 32768


def recordings(folder: Path, pattern: str) -> Samples:
    """All of a pattern, one after another, at a peak of -2 dBFS."""
    clips = [samples(read_recording(path).at(RATE_HZ).pcm16) for path in sorted(folder.glob(pattern))]
    joined = np.concatenate(clips)
    return np.asarray(joined * 0.8 / np.max(np.abs(joined)))


def main() -> int:
    """Prints a line for each room."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("VOICE_AUDIO"), help="recordings; else VOICE_AUDIO")
    folder = parser.parse_args().folder
    if not folder:
        parser.error("name the folder that scripts/fetch_recordings.py prints")
    reply, talker = recordings(Path(folder), "austen-*.wav"), recordings(Path(folder), "cards-*.wav")
    sys.stdout.write(f"{'room':<34}{'ERLE, first s':>14}{'from 3rd s':>12}{'talker':>10}{'of a core':>11}\n")
    for room in ROOMS:
        found = measure(reply, talker, room)
        sys.stdout.write(
            f"{room.name:<34}{found.first_erle_db:>11.1f} dB{found.erle_db:>9.1f} dB{found.talker_db:>7.1f} dB"
            f"{found.core_share:>10.2%}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
