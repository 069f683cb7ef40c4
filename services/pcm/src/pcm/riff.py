"""Does a byte stream begin with a WAV header, and what does it say?

`wave` of the standard library wants a whole, seekable file; a header here may be split over several messages.
"""

import struct
from dataclasses import dataclass

from pcm.format import AudioFormat, Encoding

_FORMAT_TAGS = {1: Encoding.PCM16, 6: Encoding.ALAW, 7: Encoding.MULAW}
_EXTENSIBLE = 0xFFFE
_MAX_HEADER_BYTES = 65536


@dataclass(frozen=True, slots=True)
class RiffHeader:
    """What a WAV header says: the audio starts `audio_offset` bytes into the stream."""

    format: AudioFormat
    channels: int
    audio_offset: int


def parse_riff(start: bytes) -> RiffHeader | None:
    """The header at the start of a stream, or None when the stream is bare audio.

    Raises:
        EOFError: `start` may be a header, but it is cut off: call again with more bytes.
        ValueError: it is a header of something that can't be served; the sentence says what.
    """
    if len(start) < 12:
        if b"RIFF".startswith(start[:4]) or start.startswith(b"RIFF"):
            raise EOFError
        return None
    if not (start.startswith(b"RIFF") and start[8:12] == b"WAVE"):
        return None
    found: tuple[AudioFormat, int] | None = None
    at = 12
    while at + 8 <= len(start):
        name, size = start[at : at + 4], struct.unpack_from("<I", start, at + 4)[0]
        body = at + 8
        if name == b"data":
            if found is None:
                raise ValueError("WAV header without a format chunk before its data; write the file anew")
            return RiffHeader(found[0], found[1], body)
        if name == b"fmt ":
            if body + 16 > len(start):
                raise EOFError
            found = _format(start, body, size)
        at = body + size + size % 2
        if at > _MAX_HEADER_BYTES:
            raise ValueError("WAV header longer than 64 KiB; strip the metadata from the file")
    raise EOFError


def _format(start: bytes, body: int, size: int) -> tuple[AudioFormat, int]:
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", start, body)
    if tag == _EXTENSIBLE and size >= 26:
        if body + 26 > len(start):
            raise EOFError
        tag = struct.unpack_from("<H", start, body + 24)[0]
    encoding = _FORMAT_TAGS.get(tag)
    if encoding is None or bits != encoding.sample_bytes * 8:
        raise ValueError(f"WAV format {tag} with {bits} bits is not served; send 16-bit PCM, u-law or A-law")
    return AudioFormat(encoding, rate_hz), channels
