"""What do the simulated callers say? Real speech, cut so that its first and its last frame are loud.

The scripted recogniser counts its silence from the last loud frame, so a clip that ends loud makes the caller's last
speech frame the moment everything is measured from.
"""

import audioop
from collections.abc import Iterable, Sequence
from pathlib import Path

from pcm import SAMPLE_BYTES, Resampler, dbfs, read_wav

from voice_bench.measure.onset_filter import OnsetFilter

RATE_HZ = 16_000
FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES
FRAME_S = FRAME_MS / 1000

_PEAK = 0.7
"""Of full scale: a voice near the microphone."""
_LOUD_DBFS = -38.0
"""Well above the scripted recogniser's -45."""
_PAUSE_FRAMES = 6
"""120 ms: shorter than any silence that ends an utterance."""

Frames = tuple[bytes, ...]


class NoSpeech(Exception):
    """There is nothing to say; the sentence tells what to do."""


def clips_of(recordings: Iterable[bytes], shortest_s: float, longest_s: float) -> list[Frames]:
    """Clips of 20 ms frames out of PCM16 at 16 kHz. Raises NoSpeech when none is long enough."""
    plain = OnsetFilter()
    cut = [clip for pcm16 in recordings for clip in _cut(_levelled(pcm16), shortest_s, longest_s)]
    found = [clip for clip in cut if plain(b"".join(clip))]
    if not found:
        raise NoSpeech(f"no recording holds {shortest_s:g} s of plain speech without a pause; name others")
    return found


def clips_in(folder: Path, shortest_s: float = 0.6, longest_s: float = 1.2) -> list[Frames]:
    """Clips of the folder's WAV files. Raises NoSpeech."""
    files = sorted(folder.glob("*.wav"))
    if not files:
        raise NoSpeech(f"no WAV file in {folder}; set VOICE_AUDIO to a folder of recordings, or leave it unset")
    return clips_of((read_wav(file).at(RATE_HZ).pcm16 for file in files), shortest_s, longest_s)


def at_rate(clip: Frames, rate_hz: int) -> Frames:
    """The clip's frames at another rate. It is resampled as a whole: our own resampler must hold nothing back.

    The gateway's does, for 1.25 ms. Where speech ends with a frame, as it does here, the silence after it is complete
    one frame of 20 ms later: so much more is measured than over a wire at 16 kHz."""
    if rate_hz == RATE_HZ:
        return clip
    resampler, size = Resampler(RATE_HZ, rate_hz), rate_hz * FRAME_MS // 1000 * SAMPLE_BYTES
    pcm16 = resampler.push(b"".join(clip)) + resampler.flush()
    return tuple(pcm16[at : at + size].ljust(size, b"\0") for at in range(0, len(pcm16), size))


def frames_of(pcm16: bytes) -> Frames:
    """All of it in frames, the last one filled with silence."""
    pieces = [pcm16[at : at + FRAME_BYTES] for at in range(0, len(pcm16), FRAME_BYTES)]
    return tuple(piece.ljust(FRAME_BYTES, b"\0") for piece in pieces)


def _cut(pcm16: bytes, shortest_s: float, longest_s: float) -> list[Frames]:
    frames = frames_of(pcm16)
    loud = [_is_loud(frame) for frame in frames]
    clips = []
    for begin, end in _runs(loud):
        while (end - begin) * FRAME_S >= shortest_s:
            stop = min(end, begin + round(longest_s / FRAME_S))
            while stop > begin and not loud[stop - 1]:
                stop -= 1
            if (stop - begin) * FRAME_S >= shortest_s:
                clips.append(frames[begin:stop])
            begin = stop
            while begin < end and not loud[begin]:
                begin += 1
    return clips


def _runs(loud: Sequence[bool]) -> list[tuple[int, int]]:
    """(first, past the last) of stretches that begin and end loud, without a long pause."""
    runs: list[tuple[int, int]] = []
    for at, is_loud in enumerate(loud):
        if not is_loud:
            continue
        if runs and at - runs[-1][1] < _PAUSE_FRAMES:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return runs


def _is_loud(frame: bytes) -> bool:
    half = FRAME_BYTES // 2
    return dbfs(frame[:half]) >= _LOUD_DBFS and dbfs(frame[half:]) >= _LOUD_DBFS


def _levelled(pcm16: bytes) -> bytes:
    peak = audioop.max(pcm16, SAMPLE_BYTES) if pcm16 else 0
    return audioop.mul(pcm16, SAMPLE_BYTES, _PEAK * 32767 / peak) if peak else pcm16
