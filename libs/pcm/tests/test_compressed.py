"""Compressed files and streams: what goes in comes out, however it is cut."""

import io
import math
from array import array
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from pcm import Clip, samples, silence
from pcm.compressed import Container, EncodedStream, FlacStream, OggStream, decode_file, encode_file

RATE_HZ = 16_000


def tone(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    waves = (round(9000 * math.sin(2 * math.pi * 300 * n / rate_hz)) for n in range(round(seconds * rate_hz)))
    return array("h", waves).tobytes()


def push_all(stream: FlacStream | OggStream, data: bytes, step: int) -> bytes:
    """All that comes of the data in pieces of `step`, the end included."""
    return b"".join(stream.push(data[at : at + step]) for at in range(0, len(data), step)) + stream.flush()


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_a_lossless_file_gives_back_every_sample(container: Container) -> None:
    clip = Clip(tone(1.5), RATE_HZ)
    assert decode_file(encode_file(clip, container)) == clip


@pytest.mark.parametrize("container", ["opus", "mp3"])
def test_a_lossy_file_gives_back_the_length(container: Container) -> None:
    decoded = decode_file(encode_file(Clip(tone(1.5), RATE_HZ), container))
    assert decoded.rate_hz == RATE_HZ
    assert decoded.duration_s == pytest.approx(1.5, abs=0.08)
    assert max(array("h", decoded.pcm16)) > 7000


@pytest.mark.parametrize(("container", "make"), [("flac", FlacStream), ("opus", OggStream)])
@pytest.mark.parametrize("step", [1, 777, 4096, 1 << 20])
def test_a_stream_is_decoded_while_it_arrives_however_it_is_cut(
    container: Container, make: Callable[[], FlacStream | OggStream], step: int
) -> None:
    data = encode_file(Clip(tone(2.5), RATE_HZ), container)
    stream = make()
    pieces = [stream.push(data[at : at + step]) for at in range(0, len(data), step)]
    pieces.append(stream.flush())
    whole = array("h", decode_file(data).pcm16)
    heard = array("h", b"".join(pieces))
    assert stream.rate_hz == RATE_HZ
    assert len(heard) == len(whole)
    assert max(abs(one - other) for one, other in zip(heard, whole, strict=True)) <= 40
    if step < 5000:
        assert sum(bool(piece) for piece in pieces) > 1


def test_a_flac_stream_of_hours_keeps_no_memory() -> None:
    data = encode_file(Clip(tone(20), RATE_HZ), "flac")
    stream = FlacStream()
    longest = 0
    for at in range(0, len(data), 2000):
        stream.push(data[at : at + 2000])
        longest = max(longest, len(stream._waiting))
    assert longest < 30_000


@pytest.mark.parametrize("container", ["flac", "opus"])
def test_what_is_encoded_while_it_is_made_is_a_whole_file(container: Container) -> None:
    assert container in ("flac", "opus")
    sound, stream = tone(3, 24_000), EncodedStream(container, 24_000)
    pieces = [stream.push(sound[at : at + 9600]) for at in range(0, len(sound), 9600)]
    decoded = decode_file(b"".join(pieces) + stream.flush())
    assert sum(bool(piece) for piece in pieces) > 1
    assert decoded.duration_s == pytest.approx(3, abs=0.03)


def test_stereo_is_mixed_down() -> None:
    left, right = np.full(1000, 1000, np.int16), np.full(1000, 3000, np.int16)
    target = io.BytesIO()
    soundfile.write(target, np.stack([left, right], axis=1), RATE_HZ, format="FLAC")
    assert set(array("h", decode_file(target.getvalue()).pcm16)) == {2000}


def test_a_rate_opus_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample rate of 22050 Hz"):
        EncodedStream("opus", 22_050)


@pytest.mark.parametrize("data", [b"", b"nothing", b"RIFF....WAVE", b"fLaC" + bytes(100), b"OggS" + bytes(100)])
def test_what_is_no_audio_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"can't be decoded \(.+\); send WAV"):
        decode_file(data)


def test_a_file_longer_than_allowed_is_refused() -> None:
    data = encode_file(Clip(silence(3, RATE_HZ), RATE_HZ), "flac")
    assert samples(decode_file(data, longest_s=3).pcm16) == 3 * RATE_HZ
    with pytest.raises(ValueError, match="longer than 2 s"):
        decode_file(data, longest_s=2)


@pytest.mark.parametrize("make", [FlacStream, OggStream])
def test_a_stream_of_something_else_is_refused_with_a_sentence(make: Callable[[], FlacStream | OggStream]) -> None:
    stream = make()
    with pytest.raises(ValueError, match="is not"):
        stream.push(b"RIFF" + bytes(100))


def test_a_flac_stream_cut_inside_its_header_is_refused() -> None:
    stream = FlacStream()
    assert stream.push(encode_file(Clip(tone(1), RATE_HZ), "flac")[:30]) == b""
    with pytest.raises(ValueError, match="ends inside its FLAC header"):
        stream.flush()


def test_a_broken_frame_is_refused_with_a_sentence() -> None:
    data = bytearray(encode_file(Clip(tone(2), RATE_HZ), "flac"))
    stream = FlacStream()
    data[-9000:-8000] = bytes(1000)
    with pytest.raises(ValueError, match="lost sync"):
        push_all(stream, bytes(data), 1000)


def test_a_large_file_may_come_in_one_piece() -> None:
    noise = np.random.default_rng(7).integers(-9000, 9000, 80 * RATE_HZ, dtype=np.int16).tobytes()
    data = encode_file(Clip(noise, RATE_HZ), "flac")
    assert len(data) > 2 << 20
    stream = FlacStream()
    assert stream.push(data) + stream.flush() == noise


def test_silence_that_would_fill_the_memory_is_refused() -> None:
    data = encode_file(Clip(silence(3700, 8_000), 8_000), "flac")
    assert len(data) < 1 << 20
    with pytest.raises(ValueError, match="longer than 3600 s"):
        FlacStream().push(data)


def test_garbage_after_a_good_start_costs_little_and_ends_with_a_sentence() -> None:
    data = encode_file(Clip(tone(0.2), RATE_HZ), "flac")
    stream = FlacStream()
    stream.push(data[:2000])
    with pytest.raises(ValueError, match="without a whole frame"):
        push_all(stream, b"\xff\xf8" * 750_000, 500)
