"""How do compressed audio files and streams become PCM16, and PCM16 such files? With libsndfile.

WAV, FLAC, Ogg Opus, Ogg Vorbis, MP3, AIFF and more, as libsndfile 1.2 has them (LGPL-2.1, loaded as a shared library
by `soundfile`). Import this module only where it is needed: the others of this package do without it.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from pcm.flac import HEAD_BYTES, FlacHeader, end_of_whole_frames, find_next_file, parse_header, whole_frames
from pcm.format import SAMPLE_BYTES
from pcm.joined import Part, parts
from pcm.mixing import mono_pcm16
from pcm.ogg import take_pages
from pcm.reading import NotDecoded, Window, blocks, open_part, reason
from pcm.resampling import Resampler
from pcm.sniffing import LOOK_BYTES, Kind, sniff
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
    """A whole file of any known kind as mono PCM16; several channels are mixed down, joined files come as one clip.

    The rate is the file's own, or of joined files the first one's.

    Raises:
        ValueError: not a known file, broken, or longer than `longest_s` seconds; the sentence says which.
    """
    return _decoded(data, parts(data), longest_s)


def _decoded(data: bytes, found: Iterable[Part], longest_s: float | None) -> Clip:
    made = bytearray()
    rate_hz = 0
    try:
        for part in found:
            with open_part(data, part) as file:
                rate_hz = rate_hz or int(file.samplerate)
                most = None if longest_s is None else int(longest_s * rate_hz) * SAMPLE_BYTES
                resampler = Resampler(int(file.samplerate), rate_hz)
                for pcm16 in blocks(file):
                    made += resampler.push(pcm16)
                    if most is not None and len(made) > most:
                        raise TooLong(f"The audio is longer than {longest_s:g} s; send it in parts")
                made += resampler.flush()
    except NotDecoded as error:
        raise ValueError(f"The audio can't be decoded ({error}); send {KNOWN}") from error
    if not rate_hz:
        raise ValueError(f"The audio can't be decoded (it is empty); send {KNOWN}")
    return Clip(bytes(made), rate_hz)


def read_recording(path: Path) -> Clip:
    """`decode_file` of a file. Raises ValueError naming the file, OSError."""
    try:
        return decode_file(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


class TooLong(ValueError):
    """More audio than the caller wants."""


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
        self.after: bytes | None = None
        """What comes behind this stream and is another one; None: nothing yet."""

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
        following = find_next_file(self._waiting, max(0, self._looked - HEAD_BYTES))
        if following is not None:
            self.after = self._waiting[following:]
            self._waiting = self._waiting[:following]
            return self._decode(following)
        if len(self._waiting) < HEAD_BYTES:
            return b""
        pcm16 = self._decode(whole_frames(self._waiting, self._looked))
        # Where no frame began there is none: a stream of small chunks is not searched again and again.
        self._looked = len(self._waiting) - HEAD_BYTES
        _check_waiting(self._waiting)
        return pcm16

    def flush(self) -> bytes:
        """The last frame, if it is whole. Raises ValueError when the stream ended inside its header."""
        if self._header is None:
            if self._waiting:
                raise ValueError("The audio ends inside its FLAC header; send the whole stream")
            return b""
        if self.after is not None:
            return b""
        end = end_of_whole_frames(self._waiting, 0, len(self._waiting))
        behind = self._waiting[end:]
        if sniff(behind[:LOOK_BYTES], whole=True, text=False) is not None:
            self.after = behind
        return self._decode(end)

    def _decode(self, end: int) -> bytes:
        if not end or self._header is None:
            return b""
        frames = self._header.data + self._waiting[:end]
        clip = _decoded(frames, [Part(Kind.FLAC, 0, len(frames))], MOST_AT_ONCE_S)
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
        self._headers_over = False
        self.rate_hz = 0
        self.after: bytes | None = None
        """What comes behind this stream and is another one, chained to it; None: nothing yet."""

    def push(self, data: bytes) -> bytes:
        """PCM16 of the pages that are complete now. Raises ValueError with a sentence."""
        pages, taken = take_pages(self._waiting + data)
        self._waiting = (self._waiting + data)[taken:]
        has_audio = False
        for number, page in enumerate(pages):
            if page.begins_stream and self._headers_over:
                self.after = b"".join(later.data for later in pages[number:]) + self._waiting
                break
            self._headers_over = self._headers_over or not page.begins_stream
            self._stream += page.data
            has_audio = has_audio or page.is_audio
        _check_waiting(self._waiting)
        if len(self._stream) > _MOST_OGG_BYTES:
            raise ValueError("More than 64 MiB of Ogg in one stream; begin another")
        return self._decode() if has_audio else b""

    def flush(self) -> bytes:
        """Nothing: every whole page is decoded, and half a page can't be."""
        return b""

    def _decode(self) -> bytes:
        try:
            with soundfile.SoundFile(Window(self._stream)) as file:
                self.rate_hz = int(file.samplerate)
                new = file.frames - self._samples
                if new <= 0:
                    return b""
                if new > MOST_AT_ONCE_S * self.rate_hz:
                    raise ValueError(f"More than {MOST_AT_ONCE_S:g} s of audio in one message; send it in parts")
                file.seek(self._samples)
                samples = file.read(new, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, TypeError) as error:
            raise ValueError(f"The Ogg stream can't be decoded ({reason(error)}); send Ogg Opus") from error
        self._samples += len(samples)
        return mono_pcm16(samples)


def _check_waiting(waiting: bytes) -> None:
    if len(waiting) > _MOST_WAITING_BYTES:
        raise ValueError("1 MiB of audio without a whole frame; the stream is broken")
