"""What of a voice's bytes is audio?"""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.backends.pcm_stream import PcmStream
from voice_gateway.errors import Broken

RATE_HZ = 16_000
AUDIO = (np.arange(400) % 251 - 120).astype("<i2").tobytes()


def wav(
    audio: bytes = AUDIO,
    *,
    size: int | None = None,
    rate_hz: int = RATE_HZ,
    tag: int = 1,
    channels: int = 1,
    bits: int = 16,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A WAV file; `size` is what its header says of the audio."""
    fmt = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * channels * bits // 8, channels * bits // 8, bits)
    size = len(audio) if size is None else size
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + before + b"data" + struct.pack("<I", size) + audio + after
    return b"RIFF" + struct.pack("<I", min(len(body), 0xFFFF_FFFF)) + body


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def heard(*messages: bytes, rate_hz: int = RATE_HZ) -> bytes:
    stream = PcmStream(rate_hz)
    return b"".join(stream.push(message) for message in messages) + stream.flush()


STREAMS = {
    "bare audio": AUDIO,
    "a header": wav(),
    "a chunk before the audio": wav(before=chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0")),
    "a chunk after the audio": wav(after=chunk(b"LIST", b"INFO odd")),
    "an odd chunk after the audio": wav(after=chunk(b"id3 ", b"odd")),
    "size zero": wav(size=0),
    "an endless size": wav(size=0xFFFF_FFFF),
    "an endless size as ffmpeg writes it": wav(size=0xFFFF_FFFF - 36),
    "a size that is too small": wav(size=100),
    "a size that is too large": wav(size=100_000),
    "extensible": wav(tag=0xFFFE, before=b"")
    .replace(b"fmt \x10\0\0\0", b"fmt \x28\0\0\0")
    .replace(b"\x02\0\x10\0data", b"\x02\0\x10\0" + struct.pack("<HHI", 22, 16, 4) + b"\x01\0" + bytes(14) + b"data"),
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 11, 45, 1000, 100_000])
def test_only_audio_is_heard_however_it_is_cut(stream: bytes, size: int) -> None:
    assert heard(*(stream[start : start + size] for start in range(0, len(stream), size))) == AUDIO


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 900), max_size=12))
def test_only_audio_is_heard_wherever_it_is_cut(name: str, cuts: list[int]) -> None:
    stream, edges = STREAMS[name], [0, *sorted(cuts), 10_000]
    assert heard(*(stream[a:b] for a, b in pairwise(edges))) == AUDIO


@pytest.mark.parametrize("size", [None, 0, 0xFFFF_FFFF])
def test_a_header_on_each_message_is_no_click_either(size: int | None) -> None:
    assert heard(*(wav(AUDIO[start : start + 200], size=size) for start in range(0, 800, 200))) == AUDIO


def test_another_rate_is_resampled() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype("<i2").tobytes()
    pcm16 = np.frombuffer(heard(wav(tone, rate_hz=8000)), "<i2")
    assert len(pcm16) == pytest.approx(16_000, abs=2)
    spectrum = np.abs(np.fft.rfft(pcm16.astype(float)))
    assert np.argmax(spectrum) == pytest.approx(440, abs=1)


def test_audio_that_is_compressed_in_its_wav_is_expanded() -> None:
    silence = wav(b"\xff" * 100, tag=7, bits=8)
    assert heard(silence) == bytes(200)


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (wav(channels=2), "2 channels"),
        (wav(tag=2, bits=4), "WAV of Microsoft ADPCM"),
        (b"RIFF" + bytes(4) + b"WAVEdata" + bytes(400), "without a format chunk"),
    ],
)
def test_what_cannot_be_used_is_told(stream: bytes, says: str) -> None:
    with pytest.raises(Broken, match=says) as caught:
        heard(stream)
    assert not caught.value.retryable


@pytest.mark.parametrize("stream", [b"", b"\1", b"RIFF", wav()[:30], wav(b"")])
def test_a_stream_that_ends_before_its_audio_has_none(stream: bytes) -> None:
    assert heard(stream) == b""


def test_a_few_bytes_that_are_no_header_are_audio() -> None:
    assert heard(b"RI") == b"RI"
    assert heard(b"\1\2\3") == b"\1\2"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_bytes_break_it(messages: list[bytes]) -> None:
    audio = heard(*messages)
    assert len(audio) % 2 == 0
    assert len(audio) <= sum(map(len, messages))
