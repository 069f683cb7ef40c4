"""Where do the frames of MPEG audio (MP3, AAC in ADTS) begin and end? Pure (ISO 11172-3, 13818-3, 13818-7)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_KBPS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By version (1, else 2) and layer; the low rates of layers II and III are one table."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the version's two bits: MPEG 1, 2, 2.5."""
_FRAMES_IN_A_ROW = 3
_ID3_BYTES = 10
_ADTS_HEAD_BYTES = 7
_CANDIDATE = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]|ID3", re.DOTALL)
_LOST_BYTES = 1 << 20
"""So far another frame is looked for."""
_RESYNC_BYTES = 1024
"""The decoder finds the next frame by itself within so many bytes, not beyond."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of one frame of layer I, II or III."""

    version: int
    """3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5."""
    layer: int
    rate_hz: int
    channels: int
    size: int
    """Bytes, header included."""

    @property
    def signal(self) -> tuple[int, int, int, int]:
        """What stays the same within one recording."""
        return self.version, self.layer, self.rate_hz, self.channels

    @property
    def mark_at(self) -> int:
        """Where Xing or Info stands in a frame that says how long the file is."""
        if self.version == 3:
            return 36 if self.channels == 2 else 21
        return 21 if self.channels == 2 else 13


@dataclass(frozen=True, slots=True)
class Run:
    """One recording's frames, bytes `start` to `end`. `counted`: its first frame says how many follow, and is right."""

    start: int
    end: int
    first: Frame
    frames: int
    counted: bool


def frame_at(data: bytes, at: int) -> Frame | None:
    """The frame that begins at `at`, if one does."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate, bits = head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer == 4 or rate == 3 or bits in (0, 15):
        return None
    first = version == 3
    kbps = _KBPS[1 if first else 2, layer if first or layer == 1 else 2][bits]
    rate_hz, padding = _RATES_HZ[version][rate], head[2] >> 1 & 1
    if layer == 1:
        size = (12_000 * kbps // rate_hz + padding) * 4
    else:
        size = (144_000 if first or layer == 2 else 72_000) * kbps // rate_hz + padding
    return Frame(version, layer, rate_hz, 1 if head[3] >> 6 == 3 else 2, size)


def is_mpeg(start: bytes, whole: bool) -> bool:
    """Is it MP3? An ID3v2 tag says so, or three frames in a row. Raises EOFError while that can't be said."""
    if start[:3] == b"ID3" and (len(start) < _ID3_BYTES or id3_bytes(start, 0)):
        if len(start) < _ID3_BYTES and not whole:
            raise EOFError
        return True
    return _in_a_row(start, whole, _mpeg_size)


def is_adts(start: bytes, whole: bool) -> bool:
    """Is it AAC in ADTS? Raises EOFError while that can't be said."""
    return _in_a_row(start, whole, _adts_size)


def id3_bytes(data: bytes, at: int) -> int:
    """Length of the ID3v2 tag at `at`; 0: there is none."""
    head = data[at : at + _ID3_BYTES]
    if len(head) < _ID3_BYTES or head[:3] != b"ID3" or head[3] == 0xFF or any(byte & 0x80 for byte in head[6:]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return _ID3_BYTES + size + (_ID3_BYTES if head[5] & 0x10 else 0)


def runs(data: bytes, at: int) -> Iterator[Run]:
    """Every recording among the frames from `at` on: a new one begins with a new signal, tag or count of frames."""
    found = _resync(data, at, None)
    while found is not None:
        start = found
        first = frame_at(data, start)
        assert first is not None
        count = _said_frames(data, start, first)
        frames, at, found = 0, start, None
        while at < len(data):
            frame = frame_at(data, at)
            if frame is None or frame.signal != first.signal:
                found = _resync(data, at, first)
                if found is None or not _goes_on(data, at, found, first):
                    break
                at, found = found, None
            elif frames and _said_frames(data, at, frame) is not None:
                found = at
                break
            else:
                frames, at = frames + 1, at + frame.size
        yield Run(start, min(at, len(data)), first, frames, count is not None and count in (frames, frames - 1))


def count_frame(frame: Frame, frames: int) -> bytes:
    """A frame that says how many follow: without one the decoder guesses a length, and stops too soon."""
    first = frame.version == 3
    bits, kbps = (9, 128) if first else (8, 64)
    version = {3: 3, 2: 2, 0: 0}[frame.version]
    rate = _RATES_HZ[frame.version].index(frame.rate_hz)
    mode = 3 if frame.channels == 1 else 0
    head = bytes([0xFF, 0xE0 | version << 3 | 1 << 1 | 1, bits << 4 | rate << 2, mode << 6])
    size = (144_000 if first else 72_000) * kbps // frame.rate_hz
    said = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (head + bytes(frame.mark_at - 4) + said).ljust(size, b"\0")


def _goes_on(data: bytes, broken_at: int, found: int, first: Frame) -> bool:
    """After a few broken bytes the same recording goes on; after a tag, or many of them, another one may begin."""
    frame = frame_at(data, found)
    same = frame is not None and frame.signal == first.signal and _said_frames(data, found, frame) is None
    return same and found - broken_at <= _RESYNC_BYTES and data[broken_at : broken_at + 3] != b"ID3"


def _said_frames(data: bytes, at: int, frame: Frame) -> int | None:
    """How many frames follow, as the frame at `at` says; None: it is a frame like others, 0: it doesn't know."""
    mark = data[at + frame.mark_at : at + frame.mark_at + 4]
    if mark in (b"Xing", b"Info"):
        said = data[at + frame.mark_at + 4 : at + frame.mark_at + 12]
        return int.from_bytes(said[4:], "big") if len(said) == 8 and said[3] & 1 else 0
    if data[at + 36 : at + 40] == b"VBRI":
        return int.from_bytes(data[at + 50 : at + 54], "big")
    return None


def _resync(data: bytes, at: int, before: Frame | None) -> int | None:
    """Where the next frames begin: two in a row, or one at the very end; tags are stepped over.

    None: nowhere within _LOST_BYTES of what is neither frame nor tag.
    """
    given_up = at + _LOST_BYTES
    while at < min(given_up, len(data) - 3):
        tag = id3_bytes(data, at)
        if tag:
            at, given_up = at + tag, at + tag + _LOST_BYTES
            continue
        frame = frame_at(data, at)
        if frame is not None:
            after = at + frame.size
            following = frame_at(data, after)
            last = after >= len(data) or data[after : after + 3] in (b"TAG", b"ID3", b"APE")
            if (following is not None and following.signal[:3] == frame.signal[:3]) or (last and before is not None):
                return at
        at = _next_candidate(data, at + 1)
    return None


def _next_candidate(data: bytes, at: int) -> int:
    found = _CANDIDATE.search(data, at)
    return found.start() if found is not None else len(data)


def _mpeg_size(data: bytes, at: int) -> tuple[int, object] | None:
    frame = frame_at(data, at)
    # Layer I is no MP3, and its first bytes are what silence is in u-law.
    return (frame.size, frame.signal[:3]) if frame is not None and frame.layer > 1 else None


def _adts_size(data: bytes, at: int) -> tuple[int, object] | None:
    head = data[at : at + _ADTS_HEAD_BYTES]
    if len(head) < _ADTS_HEAD_BYTES or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (size, (head[1] & 8, head[2] & 0xFC)) if size > 7 else None


def _in_a_row(start: bytes, whole: bool, size_at: Callable[[bytes, int], tuple[int, object] | None]) -> bool:
    """Do frames of one signal follow each other? A whole file may end with the first. Raises EOFError."""
    if not start or start[0] != 0xFF or (len(start) > 1 and start[1] & 0xE0 != 0xE0):
        return False
    at, signal = 0, None
    for number in range(_FRAMES_IN_A_ROW):
        if at + _ADTS_HEAD_BYTES > len(start):
            if not whole:
                raise EOFError
            return number > 1 or (number == 1 and at == len(start))
        found = size_at(start, at)
        if found is None or signal not in (None, found[1]):
            return False
        at, signal = at + found[0], found[1]
    return True
