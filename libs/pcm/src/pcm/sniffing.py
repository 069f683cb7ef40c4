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
    MPEG_TS = "MPEG-TS"
    WAVPACK = "WavPack"
    TTA = "TTA"
    APE = "Monkey's Audio"
    DSD = "DSD"
    REAL = "RealMedia"
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
    TIFF = "TIFF"
    BMP = "BMP"
    ZIP = "ZIP"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "XZ"
    ZSTD = "Zstandard"
    SEVEN_ZIP = "7-Zip"
    RAR = "RAR"
    OFFICE = "an Office document"
    NUMPY = "NumPy"
    SQLITE = "SQLite"
    ELF = "an ELF program"

    @property
    def is_audio(self) -> bool:
        """May there be sound in it?"""
        return self not in _NO_AUDIO


_NO_AUDIO = frozenset(list(Kind)[list(Kind).index(Kind.MIDI) :])
"""MIDI and all that follow it: notes, texts, pictures, archives."""

_STARTS: tuple[tuple[bytes, bytes, Kind], ...] = (
    *((magic, rb"....WAVE", Kind.WAV) for magic in (b"RIFF", b"RIFX", b"RF64", b"BW64")),
    (b"RIFF", rb"....AVI ", Kind.AVI),
    (b"RIFF", rb"....WEBP", Kind.WEBP),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", rb"", Kind.WAVE64),
    (b"FORM", rb"....AIF[FC]", Kind.AIFF),
    (b"caff\x00\x01", rb"", Kind.CAF),
    (b".snd\x00\x00", rb"", Kind.AU),
    (b"dns.", rb"", Kind.AU),
    (b"fLaC", rb"", Kind.FLAC),
    (b"OggS", rb"", Kind.OGG),
    (b"\x1a\x45\xdf\xa3", rb"", Kind.MATROSKA),
    (b"#!AMR", rb"", Kind.AMR),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", rb"", Kind.ASF),
    (b"FLV\x01", rb"[\x01\x04\x05]", Kind.FLV),
    (b"wvpk", rb"", Kind.WAVPACK),
    (b"TTA1", rb"", Kind.TTA),
    (b"MAC ", rb"", Kind.APE),
    (b"DSD ", rb"", Kind.DSD),
    (b".RMF", rb"", Kind.REAL),
    (b"MThd\x00\x00\x00\x06", rb"", Kind.MIDI),
    (b"%PDF-", rb"", Kind.PDF),
    (b"\x89PNG\r\n\x1a\n", rb"", Kind.PNG),
    (b"\xff\xd8\xff", rb"[\xdb\xe0\xe1\xe2\xee]", Kind.JPEG),
    (b"GIF8", rb"[79]a", Kind.GIF),
    (b"II*\x00", rb"", Kind.TIFF),
    (b"MM\x00*", rb"", Kind.TIFF),
    (b"BM", rb"....\x00\x00\x00\x00", Kind.BMP),
    (b"PK\x03\x04", rb"", Kind.ZIP),
    (b"\x1f\x8b\x08", rb"[\x00-\x1f]", Kind.GZIP),
    (b"BZh", rb"[1-9]1AY&SY", Kind.BZIP2),
    (b"\xfd7zXZ\x00", rb"", Kind.XZ),
    (b"\x28\xb5\x2f\xfd", rb"", Kind.ZSTD),
    (b"7z\xbc\xaf\x27\x1c", rb"", Kind.SEVEN_ZIP),
    (b"Rar!\x1a\x07", rb"", Kind.RAR),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", rb"", Kind.OFFICE),
    (b"\x93NUMPY", rb"", Kind.NUMPY),
    (b"SQLite format 3\x00", rb"", Kind.SQLITE),
    (b"\x7fELF", rb"", Kind.ELF),
)
"""What a file begins with, and how it goes on."""
_PATTERNS = (
    *((re.compile(re.escape(start) + behind, re.DOTALL), kind) for start, behind, kind in _STARTS),
    (re.compile(rb"....(ftyp|moov|mdat|wide)", re.DOTALL), Kind.MP4),
    (re.compile(rb"G.{187}G.{187}G", re.DOTALL), Kind.MPEG_TS),
    (re.compile(rb"(\xef\xbb\xbf)?\s*<(?i:!doctype\s+html|html|head|body)[\s>]"), Kind.HTML),
    (re.compile(rb"(\xef\xbb\xbf)?\s*<\?xml\s"), Kind.XML),
    (re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*"[^"\x00-\x1f\x7f-\xff]*"\s*:|\[\s*\{\s*")'), Kind.JSON),
)
_BEGINNINGS = (b"ID3", *(start for start, _, _ in _STARTS))
_TS_PACKET_BYTES = 188
_SIGNATURE_BYTES = 16
"""Longer than any start with what follows it."""


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
    if len(start) < _SIGNATURE_BYTES and any(start.startswith(one[: len(start)]) for one in _BEGINNINGS):
        return True
    if start[:1] == b"G" and len(start) <= 2 * _TS_PACKET_BYTES and start[_TS_PACKET_BYTES:][:1] in (b"", b"G"):
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
