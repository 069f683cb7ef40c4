"""How is a folder of recordings made into one with categories? Each in several conditions, all in one, and no words.

The same recordings and the same seed give the same files.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pcm import duration_s, silence, write_wav

from voice_bench.measure.clips import RATE_HZ
from voice_bench.speech.conditions import CONDITIONS, Rng
from voice_bench.speech.corpus import CorpusItem
from voice_bench.speech.non_speech import non_speech

LONG = "long"
LONG_S = 120.0
"""The long recording lasts at least so long."""
PAUSE_S = (0.4, 1.2)
"""Between two clips of the long recording: as between the sentences of somebody who talks."""
HARDER = frozenset(CONDITIONS) - {"clean"}
"""Categories in which more words are lost than of the recordings as they were made."""


def write_categories(recordings: Sequence[CorpusItem], folder: Path, seed: int = 1) -> None:
    """CATEGORY/NAME.wav with its NAME.txt in `folder`, for every category. Raises NoSpeech, OSError."""
    for name, one in _named(recordings).items():
        pcm16 = one.pcm16()
        for category, change in CONDITIONS.items():
            _write(folder / category, name, change(pcm16, _rng(seed, f"{category}/{name}")), one.text)
    _write(folder / LONG, LONG, *long_recording(recordings, _rng(seed, LONG)))
    for category, clips in non_speech(_rng(seed, "wordless")).items():
        for name, made in clips.items():
            _write(folder / category, name, made, "")


def long_recording(recordings: Sequence[CorpusItem], rng: Rng) -> tuple[bytes, str]:
    """(PCM16, text) of LONG_S or a little more: the recordings in random order, and again while there is room."""
    pieces, texts, order = list[bytes](), list[str](), list[int]()
    left_s = LONG_S
    while left_s > 0:
        order = order or [int(number) for number in rng.permutation(len(recordings))]
        one = recordings[order.pop()]
        pieces.append(one.pcm16() + silence(rng.uniform(*PAUSE_S), RATE_HZ))
        texts.append(one.text)
        left_s -= duration_s(pieces[-1], RATE_HZ)
    return b"".join(pieces), " ".join(texts)


def _named(recordings: Sequence[CorpusItem]) -> dict[str, CorpusItem]:
    """By a name that only one of them has."""
    often = Counter(one.name for one in recordings)
    return {one.name if often[one.name] == 1 else f"{one.category}-{one.name}": one for one in recordings}


def _rng(seed: int, name: str) -> Rng:
    """Of its own for every file: one more recording changes no other."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _write(folder: Path, name: str, pcm16: bytes, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(folder / f"{name}.wav", [pcm16], RATE_HZ)
    (folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
