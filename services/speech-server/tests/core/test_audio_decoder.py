"""Bytes of any length in, PCM16 at 16 kHz out."""

import io
import wave

import pytest
from pcm import AudioFormat, Encoding
from speech_server.core.asr.audio_decoder import AudioDecoder
from speech_server.errors import BadRequest

TONE = bytes(range(256)) * 8


def wav(pcm16: bytes, rate_hz: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm16)
    return file.getvalue()


def heard(data: bytes, size: int, way_in: AudioDecoder) -> bytes:
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(way_in.push(chunk) for chunk in chunks) + way_in.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 43, 45, 321, 5000])
def test_any_chunk_size_gives_the_same_audio(size: int) -> None:
    assert heard(TONE, size, AudioDecoder(Encoding.PCM16, 16_000)) == TONE


@pytest.mark.parametrize("size", [1, 2, 3, 7, 43, 45, 321, 5000])
def test_a_wav_header_split_anywhere_is_not_heard(size: int) -> None:
    assert heard(wav(TONE), size, AudioDecoder(Encoding.PCM16, None)) == TONE


def test_empty_chunks_change_nothing() -> None:
    way_in = AudioDecoder(Encoding.PCM16, 16_000)
    assert [way_in.push(chunk) for chunk in (b"", TONE, b"")] == [b"", TONE, b""]


def test_the_header_is_right_where_the_request_says_otherwise() -> None:
    out = heard(wav(TONE * 8, rate_hz=8_000), 320, AudioDecoder(Encoding.MULAW, 16_000))
    assert len(out) == 2 * len(TONE * 8)


@pytest.mark.parametrize(("rate_hz", "factor"), [(8_000, 2.0), (48_000, 1 / 3), (44_100, 16_000 / 44_100)])
def test_other_rates_are_resampled(rate_hz: int, factor: float) -> None:
    out = heard(TONE * 20, 441, AudioDecoder(Encoding.PCM16, rate_hz))
    assert abs(len(out) - factor * len(TONE * 20)) <= 4


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.ALAW])
def test_telephone_encodings_are_decoded(encoding: Encoding) -> None:
    out = heard(TONE, 33, AudioDecoder(encoding, 16_000))
    assert out == AudioFormat(encoding, 16_000).decode(TONE)


def test_audio_that_begins_like_a_header_but_is_none_is_heard() -> None:
    data = b"RIFFxxxxJUNK" + TONE
    assert heard(data, 3, AudioDecoder(Encoding.PCM16, 16_000)) == data


def test_a_stereo_file_is_refused() -> None:
    with pytest.raises(BadRequest, match="Only mono audio supported"):
        AudioDecoder(Encoding.PCM16, None).push(wav(TONE, channels=2))


def test_a_file_of_an_absurd_rate_is_refused() -> None:
    with pytest.raises(BadRequest, match="8000 to 96000 Hz"):
        AudioDecoder(Encoding.PCM16, None).push(wav(TONE, rate_hz=1_000))


def test_a_stream_that_ends_inside_its_header_is_refused() -> None:
    way_in = AudioDecoder(Encoding.PCM16, None)
    way_in.push(wav(TONE)[:20])
    with pytest.raises(BadRequest, match="ends inside its WAV header"):
        way_in.flush()
