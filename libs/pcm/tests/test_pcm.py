"""Audio survives every change of form."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from pcm import (
    AudioFormat,
    Clip,
    Encoding,
    Framer,
    Resampler,
    dbfs,
    duration_s,
    parse_riff,
    read_wav,
    samples,
    silence,
    write_wav,
)


def tone(seconds: float, rate_hz: int, hz: float = 440.0, peak: int = 10_000) -> bytes:
    """A sine wave."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (peak * np.sin(2 * math.pi * hz * times)).astype("<i2").tobytes()


def test_durations_count_samples() -> None:
    assert samples(silence(0.02, 16_000)) == 320
    assert duration_s(silence(1.5, 8_000), 8_000) == 1.5


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.ALAW])
def test_companded_audio_is_half_the_size_and_close_to_the_original(encoding: Encoding) -> None:
    original = tone(0.1, 8_000)
    wire = AudioFormat(encoding, 8_000).encode(original)
    assert len(wire) == samples(original)
    decoded = np.frombuffer(AudioFormat(encoding, 8_000).decode(wire), dtype="<i2").astype(float)
    error = decoded - np.frombuffer(original, dtype="<i2")
    assert np.sqrt(np.mean(error**2)) < 0.03 * 10_000


def test_frames_keep_odd_bytes_for_later() -> None:
    framer = Framer(4)
    assert framer.push(b"abc") == []
    assert framer.push(b"defghi") == [b"abcd", b"efgh"]
    assert framer.flush() == b"i"
    assert framer.push(b"wxyz") == [b"wxyz"]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 16_000), (8_000, 16_000), (22_050, 16_000)])
def test_resampling_in_chunks_equals_resampling_at_once(from_hz: int, to_hz: int) -> None:
    audio = tone(0.5, from_hz)
    chunked, whole = Resampler(from_hz, to_hz), Resampler(from_hz, to_hz)
    step = 2 * 441
    pieces = b"".join(chunked.push(audio[at : at + step]) for at in range(0, len(audio), step))
    in_chunks = np.frombuffer(pieces + chunked.flush(), dtype="<i2").astype(int)
    at_once = np.frombuffer(whole.push(audio) + whole.flush(), dtype="<i2")
    assert np.abs(in_chunks - at_once).max() <= 1
    assert len(in_chunks) == pytest.approx(0.5 * to_hz, abs=1)
    assert 0.5 - duration_s(pieces, to_hz) <= 0.005, "a live stream is held up"


def test_equal_rates_pass_through() -> None:
    same = Resampler(16_000, 16_000)
    assert same.push(b"\x01\x02") == b"\x01\x02"
    assert same.flush() == b""


def test_levels() -> None:
    assert dbfs(b"") == dbfs(silence(0.1, 8_000)) == -96.0
    assert dbfs(tone(1, 16_000, peak=32_767)) == pytest.approx(-3.0, abs=0.1)


def test_a_wav_file_comes_back_as_it_went(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio = tone(0.25, 16_000)
    write_wav(path, [audio], 16_000)
    assert read_wav(path) == Clip(audio, 16_000)
    assert parse_riff(path.read_bytes()).audio_offset == 44  # type: ignore[union-attr]


def test_stereo_is_mixed_down_and_short_tracks_are_filled(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, [struct.pack("<3h", 100, 200, 300), struct.pack("<h", 300)], 8_000)
    assert read_wav(path).pcm16 == struct.pack("<3h", 200, 100, 150)


def test_a_clip_changes_its_rate() -> None:
    clip = Clip(tone(0.5, 8_000), 8_000).at(16_000)
    assert clip.duration_s == pytest.approx(0.5, abs=0.001)


def test_a_file_that_is_no_wav_is_named(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3 and so on")
    with pytest.raises(ValueError, match=r"song\.mp3 is not a WAV"):
        read_wav(path)


def test_a_header_may_arrive_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, [tone(0.01, 8_000)], 8_000)
    data = path.read_bytes()
    for size in range(1, 44):
        with pytest.raises(EOFError):
            parse_riff(data[:size])
    header = parse_riff(data[:44])
    assert header is not None
    assert header.format == AudioFormat(Encoding.PCM16, 8_000)
    assert header.channels == 1


def test_bare_audio_has_no_header() -> None:
    assert parse_riff(b"\x00\x01") is None
    assert parse_riff(tone(0.01, 8_000)) is None
    assert parse_riff(b"RIFF\x00\x00\x00\x00AVI LIST") is None


def test_a_header_of_float_samples_is_refused_with_a_sentence() -> None:
    head = b"RIFF" + struct.pack("<I", 100) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 1, 16_000, 64_000, 4, 32)
    head += b"data" + bytes(4)
    with pytest.raises(ValueError, match="send 16-bit PCM"):
        parse_riff(head)
