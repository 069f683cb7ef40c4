"""Which recordings does a file hold? One mostly; but files are joined by `cat`, and streams are chained. Pure.

Each part is found by what its format says of its length, and mended where that is known to be wrong: a recorder that
crashed or wrote into a pipe leaves sizes of 0.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from pcm import mpeg
from pcm.flac import end_of_whole_frames, find_next_file
from pcm.riff import CHUNKS, RIFF_KINDS, parse_wav
from pcm.sniffing import LOOK_BYTES, Kind, sniff

MOST_PARTS = 1000
"""A file of more is no recording."""
_WAV_BEGINS = re.compile(rb"(RIFF|RIFX|RF64|BW64)....WAVE(fmt |JUNK|ds64|bext)", re.DOTALL)
_EBML = b"\x1a\x45\xdf\xa3"
_ID3V1_BYTES = 128
_OGG_HEADER_BYTES = 27
_BEGINS_STREAM = 0x02


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` of a file are a recording of their own, of a known kind or not."""

    kind: Kind | None
    start: int
    end: int
    lead: bytes = b""
    """To be read before these bytes."""
    mended: dict[int, bytes] = field(default_factory=dict)
    """Bytes to be read in place of those at (offset in the part)."""


def parts(data: bytes) -> Iterator[Part]:
    """The recordings, in order. A single part of kind None: nobody knows what it is.

    Raises:
        ValueError: more than MOST_PARTS.
    """
    at, count = 0, 0
    while at < len(data):
        start = at
        kind = sniff(data[at : at + LOOK_BYTES], whole=True, text=not at)
        if kind is None and (behind := _next_start(data, at)) is not None:
            at = behind
            continue
        if kind is None and count:
            return
        if kind is None:
            start = at = 0
        finder = _FINDERS.get(kind)
        found = list(islice(finder(data, at), MOST_PARTS + 1)) if finder else [Part(kind, at, len(data))]
        for part in found:
            count += 1
            if count > MOST_PARTS:
                raise ValueError(f"The file holds more than {MOST_PARTS} recordings; send them one by one")
            yield part
        at = max((part.end for part in found), default=len(data))
        if at <= start:
            return


def _next_start(data: bytes, at: int) -> int | None:
    """Past the padding and tags that stand between files; None: nothing but those follows."""
    rest = data[at : at + LOOK_BYTES]
    if rest[:3] == b"TAG":
        return min(at + _ID3V1_BYTES, len(data))
    stripped = len(rest) - len(rest.lstrip(b"\0\r\n"))
    if stripped:
        return at + stripped
    if rest[:8] == b"APETAGEX":
        size: int = struct.unpack_from("<I", data, at + 12)[0]
        return at + 32 + size
    return None


def _wav(data: bytes, at: int) -> Iterator[Part]:
    try:
        header = parse_wav(data, at, len(data))
    except (EOFError, ValueError):
        yield Part(Kind.WAV, at, len(data))
        return
    order = ">" if data[at : at + 4] == b"RIFX" else "<"
    body = at + header.audio_offset
    size, rest = header.audio_bytes, len(data) - body
    if header.zero and (not rest or data[body : body + 4] in CHUNKS):
        size = 0
    if size is not None and size <= rest:
        yield Part(Kind.WAV, at, _behind_chunks(data, body + size, size % 2, order))
        return
    end = len(data)
    if size is None:  # of a size nobody wrote, another file's header is the only end
        following = _WAV_BEGINS.search(data, body)
        end = following.start() if following is not None else end
    there = min(end - body, 0xFFFFFFFF)
    mended = {header.audio_offset - 4: struct.pack(order + "I", there)}
    if data[at : at + 4] in (b"RIFF", b"RIFX"):
        mended[4] = struct.pack(order + "I", min(end - at - 8, 0xFFFFFFFF))
    yield Part(Kind.WAV, at, end, mended=mended)


def _behind_chunks(data: bytes, at: int, pad: int, order: str) -> int:
    """Where the chunks behind the audio end."""
    if pad and data[at : at + 4] not in CHUNKS and data[at : at + 4] not in RIFF_KINDS:
        at += 1
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from(order + "I", data, at + 4)[0]
        if not (name.isascii() and name.decode("ascii").isprintable()) or at + 8 + size > len(data):
            break
        if name in RIFF_KINDS or sniff(data[at : at + LOOK_BYTES], whole=True, text=False) is not None:
            break
        at += 8 + size + size % 2
    return min(at, len(data))


def _aiff(data: bytes, at: int) -> Iterator[Part]:
    size: int = struct.unpack_from(">I", data, at + 4)[0]
    end = at + 8 + size + size % 2
    if size > 4 and end <= len(data) + 1:
        yield Part(Kind.AIFF, at, min(end, len(data)))
        return
    mended = {4: struct.pack(">I", min(len(data) - at - 8, 0xFFFFFFFF))}
    comm, place = None, at + 12
    while place + 8 <= len(data):
        name, length = data[place : place + 4], struct.unpack_from(">I", data, place + 4)[0]
        if name == b"COMM" and place + 16 <= len(data):
            comm = place
        if name == b"SSND" and comm is not None:
            channels, _, bits = struct.unpack_from(">hIh", data, comm + 8)
            frame = max(1, channels * ((bits + 7) // 8))
            there = len(data) - place - 16
            mended[place + 4 - at] = struct.pack(">I", there + 8)
            mended[comm + 10 - at] = struct.pack(">I", there // frame)
            break
        place += 8 + length + length % 2
    yield Part(Kind.AIFF, at, len(data), mended=mended)


def _flac(data: bytes, at: int) -> Iterator[Part]:
    start = at
    while True:
        body = start + 4
        while body + 4 <= len(data):  # a picture among the metadata may hold anything
            last = data[body] & 0x80
            body += 4 + int.from_bytes(data[body + 1 : body + 4], "big")
            if last:
                break
        following = find_next_file(data, body)
        end = following if following is not None else len(data)
        tail = end - _ID3V1_BYTES
        if tail > body and data[tail : tail + 3] == b"TAG":
            end = tail
        yield Part(Kind.FLAC, start, end if following is not None else end_of_whole_frames(data, body, end))
        if following is None or data[following : following + 4] != b"fLaC":
            return
        start = following


def _ogg(data: bytes, at: int) -> Iterator[Part]:
    start, headers_over = at, False
    while at + _OGG_HEADER_BYTES <= len(data):
        if data[at : at + 4] != b"OggS":
            found = data.find(b"OggS", at)
            if found < 0:
                break
            at = found
            continue
        if data[at + 5] & _BEGINS_STREAM:
            if headers_over:
                yield Part(Kind.OGG, start, at)
                start, headers_over = at, False
        else:
            headers_over = True
        segments = data[at + 26]
        body = at + _OGG_HEADER_BYTES + segments
        at = body + sum(data[at + _OGG_HEADER_BYTES : body])
    # What follows the last page may be another file; half a page is no file.
    behind = at < len(data) and data[at : at + 4] != b"OggS"
    yield Part(Kind.OGG, start, at if behind else len(data))


def _mp3(data: bytes, at: int) -> Iterator[Part]:
    tag = mpeg.id3_bytes(data, at)
    if data[at + tag : at + tag + 4] == b"fLaC":
        yield from _flac(data, at + tag)
        return
    found = False
    for run in mpeg.runs(data, at):
        found = True
        lead = b"" if run.counted else mpeg.count_frame(run.first, run.frames)
        yield Part(Kind.MP3, run.start, run.end, lead)
        behind = sniff(data[run.end : run.end + LOOK_BYTES], whole=True, text=False)
        if behind not in (None, Kind.MP3):
            return
    if not found:
        yield Part(Kind.MP3, at, len(data))


def _mp4(data: bytes, at: int) -> Iterator[Part]:
    start = at
    while at + 8 <= len(data):
        if at > start and sniff(data[at : at + LOOK_BYTES], whole=True, text=False) not in (None, Kind.MP4):
            yield Part(Kind.MP4, start, at)
            return
        size, name = struct.unpack_from(">I4s", data, at)
        if size == 1 and at + 16 <= len(data):
            size = struct.unpack_from(">Q", data, at + 8)[0]
        if name == b"ftyp" and at > start:
            yield Part(Kind.MP4, start, at)
            start = at
        if size < 8 or not name.isalnum():
            break
        at += size
    yield Part(Kind.MP4, start, len(data))


def _matroska(data: bytes, at: int) -> Iterator[Part]:
    start, found = at, at
    while (found := data.find(_EBML, found + 1)) >= 0:
        if any(name in data[found : found + 64] for name in (b"webm", b"matroska")):
            yield Part(Kind.MATROSKA, start, found)
            start = found
    yield Part(Kind.MATROSKA, start, len(data))


_FINDERS: dict[Kind | None, Callable[[bytes, int], Iterator[Part]]] = {
    Kind.WAV: _wav, Kind.AIFF: _aiff, Kind.FLAC: _flac, Kind.OGG: _ogg, Kind.MP3: _mp3, Kind.MP4: _mp4,
    Kind.MATROSKA: _matroska,
}  # fmt: skip
