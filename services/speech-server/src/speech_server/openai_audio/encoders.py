"""How does spoken PCM16 become the format that was asked for, while it is being spoken?

All at 24 kHz, what OpenAI's `pcm` is. MP3, Opus (in Ogg) and FLAC are libsndfile's; it makes no AAC. A stream's length
is not known when its header goes out: WAV says so with the largest sizes, FLAC with a length of 0.
"""

import io
import struct
from typing import Literal, Protocol

import numpy as np
import soundfile
from pcm import SAMPLE_BYTES

RATE_HZ = 24_000
Format = Literal["mp3", "opus", "flac", "wav", "pcm"]
MEDIA_TYPES: dict[Format, str] = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
}  # fmt: skip
_WRITTEN: dict[Format, tuple[str, str]] = {
    "mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS"), "flac": ("FLAC", "PCM_16"),
}  # fmt: skip
_UNKNOWN = 0xFFFFFFFF
_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_LENGTH_FRAME_MARK_BY = 64


class AudioEncoder(Protocol):
    """One answer's encoder; its methods may take milliseconds."""

    def push(self, pcm16: bytes) -> bytes:
        """What can be sent now."""

    def flush(self) -> bytes:
        """The rest."""


def encoder(format: Format) -> AudioEncoder:
    """An encoder of PCM16 mono at RATE_HZ."""
    return _Plain(_wav_header() if format == "wav" else b"") if format in ("wav", "pcm") else _Coded(format)


class _Plain:
    """PCM16 as it is, after a header."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def push(self, pcm16: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + pcm16

    def flush(self) -> bytes:
        return self.push(b"")


class _Coded:
    """libsndfile, writing into memory. What it rewrites at the end (sizes, sums) has been sent and stays as it was."""

    def __init__(self, format: Format) -> None:
        kind, subtype = _WRITTEN[format]
        self._made = io.BytesIO()
        self._sent = 0
        # MP3 begins with a frame that says how long the file is: not known, so it is left out.
        self._header_bytes: int | None = None if format == "mp3" else 0
        # libsndfile and others guess how long an MP3 stream is from its first frames: only a constant rate is right.
        rate = {"bitrate_mode": "CONSTANT", "compression_level": 0.5} if format == "mp3" else {}
        self._file = soundfile.SoundFile(self._made, "w", RATE_HZ, 1, subtype=subtype, format=kind, **rate)

    def push(self, pcm16: bytes) -> bytes:
        if pcm16:
            self._file.write(np.frombuffer(pcm16, "<i2"))
        if self._header_bytes is None:
            self._header_bytes = _length_frame_bytes(self._made.getvalue())
            self._sent = self._header_bytes or 0
        return self._new()

    def flush(self) -> bytes:
        self._file.close()
        return self._new()

    def _new(self) -> bytes:
        with self._made.getbuffer() as made:
            new = bytes(made[self._sent :])
        self._sent += len(new)
        return new


def _length_frame_bytes(mp3: bytes) -> int | None:
    """Bytes of the first frame if it is empty, to be filled with the length at the end; None: more is needed to say.

    A frame of MPEG 2 layer III has 72 x bitrate / rate bytes, and one more where its padding bit is set.
    """
    if len(mp3) < _LENGTH_FRAME_MARK_BY:
        return None
    if any(mp3[4:_LENGTH_FRAME_MARK_BY]):
        return 0
    return 72 * 1000 * _KBPS[mp3[2] >> 4] // RATE_HZ + (mp3[2] >> 1 & 1)


def _wav_header() -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", _UNKNOWN, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 16,
        b"data", _UNKNOWN,
    )  # fmt: skip
