"""Files that are still arriving: every kind of WAV, files that follow one another, kinds that are refused by name."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import soundfile
from pcm import Encoding
from speech_server.core.asr.audio_decoder import AudioDecoder, Compressed
from speech_server.errors import BadRequest

RATE_HZ = 16_000
TONE = 0.3 * np.sin(2 * np.pi * 220 * np.arange(RATE_HZ) / RATE_HZ)
PCM16 = np.rint(TONE * 32768).astype("<i2")
SIZES = [1, 7, 44, 320, 4096, 1 << 20]


def file_of(kind: str, subtype: str, samples: Any = TONE, rate_hz: int = RATE_HZ) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, rate_hz, format=kind, subtype=subtype)
    return made.getvalue()


def heard(data: bytes, size: int, encoding: Encoding | Compressed = Encoding.PCM16) -> "np.ndarray[Any, Any]":
    way_in = AudioDecoder(encoding, None)
    pieces = [way_in.push(data[at : at + size]) for at in range(0, len(data), size)]
    return np.frombuffer(b"".join([*pieces, way_in.flush()]), "<i2").astype(int)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def of_size_0(wav: bytes) -> bytes:
    at = wav.index(b"data") + 4
    return wav[:at] + bytes(4) + wav[at + 4 :]


def odd(wav: bytes, pad: bytes) -> bytes:
    """A file with half a sample more, and its size odd."""
    at = wav.index(b"data") + 4
    size = struct.unpack_from("<I", wav, at)[0] + 1
    return wav[:at] + struct.pack("<I", size) + wav[at + 4 :] + b"\x01" + pad


WAV, FLAC, OPUS = file_of("WAV", "PCM_16"), file_of("FLAC", "PCM_16"), file_of("OGG", "OPUS")
VORBIS_44 = file_of("OGG", "VORBIS", np.repeat(TONE[:, None], 2, axis=1), 44_100)
LIST = chunk(b"LIST", b"INFO" + b"\x55" * 30_001)


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
def test_every_kind_of_samples_is_heard_while_it_arrives(kind: str, subtype: str) -> None:
    coarse = subtype in ("PCM_U8", "ULAW", "ALAW")
    for data in (file_of(kind, subtype), of_size_0(file_of(kind, subtype)) if kind != "RF64" else b""):
        if data:
            samples = heard(data, 321)
            assert len(samples) == RATE_HZ
            assert np.abs(samples - PCM16).max() <= (700 if coarse else 2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "behind", [b"", LIST, LIST + chunk(b"id3 ", b"x" * 99), b"\xff\x00junk" * 5000], ids=["none", "LIST", "two", "junk"]
)
def test_what_stands_behind_the_audio_is_not_heard(size: int, behind: bytes) -> None:
    for data in (WAV, odd(WAV, b"\0"), odd(WAV, b"")):
        samples = heard(data + behind, size)
        assert len(samples) == RATE_HZ
        assert np.abs(samples - PCM16).max() <= 1


def test_an_empty_wav_has_no_sound_whatever_chunks_it_has() -> None:
    empty = of_size_0(file_of("WAV", "PCM_16", TONE[:0]))
    assert not len(heard(empty + LIST, 100))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("parts", "seconds"),
    [
        ((WAV, WAV), 2),
        ((WAV, LIST, file_of("WAV", "FLOAT"), FLAC), 3),
        ((odd(WAV, b""), WAV), 2),
        ((FLAC, FLAC), 2),
        ((FLAC, file_of("FLAC", "PCM_24", np.repeat(TONE, 3), 48_000)), 2),
        ((FLAC, WAV), 2),
        ((FLAC, OPUS), 2),
        ((OPUS, OPUS), 2),
        ((OPUS, VORBIS_44), 1.363),
    ],
    ids=["wav", "wav float flac", "odd", "flac", "flac of two rates", "flac wav", "flac opus", "opus", "opus vorbis"],
)
def test_of_files_that_follow_one_another_all_is_heard(parts: tuple[bytes, ...], seconds: float, size: int) -> None:
    if size == 1 and len(b"".join(parts)) > 60_000:
        size = 13
    samples = heard(b"".join(parts), size)
    assert len(samples) / RATE_HZ == pytest.approx(seconds, abs=0.02)
    assert np.abs(samples[-4000:-2000]).max() == pytest.approx(9830, rel=0.1)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_flac_stream_that_ends_inside_a_frame_is_heard_as_far_as_it_goes(size: int) -> None:
    assert len(heard(FLAC[: len(FLAC) * 2 // 3], size)) / RATE_HZ == pytest.approx(2 / 3, abs=0.3)


def test_loud_audio_is_clipped_and_never_wrapped() -> None:
    for data in (file_of("OGG", "VORBIS", TONE * 10), file_of("WAV", "FLOAT", TONE * 10)):
        samples = heard(data, 999)[1000:-1000]
        assert np.abs(np.diff(samples)).max() < 24_000
        assert np.abs(samples).max() >= 32_767


FOREIGN = {
    "MP3": file_of("MP3", "MPEG_LAYER_III"),
    "AIFF": file_of("AIFF", "PCM_16"),
    "CAF": file_of("CAF", "PCM_16"),
    "M4A/MP4": b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00M4A mp42isom" + bytes(2000),
    "WebM/Matroska": b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01webm" + bytes(2000),
    "HTML": b"<html><head><title>502 Bad Gateway</title></head>" + b"<p>no</p>" * 200,
    "JSON": b'{"detail": "not found"}' * 100,
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(2000),
    "PDF": b"%PDF-1.7\n" + bytes(2000),
}


@pytest.mark.parametrize("encoding", [Encoding.PCM16, Encoding.MULAW, Compressed.FLAC])
@pytest.mark.parametrize("name", FOREIGN)
def test_another_kind_of_file_is_refused_by_name(name: str, encoding: Encoding | Compressed) -> None:
    for size in (3, 640, 1 << 20):
        with pytest.raises(BadRequest, match=name):
            heard(FOREIGN[name], size, encoding)


def test_a_wav_of_a_codec_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="IMA ADPCM"):
        heard(file_of("WAV", "IMA_ADPCM"), 500)


def test_where_the_encoding_names_another_file_the_file_is_right() -> None:
    assert len(heard(WAV, 500, Compressed.FLAC)) == RATE_HZ
    assert len(heard(OPUS, 500, Compressed.FLAC)) == RATE_HZ
