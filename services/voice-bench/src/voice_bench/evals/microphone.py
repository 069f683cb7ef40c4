"""What is in the caller's audio? Sounds and the words in them, by sample; every stretch of audio is found again.

The recogniser of a scenario understands what was said at the samples that it is sent. No two stretches within a minute
are alike (the silence between sounds is faint noise, as in any room), so it finds out by comparing which samples these
are: also when the gateway sends them again, in other pieces, or leaves some out.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
FRAME_SAMPLES = 512
"""Of the detector: 32 ms."""
FRAME_S = FRAME_SAMPLES / RATE_HZ
_TABLE = 1 << 20
"""Samples of noise: 65 s, longer than any audio is kept to be sent again."""
_FAINT, _LOUD = 12, 6_000
_SPEECH, _SILENCE = 0.97, 0.02
"""What the detector says."""
_COMPARED_BYTES = 128

_NOISE = np.random.default_rng(20_250_101).integers(-1000, 1001, _TABLE)
_FAINT_AUDIO = (_NOISE * _FAINT // 1000).astype("<i2")
_LOUD_AUDIO = (_NOISE * _LOUD // 1000).astype("<i2")


Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class SoundWord:
    """A word in the audio, as the recogniser first understands it; `last` is the sample after it."""

    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound in the audio. Only its `voiced` stretches (first sample, sample after) are loud."""

    voiced: tuple[tuple[int, int], ...]
    words: tuple[SoundWord, ...] = ()
    final: str = ""
    """What the recogniser's final says, where it says it of all words at once; "" = the words."""
    pcm16: bytes = field(default=b"", repr=False)
    """Recorded audio from the first voiced sample's `began` on; empty = noise."""
    began: int = 0
    scores: tuple[float, ...] = ()
    """Of recorded audio: the detector's, frame by frame."""

    @property
    def first(self) -> int:
        """Its first sample."""
        return self.began if self.pcm16 else self.voiced[0][0]

    @property
    def last(self) -> int:
        """The sample after it."""
        return self.began + len(self.pcm16) // 2 if self.pcm16 else self.voiced[-1][1]


class Microphone:
    """One caller's audio so far."""

    def __init__(self) -> None:
        self.sounds: list[Sound] = []
        self._audio = bytearray()

    @property
    def samples(self) -> int:
        """Recorded so far."""
        return len(self._audio) // 2

    def add(self, sound: Sound) -> None:
        """A sound that begins now or later."""
        self.sounds.append(sound)
        self.sounds.sort(key=lambda one: one.first)

    def cut(self) -> None:
        """From now on nothing more of the sounds so far is heard."""
        at = self.samples
        self.sounds = [_cut(sound, at) for sound in self.sounds if sound.first < at]

    def record(self, count: int) -> bytes:
        """The next samples."""
        first = self.samples
        loud = any(_overlap(span, first, first + count) * 2 >= count for span in self._voiced(first, first + count))
        table = _LOUD_AUDIO if loud else _FAINT_AUDIO
        audio = np.take(table, np.arange(first, first + count), mode="wrap")
        for sound in self.sounds:
            if sound.pcm16 and sound.first < first + count and sound.last > first:
                audio = _mixed(audio, first, sound)
        recorded: bytes = audio.tobytes()
        self._audio += recorded
        return recorded

    def probability(self, first: int) -> float:
        """What the detector says of the frame that begins at this sample."""
        last = first + FRAME_SAMPLES
        for sound in self.sounds:
            if sound.scores and sound.first <= first < sound.last:
                return sound.scores[min((first - sound.first) // FRAME_SAMPLES, len(sound.scores) - 1)]
        speech = any(2 * _overlap(span, first, last) >= FRAME_SAMPLES for span in self._voiced(first, last))
        return _SPEECH if speech else _SILENCE

    def find(self, audio: bytes, expected: int | None) -> int | None:
        """The sample at which this stretch begins, the latest if there are several; None = it is not of this caller.
        `expected` is where it most likely does."""
        if expected is not None and self._audio[2 * expected : 2 * expected + len(audio)] == audio:
            return expected
        at = self._audio.rfind(audio[:_COMPARED_BYTES])
        return at // 2 if at >= 0 and at % 2 == 0 and len(audio) > 2 else None

    def words(self, first: int, last: int) -> list[tuple[Sound, SoundWord]]:
        """The words whose larger part lies behind `first`, and which are over by `last`."""
        return [
            (sound, word)
            for sound in self.sounds
            for word in sound.words
            if (word.first + word.last) / 2 > first and word.last <= last
        ]

    def silent_since(self, until: int) -> int:
        """The sample after the last word that has begun before `until`."""
        ends = [min(word.last, until) for sound in self.sounds for word in sound.words if word.first < until]
        return max(ends, default=0)

    def _voiced(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        for sound in self.sounds:
            if sound.first < last and sound.last > first:
                yield from sound.voiced


def spread(text: str, spans: Sequence[tuple[int, int]]) -> tuple[SoundWord, ...]:
    """Words of a text over voiced stretches, each as long as its letters say. Example: two words of equal length over
    (0, 100) and (500, 600) lie in one stretch each."""
    words = text.split()
    weights = [2 + len(word) for word in words]
    total = sum(last - first for first, last in spans)
    ends = [0, *(round(total * sum(weights[: number + 1]) / sum(weights)) for number in range(len(words)))]
    starts = [0]
    for first, last in spans:
        starts.append(starts[-1] + last - first)

    def place(voiced: int, *, end: bool) -> int:
        at = max(0, bisect_right(starts, voiced - end) - 1)
        at = min(at, len(spans) - 1)
        return spans[at][0] + voiced - starts[at]

    return tuple(
        SoundWord(word, place(ends[number], end=False), place(ends[number + 1], end=True))
        for number, word in enumerate(words)
    )


def _cut(sound: Sound, at: int) -> Sound:
    if sound.last <= at:
        return sound
    voiced = tuple((first, min(last, at)) for first, last in sound.voiced if first < at)
    words = tuple(word for word in sound.words if word.last <= at)
    return replace(sound, voiced=voiced, words=words, final="", pcm16=sound.pcm16[: 2 * (at - sound.began)])


def _overlap(span: tuple[int, int], first: int, last: int) -> int:
    return min(span[1], last) - max(span[0], first)


def _mixed(audio: Samples, first: int, sound: Sound) -> Samples:
    recorded = np.frombuffer(sound.pcm16, dtype="<i2")
    mixed = audio.astype(np.int32)
    begin, end = max(sound.first, first), min(sound.last, first + len(audio))
    mixed[begin - first : end - first] += recorded[begin - sound.first : end - sound.first]
    clipped: Samples = np.clip(mixed, -32_768, 32_767).astype("<i2")
    return clipped
