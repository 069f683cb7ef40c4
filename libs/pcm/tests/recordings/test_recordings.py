"""Recordings of every kind: the same samples come of each, all parts of joined files, nothing over full scale wraps."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pcm import joined, mpeg
from pcm.compressed import decode_file, read_recording
from pcm.joined import Part
from pcm.mixing import mono_pcm16
from pcm.sniffing import Kind

from .sounds import FILES, RATE_HZ, TONE, chunk, file_of, pcm16, tone, wav_of, with_sizes

REFERENCE = np.frombuffer(pcm16(TONE), "<i2").astype(int)
WAV = file_of(TONE, "WAV", "PCM_16")
LOUD = tone(peak=3.0)


def samples_of(data: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.frombuffer(decode_file(data).pcm16, "<i2").astype(np.int64)


@pytest.mark.parametrize("name", FILES)
def test_the_same_samples_come_of_every_file(name: str) -> None:
    heard = samples_of(FILES[name])
    coarse = any(part in name for part in ("law", "ULAW", "U8", "S8", "ADPCM"))
    # ADPCM comes in whole blocks, and learns its step first.
    start = 2000 if "ADPCM" in name else 0
    assert abs(len(heard) - len(REFERENCE)) <= (600 if "ADPCM" in name else 1)
    assert np.abs(heard[start:15_999] - REFERENCE[start:15_999]).max() <= (700 if coarse else 2)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
)
def test_what_is_over_full_scale_is_clipped_and_never_wrapped(kind: str, subtype: str) -> None:
    heard = samples_of(file_of(LOUD, kind, subtype))[2000:14_000]
    wave = LOUD[2000:14_000]
    clearly = np.abs(wave) > 1.5
    if subtype in ("FLOAT", "DOUBLE"):
        assert (np.sign(heard[clearly]) == np.sign(wave[clearly])).all()
    # A wrapped sample jumps by nearly all of the scale; a clipped wave of 220 Hz moves by a fraction of it.
    assert np.abs(np.diff(heard)).max() < 24_000
    assert (np.abs(heard) >= 32_766).mean() > 0.5


def test_what_is_no_number_is_silence_and_what_is_infinite_full_scale() -> None:
    broken = TONE.copy()
    broken[100:200], broken[300], broken[301] = np.nan, np.inf, -np.inf
    heard = samples_of(file_of(broken, "WAV", "FLOAT"))
    assert not heard[100:200].any()
    assert list(heard[300:302]) == [32_767, -32_768]
    assert np.abs(heard[400:] - REFERENCE[400:]).max() <= 1
    assert set(samples_of(file_of(np.sign(TONE) * 1e300, "WAV", "DOUBLE"))) <= {0, 32_767, -32_768}


@given(st.lists(st.floats(width=32), min_size=1, max_size=64))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_any_float_becomes_the_nearest_sample(values: list[float]) -> None:
    block = np.array(values, np.float32)[:, None]
    made = np.frombuffer(mono_pcm16(block), "<i2")
    wanted = np.rint(np.clip(np.nan_to_num(block[:, 0], nan=0, posinf=1, neginf=-1), -1, 1) * 32768.0)
    assert (np.abs(made - np.clip(wanted, -32768, 32767)) <= 1).all()


MP3 = file_of(TONE, "MP3", "MPEG_LAYER_III")
MP3_44 = file_of(np.repeat(tone(1, 44_100)[:, None], 2, axis=1), "MP3", "MPEG_LAYER_III", 44_100)
FLAC, FLAC_44 = file_of(TONE, "FLAC", "PCM_16"), file_of(tone(1, 44_100), "FLAC", "PCM_24", 44_100)
OPUS, VORBIS = file_of(TONE, "OGG", "OPUS"), file_of(TONE, "OGG", "VORBIS")
VORBIS_44 = file_of(np.repeat(tone(1, 44_100)[:, None], 2, axis=1), "OGG", "VORBIS", 44_100)
ID3 = b"ID3\x03\x00\x00" + bytes([0, 0, 40, 0]) + bytes(40 * 128)
ID3V1 = b"TAG" + bytes(125)
PIPED = with_sizes(WAV, 0xFFFFFFFF, 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("parts", "seconds"),
    [
        ([MP3, MP3], 2),
        ([MP3, MP3_44, MP3], 3),
        ([ID3, MP3, ID3V1, ID3, MP3_44, ID3V1], 2),
        ([MP3, WAV], 2),
        ([FLAC, FLAC], 2),
        ([FLAC, FLAC_44, FLAC], 3),
        ([ID3, FLAC, FLAC], 2),
        ([FLAC, WAV, FLAC_44], 3),
        ([FLAC, MP3], 2),
        ([FLAC, OPUS, MP3, FLAC], 4),
        ([OPUS, OPUS], 2),
        ([OPUS, VORBIS, VORBIS_44], 3),
        ([WAV, WAV], 2),
        ([WAV, chunk(b"LIST", b"INFOx"), FILES["wav FLOAT"], MP3], 3),
        ([PIPED, PIPED], 2),
        ([with_sizes(WAV, 0, 0), with_sizes(FILES["wav PCM_24"], 0)], 2),
        ([FILES["AIFF PCM_16"], FILES["AIFF FLOAT"]], 2),
        ([WAV, bytes(512), WAV], 2),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, list) else str(value),
)
def test_of_joined_files_every_part_is_heard(parts: list[bytes], seconds: int) -> None:
    heard = samples_of(b"".join(parts))
    rate_hz = decode_file(b"".join(parts)).rate_hz
    assert len(heard) / rate_hz == pytest.approx(seconds, abs=0.03)
    for second in range(seconds):
        middle = heard[int((second + 0.3) * rate_hz) : int((second + 0.7) * rate_hz)]
        assert np.abs(middle).max() == pytest.approx(9830, rel=0.08)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_that_does_not_say_its_length_is_heard_to_its_end(mode: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, 2 * RATE_HZ)
    sound = np.concatenate([TONE, np.zeros(2 * RATE_HZ), noise])
    whole = file_of(sound, "MP3", "MPEG_LAYER_III", bitrate_mode=mode, compression_level=0.3)
    first = mpeg.frame_at(whole, 0)
    assert first is not None
    heard = samples_of(whole[first.size :])
    assert len(heard) / RATE_HZ == pytest.approx(5, abs=0.15)
    assert np.abs(heard[-RATE_HZ // 2 :]).max() > 8000


def test_a_file_of_very_many_parts_is_refused() -> None:
    for part in (wav_of(b"", 1, 16), b"\x1a\x45\xdf\xa3webm", b"OggS\x00\x02" + bytes(21) + b"OggS" + bytes(23)):
        with pytest.raises(ValueError, match="more than 1000 recordings"):
            list(joined.parts(part * 50_000))


@pytest.mark.parametrize(
    "junk",
    [b"\xff\xfb" * 500_000, b"ID3\x03\x00\x00\x00\x00\x00\x00" * 50_000, b"OggS" * 200_000, b"RIFF" * 200_000],
    ids=["sync codes", "tags", "pages", "headers"],
)
def test_bytes_that_look_like_many_beginnings_cost_little(junk: bytes) -> None:
    for lead in (MP3, OPUS, WAV, with_sizes(WAV, 0)):
        assert len(list(joined.parts(lead + junk))) < 4


@pytest.mark.parametrize("part", [0.3, 0.5, 0.501, 0.75, 0.9, 0.999])
def test_a_flac_recording_that_was_broken_off_is_heard_as_far_as_it_goes(part: float) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 4 * RATE_HZ)
    whole = file_of(sound, "FLAC", "PCM_16")
    heard = samples_of(whole[: int(part * len(whole))])
    assert len(heard) / RATE_HZ == pytest.approx(4 * part, abs=0.3)
    assert np.abs(heard - np.rint(sound[: len(heard)] * 32768)).max() <= 1
    assert len(samples_of(whole)) == 4 * RATE_HZ


def test_an_aiff_file_whose_sizes_were_never_written_is_heard() -> None:
    broken = bytearray(FILES["AIFF PCM_16"])
    for at in (4, broken.index(b"SSND") + 4, broken.index(b"COMM") + 10):
        broken[at : at + 4] = bytes(4)
    assert np.abs(samples_of(bytes(broken)) - REFERENCE).max() <= 1


def test_a_wav_without_audio_is_empty_and_its_chunks_are_none() -> None:
    assert decode_file(wav_of(b"", 1, 16, extra=chunk(b"LIST", b"INFO" + bytes(500)))).pcm16 == b""


@given(st.binary(max_size=4000), st.integers(0, 60))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_broken_bytes_are_an_error_or_audio_and_nothing_else(junk: bytes, at: int) -> None:
    for good in (WAV, MP3, OPUS, FLAC):
        broken = good[:at] + junk + good[at + len(junk) : 6000]
        try:
            decode_file(broken)
        except ValueError as error:
            assert "send" in str(error)  # noqa: PT017  # most of them are audio still


def test_what_is_no_audio_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"<!DOCTYPE html><html><body>not here</body></html>")
    with pytest.raises(ValueError, match=r"a.wav: .*it begins like HTML, which is no audio"):
        read_recording(path)


def test_parts_say_where_they_lie() -> None:
    size = len(WAV)
    assert list(joined.parts(WAV + MP3)) == [Part(Kind.WAV, 0, size), Part(Kind.MP3, size, size + len(MP3))]
    piped = list(joined.parts(PIPED))
    assert piped == [Part(Kind.WAV, 0, size, mended={40: struct.pack("<I", size - 44), 4: struct.pack("<I", size - 8)})]
