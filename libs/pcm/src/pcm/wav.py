"""How do WAV files come in and go out?"""

import audioop
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pcm.format import SAMPLE_BYTES, duration_s
from pcm.resampling import Resampler


@dataclass(frozen=True, slots=True)
class Clip:
    """A mono recording: PCM16 samples at `rate_hz`."""

    pcm16: bytes
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return duration_s(self.pcm16, self.rate_hz)

    def at(self, rate_hz: int) -> "Clip":
        """The same recording at another rate."""
        resampler = Resampler(self.rate_hz, rate_hz)
        return Clip(resampler.push(self.pcm16) + resampler.flush(), rate_hz)


def read_wav(path: Path) -> Clip:
    """A WAV file of 16-bit PCM, one or two channels (two are mixed down).

    Raises:
        ValueError: not such a file; the sentence names the file and says what to send instead.
        OSError: the file can't be read.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is not a WAV file this can read ({error}); send 16-bit PCM") from error
    if width != SAMPLE_BYTES or channels not in (1, 2):
        raise ValueError(f"{path} has {channels} channels of {8 * width} bits; send 16-bit mono or stereo")
    return Clip(audioop.tomono(data, SAMPLE_BYTES, 0.5, 0.5) if channels == 2 else data, rate_hz)


def write_wav(path: Path, channels: Sequence[bytes], rate_hz: int) -> None:
    """One PCM16 track per channel; shorter tracks are filled with silence."""
    tracks = [np.frombuffer(track, dtype="<i2") for track in channels]
    length = max(len(track) for track in tracks)
    frames = np.zeros((length, len(tracks)), dtype="<i2")
    for column, track in enumerate(tracks):
        frames[: len(track), column] = track
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(tracks))
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate_hz)
        file.writeframes(frames.tobytes())
