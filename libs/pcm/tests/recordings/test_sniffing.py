"""Files are known by how they begin; sound is never taken for one."""

import audioop

import numpy as np
import pytest
from pcm.sniffing import LOOK_BYTES, Kind, sniff

from .sounds import FILES, TONE, file_of

STARTS: dict[Kind, bytes] = {
    Kind.WAV: FILES["wav PCM_16"],
    Kind.WAVE64: FILES["W64 PCM_16"],
    Kind.AIFF: FILES["AIFF PCM_16"],
    Kind.CAF: FILES["CAF PCM_16"],
    Kind.AU: FILES["AU PCM_16"],
    Kind.FLAC: FILES["FLAC 24"],
    Kind.OGG: file_of(TONE, "OGG", "OPUS"),
    Kind.MP3: file_of(TONE, "MP3", "MPEG_LAYER_III"),
    Kind.MP4: b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00" + bytes(100),
    Kind.MATROSKA: b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01webm" + bytes(100),
    Kind.AMR: b"#!AMR\n" + bytes(100),
    Kind.HTML: b"\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>",
    Kind.XML: b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    Kind.JSON: b'{"error": {"message": "no such file", "code": 404}}',
    Kind.TEXT: b"This is a transcript of what somebody said on the telephone, and no recording of it.",
    Kind.PDF: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    Kind.PNG: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    Kind.JPEG: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    Kind.GIF: b"GIF89a\x01\x00",
    Kind.ZIP: b"PK\x03\x04\x14\x00",
    Kind.MPEG_TS: (b"G\x40\x11\x10" + bytes(184)) * 4,
    Kind.WAVPACK: b"wvpk" + bytes(60),
    Kind.TIFF: b"II*\x00\x08\x00\x00\x00",
    Kind.BMP: b"BM\x36\x00\x0c\x00\x00\x00\x00\x00\x36\x00",
    Kind.XZ: b"\xfd7zXZ\x00\x00\x04",
    Kind.OFFICE: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20),
    Kind.NUMPY: b"\x93NUMPY\x01\x00v\x00",
    Kind.GZIP: b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("kind", STARTS)
def test_a_file_is_known_by_its_start_however_little_of_it_comes_at_once(kind: Kind) -> None:
    data = STARTS[kind]
    assert sniff(data[:LOOK_BYTES], whole=True) is kind
    for size in range(1, len(data)):
        try:
            found = sniff(data[:size], whole=False)
        except EOFError:
            continue
        assert found is kind
        return


def test_sound_is_no_file() -> None:
    random = np.random.default_rng(1)
    for level in np.linspace(-4.5, 0, 300):
        noise = random.normal(random.uniform(-0.02, 0.02), 10**level, 3000)
        pcm16 = np.clip(noise * 32767, -32768, 32767).astype("<i2").tobytes()
        assert sniff(pcm16, whole=True) is None
        for law in (audioop.lin2ulaw(pcm16, 2), audioop.lin2alaw(pcm16, 2)):
            assert sniff(law, whole=True, text=False) is None


def test_a_short_text_alone_is_a_text_and_a_few_samples_are_none() -> None:
    assert sniff(b"not found", whole=True) is Kind.TEXT
    assert sniff(b"AAAA", whole=True) is None
    assert sniff(b"not found", whole=True, text=False) is None


@pytest.mark.parametrize("silence", [b"\x00", b"\xff", b"\xd5", b"\x55", b"\x7f"])
def test_silence_is_decided_within_a_few_bytes(silence: bytes) -> None:
    assert sniff(silence * 320, whole=False, text=False) is None
