"""What was said? Recordings with their texts: files side by side, or LibriSpeech's folders."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pcm import Clip, read_wav

from voice_bench.measure.clips import RATE_HZ, NoSpeech

_AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3")


@dataclass(frozen=True, slots=True)
class CorpusItem:
    """One recording: where it is, its text, and the category it is counted in."""

    name: str
    category: str
    path: Path
    text: str

    def pcm16(self) -> bytes:
        """Its audio at 16 kHz. Raises NoSpeech."""
        try:
            return _clip(self.path).at(RATE_HZ).pcm16
        except (OSError, ValueError) as error:
            raise NoSpeech(f"{self.path} can't be read: {error}") from error


def corpus(folder: Path) -> list[CorpusItem]:
    """Every recording below `folder` that has a text, by name. Raises NoSpeech when there is none."""
    found = [*_side_by_side(folder), *_librispeech(folder)]
    if not found:
        raise NoSpeech(
            f"{folder} holds no recording with a text: put NAME.txt beside NAME.wav, or unpack LibriSpeech there"
        )
    return sorted(found, key=lambda one: (one.category, one.name))


def _side_by_side(folder: Path) -> Iterator[CorpusItem]:
    """NAME.wav with NAME.txt. The category is the folder below; in the top folder, the name up to its last hyphen."""
    for path in folder.rglob("*"):
        text = path.with_suffix(".txt")
        if path.suffix.lower() not in _AUDIO or not text.exists():
            continue
        inside = path.relative_to(folder).parts[:-1]
        category = inside[0] if inside else (path.stem.rpartition("-")[0] or path.stem)
        yield CorpusItem(path.stem, category, path, text.read_text(encoding="utf-8").strip())


def _librispeech(folder: Path) -> Iterator[CorpusItem]:
    """SET/SPEAKER/CHAPTER/*.trans.txt with lines of ID TEXT, and ID.flac beside it. The category is the set."""
    for listed in folder.rglob("*.trans.txt"):
        inside = listed.relative_to(folder).parts[:-1]
        category = inside[0] if len(inside) > 2 else folder.name
        for line in listed.read_text(encoding="utf-8").splitlines():
            name, _, text = line.strip().partition(" ")
            path = next((file for suffix in _AUDIO if (file := listed.parent / f"{name}{suffix}").exists()), None)
            if path is not None and text:
                yield CorpusItem(name, category, path, text.strip())


def _clip(path: Path) -> Clip:
    if path.suffix.lower() == ".wav":
        return read_wav(path)
    from pcm.compressed import decode_file

    return decode_file(path.read_bytes())
