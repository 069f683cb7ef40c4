"""How do compressed audio files and streams become PCM16, and PCM16 such files? With libsndfile.

WAV, FLAC, Ogg Opus, Ogg Vorbis, MP3, AIFF and more, as libsndfile 1.2 has them (LGPL-2.1, loaded as a shared library
by `soundfile`). Import this module only where it is needed: the others of this package do without it.
"""

import io
from typing import Literal

import numpy as np
import soundfile

from pcm.flac import HEAD_BYTES, FlacHeader, parse_header, whole_frames
from pcm.ogg import take_pages
from pcm.wav import Clip

Container = Literal["wav", "flac", "opus", "mp3"]
_WRITTEN: dict[Container, tuple[str, str]] = {
    "wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "opus": ("OGG", "OPUS"), "mp3": ("MP3", "MPEG_LAYER_III"),
}  # fmt: skip
_MOST_OGG_BYTES = 64 << 20
_MOST_WAITING_BYTES = 1 << 20
"""A frame or page is far smaller; more without a whole one is no audio."""
MOST_AT_ONCE_S = 3600.0
"""Silence compresses without bound: one push brings no more audio than this."""


def decode_file(data: bytes, longest_s: float | None = None) -> Clip:
    """A whole file of any known kind as mono PCM16 at its own rate; several channels are mixed down.

    Raises:
        ValueError: not a known file, broken, or longer than `longest_s` seconds; the sentence says which.
    """
    try:
        with _Forward(io.BytesIO(data)) as file:
            rate_hz = int(file.samplerate)
            most = -1 if longest_s is None else int(longest_s * rate_hz) + 1
            blocks = list(_blocks(file, most))
    except (soundfile.SoundFileError, TypeError) as error:
        raise ValueError(f"The audio can't be decoded ({_reason(error)}); send {KNOWN}") from error
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    if 0 <= most <= len(samples):
        raise ValueError(f"The audio is longer than {longest_s:g} s; send it in parts")
    return Clip(samples.astype("<i2").tobytes(), rate_hz)


KNOWN = "WAV, FLAC, Ogg Opus, Ogg Vorbis, MP3 or AIFF"
"""What can be sent, for sentences."""


def encode_file(clip: Clip, container: Container) -> bytes:
    """A mono file of this recording. Opus takes 8, 12, 16, 24 and 48 kHz: resample before (`Clip.at`)."""
    kind, subtype = _WRITTEN[container]
    target = io.BytesIO()
    samples = np.frombuffer(clip.pcm16, "<i2")
    soundfile.write(target, samples, clip.rate_hz, format=kind, subtype=subtype)
    return target.getvalue()


class EncodedStream:
    """A mono file that is sent while it is made. `push` PCM16, then `flush`; the length in its header stays unknown."""

    def __init__(self, container: Literal["flac", "opus"], rate_hz: int) -> None:
        """Raises ValueError for a rate the container doesn't have."""
        kind, subtype = _WRITTEN[container]
        self._target = io.BytesIO()
        self._sent = 0
        try:
            self._file = soundfile.SoundFile(self._target, "w", rate_hz, 1, subtype, format=kind)
        except soundfile.SoundFileError as error:
            raise ValueError(f"{container} has no sample rate of {rate_hz} Hz; ask for 24000 or 48000") from error

    def push(self, pcm16: bytes) -> bytes:
        """Bytes of the file that are ready, possibly none."""
        self._file.write(np.frombuffer(pcm16, "<i2"))
        return self._take()

    def flush(self) -> bytes:
        """The rest of the file; nothing can follow."""
        self._file.close()
        return self._take()

    def _take(self) -> bytes:
        with self._target.getbuffer() as whole:
            ready = bytes(whole[self._sent :])
        self._sent += len(ready)
        return ready


class FlacStream:
    """A FLAC stream as it arrives. `push` its bytes in order, then `flush`; `rate_hz` is known with the first audio."""

    def __init__(self) -> None:
        self._header: FlacHeader | None = None
        self._waiting = b""
        self._looked = 0
        self.rate_hz = 0

    def push(self, data: bytes) -> bytes:
        """PCM16 of the frames that are complete now. Raises ValueError with a sentence."""
        self._waiting += data
        if self._header is None:
            try:
                self._header = parse_header(self._waiting)
            except EOFError:
                return b""
            if len(self._waiting) < self._header.frames_at:
                self._header = None
                return b""
            self._waiting = self._waiting[self._header.frames_at :]
        if len(self._waiting) < HEAD_BYTES:
            return b""
        pcm16 = self._decode(whole_frames(self._waiting, self._looked))
        # Where no frame began there is none: a stream of small chunks is not searched again and again.
        self._looked = len(self._waiting) - HEAD_BYTES
        _check_waiting(self._waiting)
        return pcm16

    def flush(self) -> bytes:
        """The last frame. Raises ValueError when the stream ended inside its header."""
        if self._header is None:
            if self._waiting:
                raise ValueError("The audio ends inside its FLAC header; send the whole stream")
            return b""
        return self._decode(len(self._waiting))

    def _decode(self, end: int) -> bytes:
        if not end or self._header is None:
            return b""
        clip = decode_file(self._header.data + self._waiting[:end], MOST_AT_ONCE_S)
        self.rate_hz = clip.rate_hz
        self._waiting = self._waiting[end:]
        return clip.pcm16


class OggStream:
    """An Ogg stream (Opus, Vorbis) as it arrives. `push` its bytes in order, then `flush`; `rate_hz` as in FlacStream.

    A decoder needs what came before a page, so the compressed stream is kept whole, 64 MiB at most (hours of speech).
    """

    def __init__(self) -> None:
        self._stream = bytearray()
        self._waiting = b""
        self._samples = 0
        self.rate_hz = 0

    def push(self, data: bytes) -> bytes:
        """PCM16 of the pages that are complete now. Raises ValueError with a sentence."""
        pages, taken = take_pages(self._waiting + data)
        self._waiting = (self._waiting + data)[taken:]
        for page in pages:
            self._stream += page.data
        _check_waiting(self._waiting)
        if len(self._stream) > _MOST_OGG_BYTES:
            raise ValueError("More than 64 MiB of Ogg in one stream; begin another")
        return self._decode() if any(page.is_audio for page in pages) else b""

    def flush(self) -> bytes:
        """Nothing: every whole page is decoded, and half a page can't be."""
        return b""

    def _decode(self) -> bytes:
        try:
            with soundfile.SoundFile(_Reading(self._stream)) as file:
                self.rate_hz = int(file.samplerate)
                new = file.frames - self._samples
                if new <= 0:
                    return b""
                if new > MOST_AT_ONCE_S * self.rate_hz:
                    raise ValueError(f"More than {MOST_AT_ONCE_S:g} s of audio in one message; send it in parts")
                file.seek(self._samples)
                samples = _mono(file.read(new, dtype="int16", always_2d=True))
        except (soundfile.SoundFileError, TypeError) as error:
            raise ValueError(f"The Ogg stream can't be decoded ({_reason(error)}); send Ogg Opus") from error
        self._samples += len(samples)
        return samples.astype("<i2").tobytes()


class _Reading:
    """A growing stream as the file it is so far, without copying it."""

    def __init__(self, data: bytearray) -> None:
        self._data = data
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """As files do."""
        start = self._at
        end = len(self._data) if size < 0 else min(start + size, len(self._data))
        self._at = max(start, end)
        return bytes(self._data[start:end])

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
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


def _blocks(file: soundfile.SoundFile, most: int) -> "list[np.ndarray[tuple[int], np.dtype[np.int16]]]":
    """Block by block, because the length a header states may be wrong or unknown."""
    blocks, read = [], 0
    while most < 0 or read < most:
        block = file.read(65_536 if most < 0 else min(65_536, most - read), dtype="int16", always_2d=True)
        if not len(block):
            break
        read += len(block)
        blocks.append(_mono(block))
    return blocks


def _mono(block: "np.ndarray[tuple[int, int], np.dtype[np.int16]]") -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1).astype(np.int16)


def _check_waiting(waiting: bytes) -> None:
    if len(waiting) > _MOST_WAITING_BYTES:
        raise ValueError("1 MiB of audio without a whole frame; the stream is broken")


def _reason(error: Exception) -> str:
    text = str(error).rpartition(": ")[2].strip().rstrip(".")
    return text if text and "object at" not in text else "unknown or broken format"
