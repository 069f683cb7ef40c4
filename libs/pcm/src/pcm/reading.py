"""How is a recording inside a file read, whatever it holds? With libsndfile, from start to end, as mono PCM16."""

import io
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import soundfile

from pcm.joined import Part
from pcm.mixing import mono_pcm16

_Mended = Mapping[int, bytes]
_NOTHING: _Mended = MappingProxyType({})


class NotDecoded(ValueError):
    """libsndfile does not know it, or it is broken; the message says why in a few words."""


def open_part(data: bytes, part: Part) -> soundfile.SoundFile:
    """A part of `data`, to be read with `blocks`. Raises NotDecoded for what libsndfile doesn't know."""
    window = Window(memoryview(data)[part.start : part.end], part.lead, part.mended)
    kind = part.kind
    if kind is not None and not kind.is_audio:
        raise NotDecoded(f"it begins like {kind.value}, which is no audio")
    try:
        return _Forward(window)
    except (soundfile.SoundFileError, TypeError, ValueError, OverflowError) as error:
        said = reason(error) if kind is None else f"it begins like {kind.value}: {reason(error)}"
        raise NotDecoded(said) from error


def blocks(file: soundfile.SoundFile, samples: int = 65_536) -> Iterator[bytes]:
    """What is left of a file as mono PCM16, block by block, because the length its header states may be wrong.

    Read as floating point whatever the file holds: libsndfile would scale or wrap what is over full scale.

    Raises NotDecoded when it is broken.
    """
    each = max(1, samples // int(file.channels))
    while True:
        try:
            block = file.read(each, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, TypeError, ValueError) as error:
            raise NotDecoded(f"it is broken off or damaged: {reason(error)}") from error
        if not len(block):
            return
        yield mono_pcm16(block)


class Window:
    """Bytes, perhaps still growing, as the file they are so far, without copying them."""

    def __init__(self, data: bytes | bytearray | memoryview, lead: bytes = b"", mended: _Mended = _NOTHING) -> None:
        self._data = data
        self._lead = lead
        self._mended = mended
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """As files do."""
        start, lead = self._at, len(self._lead)
        length = lead + len(self._data)
        end = length if size < 0 else min(start + size, length)
        self._at = max(start, end)
        found = self._lead[start:end] + bytes(self._data[max(0, start - lead) : max(0, end - lead)])
        for offset, value in self._mended.items():
            at = offset + lead
            if at < end and at + len(value) > start:
                patched = bytearray(found)
                for number, byte in enumerate(value, at - start):
                    if 0 <= number < len(patched):
                        patched[number] = byte
                found = bytes(patched)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As files do."""
        end = len(self._lead) + len(self._data)
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As files do."""
        return self._at


class _Forward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Read from start to end. soundfile would seek after each block, which a file of unknown length does not allow."""

    def seekable(self) -> bool:
        """No."""
        return False


def reason(error: Exception) -> str:
    """Why libsndfile does not read it, in a few words."""
    text = str(error).rpartition(": ")[2].strip().rstrip(".")
    return text if text and "object at" not in text else "unknown or broken format"
