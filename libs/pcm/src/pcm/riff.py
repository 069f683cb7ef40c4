"""What does a WAV header say: RIFF, RIFX (big-endian), RF64 and BW64 (sizes beyond 4 GiB)? Pure.

`wave` of the standard library wants a whole, seekable file of integers; a header here may be split over several
messages, and the audio may be of any kind.
"""

import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pcm.format import AudioFormat, Encoding
from pcm.mixing import mono_pcm16

_MAX_HEADER_BYTES = 65536
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_NAMES = {
    2: "Microsoft ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x40: "G.721 ADPCM", 0x50: "MPEG", 0x55: "MP3",
    0x161: "WMA", 0xFF: "AAC", 0xA106: "AAC",
}  # fmt: skip
_UNKNOWN_SIZE = 0xFFFFFFFF
_MOST_CHANNELS = 64
RIFF_KINDS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_CHUNK_NAMES = (
    "LIST INFO fact cue plst labl note ltxt smpl inst bext iXML axml id3 ID3 PEAK JUNK junk PAD FLLR acid levl cart "
    "aXML chna _PMX umid DISP afsp minf elm1 regn data fmt"
)
CHUNKS = frozenset(name.ljust(4).encode() for name in _CHUNK_NAMES.split(" "))
"""Chunks that files are known to have."""


@dataclass(frozen=True, slots=True)
class SampleFormat:
    """How the samples of one channel are written."""

    kind: Literal["int", "float", "mulaw", "alaw"]
    size: int
    """Bytes of one sample."""
    big_endian: bool = False

    def mono(self, data: bytes, channels: int) -> bytes:
        """PCM16 of whole frames, the channels mixed down."""
        if self.kind in ("mulaw", "alaw"):
            encoding = Encoding.MULAW if self.kind == "mulaw" else Encoding.ALAW
            data = AudioFormat(encoding, 1).decode(data)
        if channels == 1 and self._is_pcm16:
            return data
        with np.errstate(over="ignore", invalid="ignore"):
            return mono_pcm16(self._floats(data).reshape(-1, channels))

    @property
    def _is_pcm16(self) -> bool:
        return self.kind in ("mulaw", "alaw") or (self.kind == "int" and self.size == 2 and not self.big_endian)

    def _floats(self, data: bytes) -> "np.ndarray[Any, np.dtype[np.float32]]":
        order = ">" if self.big_endian else "<"
        if self._is_pcm16:
            return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(1 << 15)
        if self.kind == "float":
            return np.frombuffer(data, f"{order}f{self.size}").astype(np.float32)
        if self.size == 1:
            return (np.frombuffer(data, "u1").astype(np.float32) - np.float32(128)) / np.float32(128)
        # Of three bytes or four the upper two are enough for PCM16, with the lower ones as its fraction.
        whole = np.frombuffer(data, "u1").reshape(-1, self.size)
        whole = whole[:, ::-1] if self.big_endian else whole
        wide = np.zeros((len(whole), 4), "u1")
        wide[:, 4 - min(self.size, 4) :] = whole[:, -4:]
        scaled: np.ndarray[Any, np.dtype[np.float32]] = wide.view("<i4")[:, 0].astype(np.float32) / np.float32(1 << 31)
        return scaled


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What a WAV header says. `samples` None: a codec, named by `codec`."""

    samples: SampleFormat | None
    codec: str
    rate_hz: int
    channels: int
    audio_offset: int
    """Where the audio begins, from the start of the header."""
    audio_bytes: int | None
    """How long it is; None: to the end of the stream, as the size was not known, or never written (0)."""
    zero: bool = False
    """The size is 0: nothing, or not written; what follows the header says which."""


@dataclass(frozen=True, slots=True)
class RiffHeader:
    """A header of samples that need no conversion: the audio starts `audio_offset` bytes into the stream."""

    format: AudioFormat
    channels: int
    audio_offset: int


def parse_riff(start: bytes) -> RiffHeader | None:
    """The header at the start of a stream of 16-bit PCM or G.711, or None when the stream is bare audio.

    Raises:
        EOFError: `start` may be a header, but it is cut off: call again with more bytes.
        ValueError: it is a header of something else; the sentence says what.
    """
    if len(start) < 12:
        if b"RIFF".startswith(start[:4]) or start.startswith(b"RIFF"):
            raise EOFError
        return None
    if not (start.startswith(b"RIFF") and start[8:12] == b"WAVE"):
        return None
    header = parse_wav(start)
    encodings = {("int", 2): Encoding.PCM16, ("mulaw", 1): Encoding.MULAW, ("alaw", 1): Encoding.ALAW}
    samples = header.samples
    encoding = encodings.get((samples.kind, samples.size)) if samples else None
    if encoding is None:
        raise ValueError(f"WAV of {header.codec} is not served; send 16-bit PCM, u-law or A-law")
    return RiffHeader(AudioFormat(encoding, header.rate_hz), header.channels, header.audio_offset)


def parse_wav(data: bytes, at: int = 0, most_bytes: int = _MAX_HEADER_BYTES) -> WavHeader:
    """The header at `at`, which begins with one of RIFF_KINDS.

    Raises:
        EOFError: it is cut off: call again with more bytes.
        ValueError: it is broken; the sentence says how.
    """
    order = ">" if data[at : at + 4] == b"RIFX" else "<"
    start, large_bytes = at, None
    at += 12
    form: tuple[SampleFormat | None, str, int, int] | None = None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from(order + "I", data, at + 4)[0]
        body = at + 8
        if name == b"data":
            if form is None:
                raise ValueError("WAV header without a format chunk before its data; write the file anew")
            known = size not in (0, _UNKNOWN_SIZE)
            if size == _UNKNOWN_SIZE and large_bytes:
                size, known = large_bytes, True
            return WavHeader(*form, body - start, size if known else None, zero=size == 0)
        if name == b"fmt ":
            if body + 16 > len(data):
                raise EOFError
            form = _format(data, body, size, order)
        if name == b"ds64" and body + 16 <= len(data):
            large_bytes = struct.unpack_from("<Q", data, body + 8)[0]
        at = body + size + size % 2
        if at - start > most_bytes:
            raise ValueError("WAV header longer than 64 KiB; strip the metadata from the file")
    raise EOFError


def _format(data: bytes, body: int, size: int, order: str) -> tuple[SampleFormat | None, str, int, int]:
    tag, channels, rate_hz, _, align, bits = struct.unpack_from(order + "HHIIHH", data, body)
    if tag == _EXTENSIBLE and size >= 26:
        if body + 26 > len(data):
            raise EOFError
        tag = struct.unpack_from(order + "H", data, body + 24)[0]
    if not 1 <= channels <= _MOST_CHANNELS or not rate_hz:
        raise ValueError(f"WAV header with {channels} channels at {rate_hz} Hz; write the file anew")
    # 20 bits stand in three bytes, 24 bits sometimes in four: the size of a frame says which.
    needed = (bits + 7) // 8
    whole = align // channels if align % channels == 0 and align // channels >= needed else needed
    big = order == ">"
    samples: SampleFormat | None = None
    if tag == _PCM and whole in (1, 2, 3, 4):
        samples = SampleFormat("int", whole, big)
    elif tag == _FLOAT and bits in (32, 64):
        samples = SampleFormat("float", bits // 8, big)
    elif tag in (_MULAW, _ALAW) and bits == 8:
        samples = SampleFormat("mulaw" if tag == _MULAW else "alaw", 1)
    name = "float" if tag == _FLOAT else "PCM" if tag == _PCM else _NAMES.get(tag, f"format {tag:#x}")
    return samples, f"{name} with {bits} bits" if bits else name, rate_hz, channels
