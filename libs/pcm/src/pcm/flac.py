"""Where does a FLAC stream that is still arriving break into whole frames? Pure.

libsndfile reads whole files only. A FLAC frame needs nothing of its neighbours, so header and any run of whole frames
are a file again. A frame's start is known by its sync code, its header's checksum and its number (RFC 9639).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pcm.sniffing import LOOK_BYTES, sniff

MAGIC = b"fLaC"
_NEXT_FILE = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22|RIFF....WAVE|OggS\x00\x02", re.DOTALL)
_STREAMINFO_BYTES = 34
_MOST_HEADER_BYTES = 1 << 20
_MOST_FRAME_BYTES = 1 << 16
"""Speech takes a tenth of it; the frame that a stream ends in is looked for so far back."""
_MOST_FRAMES = 16
"""The last frame is among so many that seem to begin near the end."""
_SHORTEST_FRAME_BYTES = 11
"""Header of 6 bytes, a subframe, checksum: no frame begins sooner after another."""


@dataclass(frozen=True, slots=True)
class FlacHeader:
    """A header for a file of unknown length, and where the frames began."""

    data: bytes
    frames_at: int


def parse_header(start: bytes) -> FlacHeader:
    """The header at the start of a FLAC stream.

    Raises:
        EOFError: it is cut off: call again with more bytes.
        ValueError: it isn't one; the sentence says so.
    """
    if len(start) < 8 + _STREAMINFO_BYTES:
        raise EOFError
    if start[:4] != MAGIC or start[4] & 0x7F != 0:
        raise ValueError("The audio is not FLAC; send a whole native FLAC stream, its header first")
    at = 4
    while True:
        if at > _MOST_HEADER_BYTES:
            raise ValueError("FLAC metadata longer than 1 MiB; strip pictures and tags from the file")
        if at + 4 > len(start):
            raise EOFError
        is_last, size = start[at] & 0x80, int.from_bytes(start[at + 1 : at + 4], "big")
        at += 4 + size
        if is_last:
            break
    info = bytearray(start[8 : 8 + _STREAMINFO_BYTES])
    info[13] &= 0xF0  # total samples and checksum of all: not known
    info[14:] = bytes(_STREAMINFO_BYTES - 14)
    return FlacHeader(MAGIC + b"\x80\x00\x00\x22" + bytes(info), at)


def find_next_file(data: bytes, at: int) -> int | None:
    """Where the next FLAC, WAV or Ogg stream begins, from `at` on."""
    found = _NEXT_FILE.search(data, at)
    return found.start() if found is not None else None


def end_of_whole_frames(data: bytes, at: int, end: int) -> int:
    """Where the last whole frame of `at`..`end` ends.

    Before `end` where a recorder was stopped inside a frame, and where another kind of file follows.
    """
    tail = data[max(at, end - _MOST_FRAME_BYTES) : end]
    place = len(tail)
    broken: int | None = None
    looked = 0
    while looked < _MOST_FRAMES and (place := tail.rfind(b"\xff", 0, place)) >= 0:
        if _frame_number(tail, place) is None:
            continue
        looked += 1
        for frame_end in _ends(tail, place):
            behind = tail[frame_end : frame_end + LOOK_BYTES]
            if not behind or sniff(behind, whole=True, text=False) is not None:
                return end - len(tail) + frame_end
        broken = place if broken is None else broken
    return end - len(tail) + broken if broken is not None else end


def _ends(data: bytes, at: int) -> Iterator[int]:
    """Where the frame at `at` may end: a sum over a frame and its checksum is 0."""
    remainder = 0
    for place in range(at, len(data)):
        remainder = (remainder << 8 ^ _CRC16[remainder >> 8 ^ data[place]]) & 0xFFFF
        if not remainder and place - at >= _SHORTEST_FRAME_BYTES - 1:
            yield place + 1


HEAD_BYTES = 16
"""Enough for any frame's header."""


def whole_frames(data: bytes, looked: int = 0) -> int:
    """How many bytes of `data`, which begins with a frame, are whole frames: up to the start of the last one seen.

    The first `looked` bytes were searched before. Raises ValueError when `data` begins with something else.
    """
    first = _frame_number(data, 0)
    if first is None:
        raise ValueError("The FLAC stream is broken: a frame was expected and something else came")
    end, number, at = 0, first, max(looked, _SHORTEST_FRAME_BYTES)
    while (at := data.find(b"\xff", at)) >= 0:
        found = _frame_number(data, at)
        # Fixed block sizes count frames, variable ones samples: both only go up.
        if found is not None and number < found and (data[1] & 1 or found == number + 1):
            end, number = at, found
            at += _SHORTEST_FRAME_BYTES
        else:
            at += 1
    return end


def _frame_number(data: bytes, at: int) -> int | None:
    """The number in the frame header at `at`; None when there is none, or not all of it yet."""
    head = data[at : at + HEAD_BYTES]
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8:
        return None
    block, rate = head[2] >> 4, head[2] & 0x0F
    if block == 0 or rate == 15 or head[3] >> 4 > 10 or head[3] & 1:
        return None
    lead = head[4]
    extra = 0 if lead < 0x80 else next((n for n in range(1, 7) if not lead & (0x40 >> n)), 6)
    size = 5 + extra + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if lead & 0xC0 == 0x80 or len(head) <= size or _crc8(head[:size]) != head[size]:
        return None
    number = lead if not extra else lead & (0x3F >> extra)
    for byte in head[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    return number


def _crc8(data: bytes) -> int:
    remainder = 0
    for byte in data:
        remainder = _CRC8[remainder ^ byte]
    return remainder


def _crc8_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte << 1 ^ 0x07) & 0xFF if byte & 0x80 else byte << 1
    return byte


_CRC8 = tuple(_crc8_of(byte) for byte in range(256))


def _crc16_of(byte: int) -> int:
    remainder = byte << 8
    for _ in range(8):
        remainder = (remainder << 1 ^ 0x8005) & 0xFFFF if remainder & 0x8000 else remainder << 1
    return remainder


_CRC16 = tuple(_crc16_of(byte) for byte in range(256))
