"""What kind of file do these bytes begin? By its signature, whatever its name or the request says. Pure.

Bare samples have no signature, and any two bytes may begin them. So a kind is known by four bytes or more that say it,
and MPEG frames, which begin with eleven set bits, by three of them in a row.
"""

import re
from enum import Enum

from pcm.mpeg import is_adts, is_mpeg

LOOK_BYTES = 8192
"""So much of the start is enough for every kind."""
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide")
_TEXT_BYTES = 64
_SHORTEST_TEXT_BYTES = 8
"""If nothing follows: no sound is so short."""
_LEAST_LETTERS = 10


class Kind(Enum):
    """What a file is; the value is the name users know."""

    WAV = "WAV"
    WAVE64 = "Wave64"
    AIFF = "AIFF"
    CAF = "CAF"
    AU = "AU"
    FLAC = "FLAC"
    OGG = "Ogg"
    MP3 = "MP3"
    AAC = "AAC"
    MP4 = "M4A/MP4"
    MATROSKA = "WebM/Matroska"
    AMR = "AMR"
    ASF = "WMA/ASF"
    AVI = "AVI"
    FLV = "FLV"
    MIDI = "MIDI"
    HTML = "HTML"
    XML = "XML"
    JSON = "JSON"
    TEXT = "plain text"
    PDF = "PDF"
    PNG = "PNG"
    JPEG = "JPEG"
    GIF = "GIF"
    WEBP = "WebP"
    ZIP = "ZIP"
    GZIP = "gzip"

    @property
    def is_audio(self) -> bool:
        """May there be sound in it?"""
        return self not in _NO_AUDIO


_NO_AUDIO = frozenset(
    [Kind.MIDI, Kind.HTML, Kind.XML, Kind.JSON, Kind.TEXT, Kind.PDF, Kind.PNG, Kind.JPEG, Kind.GIF, Kind.WEBP, Kind.ZIP,
     Kind.GZIP]
)  # fmt: skip

_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (rb"(RIFF|RIFX|RF64|BW64)....WAVE", Kind.WAV),
    (rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", Kind.WAVE64),
    (rb"FORM....AIF[FC]", Kind.AIFF),
    (rb"caff\x00\x01", Kind.CAF),
    (rb"\.snd\x00\x00..", Kind.AU),
    (rb"dns\.....", Kind.AU),
    (rb"fLaC", Kind.FLAC),
    (rb"OggS", Kind.OGG),
    (rb"....(ftyp|moov|mdat|wide)", Kind.MP4),
    (rb"\x1a\x45\xdf\xa3", Kind.MATROSKA),
    (rb"#!AMR", Kind.AMR),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind.ASF),
    (rb"RIFF....AVI ", Kind.AVI),
    (rb"RIFF....WEBP", Kind.WEBP),
    (rb"FLV\x01[\x01\x04\x05]", Kind.FLV),
    (rb"MThd\x00\x00\x00\x06", Kind.MIDI),
    (rb"%PDF-", Kind.PDF),
    (rb"\x89PNG\r\n\x1a\n", Kind.PNG),
    (rb"\xff\xd8\xff[\xdb\xe0\xe1\xe2\xee]", Kind.JPEG),
    (rb"GIF8[79]a", Kind.GIF),
    (rb"PK\x03\x04", Kind.ZIP),
    (rb"\x1f\x8b\x08[\x00-\x1f]", Kind.GZIP),
    (rb"(\xef\xbb\xbf)?\s*<(?i:!doctype\s+html|html|head|body)[\s>]", Kind.HTML),
    (rb"(\xef\xbb\xbf)?\s*<\?xml\s", Kind.XML),
    (rb'(\xef\xbb\xbf)?\s*(\{\s*"[^"\x00-\x1f\x7f-\xff]*"\s*:|\[\s*\{\s*")', Kind.JSON),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), kind) for pattern, kind in _SIGNATURES)
_PREFIXES = (
    *(b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"caff\x00\x01", b".snd", b"dns.", b"fLaC", b"OggS"),
    *(b"ID3", b"\x1a\x45\xdf\xa3", b"#!AMR", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"FLV\x01", b"MThd", b"%PDF-"),
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b\x08"),
)  # fmt: skip


def sniff(start: bytes, *, whole: bool, text: bool = True) -> Kind | None:
    """The kind of what begins so; None for bare samples, or for what nobody knows.

    `whole`: nothing comes after `start`. `text`: plain text counts as a kind (among G.711's codes it may be sound).

    Raises:
        EOFError: not to be said yet: call again with more bytes.
    """
    for pattern, kind in _PATTERNS:
        if pattern.match(start):
            return kind
    for is_kind, kind in ((is_mpeg, Kind.MP3), (is_adts, Kind.AAC)):
        try:
            if is_kind(start, whole):
                return kind
        except EOFError:
            if len(start) < LOOK_BYTES:
                raise
    if text and (len(start) >= _TEXT_BYTES or (whole and len(start) > _SHORTEST_TEXT_BYTES)) and _is_text(start):
        return Kind.TEXT
    if not whole and _may_become_one(start, text):
        raise EOFError
    return None


def _may_become_one(start: bytes, text: bool) -> bool:
    if len(start) < 16 and any(start.startswith(one[: len(start)]) for one in _PREFIXES):
        return True
    if len(start) < 8 and start[:1] == b"\0" and any(name.startswith(start[4:]) for name in _FIRST_BOXES):
        return True
    if len(start) >= _TEXT_BYTES:
        return False
    opening = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return _is_text_so_far(start) and (text or opening in (b"<", b"{", b"["))


def _is_text_so_far(start: bytes) -> bool:
    """Only characters of a text; the last one may be cut off."""
    try:
        letters = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        letters = start[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\t\r\n\ufeff" for letter in letters)


def _is_text(start: bytes) -> bool:
    """Samples are not all printable for so long; a text has more than a few different letters."""
    return _is_text_so_far(start) and len(set(start)) >= min(_LEAST_LETTERS, len(start) // 2)
