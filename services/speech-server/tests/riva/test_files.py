"""Recognize and StreamingRecognize with files of every kind: heard, or refused with the kind's name."""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import av
import grpc
import numpy as np
import pytest
import soundfile
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio

from .caller import Caller, config, finals, hum, hush, pieces

CallServer = Callable[..., Awaitable[Caller]]
TURN = hush(0.2) + hum(0.6) + hush(0.4)
SAMPLES = np.frombuffer(TURN, "<i2") / 32768


def file_of(kind: str, subtype: str, samples: Any = SAMPLES, rate_hz: int = 16_000) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, rate_hz, format=kind, subtype=subtype)
    return made.getvalue()


def foreign(container: str, codec: str) -> bytes:
    """By FFmpeg; an M4A has its index at the end, as telephones write it."""
    made = io.BytesIO()
    with av.open(made, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(
            np.repeat(np.frombuffer(TURN, "<i2"), 3)[None, :], format="s16", layout="mono"
        )
        frame.sample_rate = 48_000
        size = stream.codec_context.frame_size or 960
        resampler = av.AudioResampler(stream.format, "mono", 48_000, frame_size=size)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return made.getvalue()


def of_size_0(wav: bytes) -> bytes:
    at = wav.index(b"data") + 4
    return wav[:4] + bytes(4) + wav[8:at] + bytes(4) + wav[at + 4 :]


WAV = file_of("WAV", "PCM_16")
MP3 = file_of("MP3", "MPEG_LAYER_III")
HEARD = {
    "float": (file_of("WAV", "FLOAT"), 1),
    "double, extensible": (file_of("WAVEX", "DOUBLE"), 1),
    "24 bits": (file_of("WAV", "PCM_24"), 1),
    "8 bits": (file_of("WAV", "PCM_U8"), 1),
    "size 0": (of_size_0(file_of("WAV", "FLOAT")), 1),
    "joined WAV": (WAV + WAV, 2),
    "joined FLAC": (file_of("FLAC", "PCM_16") * 2, 2),
    "chained Opus": (file_of("OGG", "OPUS") * 2, 2),
    "chained": (file_of("OGG", "OPUS") + file_of("OGG", "VORBIS", np.repeat(SAMPLES, 3), 48_000), 2),
    "loud Vorbis": (file_of("OGG", "VORBIS", SAMPLES * 12), 1),
}
WHOLE_ONLY = {
    "MP3": (MP3, 1),
    "joined MP3": (MP3 + MP3, 2),
    "AIFF": (file_of("AIFF", "PCM_16"), 1),
    "CAF": (file_of("CAF", "ALAC_16"), 1),
    "ADPCM": (file_of("WAV", "IMA_ADPCM"), 1),
    "WebM of a browser": (foreign("webm", "libopus"), 1),
    "joined WebM": (foreign("webm", "libopus") * 2, 2),
    "M4A of a telephone": (foreign("mp4", "aac"), 1),
    "M4A without loss": (foreign("ipod", "alac"), 1),
}
NO_AUDIO = {
    "HTML": b"<!doctype html>\n<html><body><h1>403 Forbidden</h1></body></html>",
    "JSON": b'{"message": "Internal server error"}',
    "PNG": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(500),
    "PDF": b"%PDF-1.7\n" + bytes(500),
    "plain text": b"A text in a file that somebody took for a recording, which it is not at all.",
}
ENCODINGS = [audio.ENCODING_UNSPECIFIED, audio.LINEAR_PCM, audio.FLAC]


def words(turns: int) -> str:
    return " ".join(f"caller 1 turn {number}" for number in range(1, turns + 1))


@pytest.mark.parametrize("name", [*HEARD, *WHOLE_ONLY])
async def test_recognize_hears_every_kind_of_file_whatever_encoding_is_named(caller: Caller, name: str) -> None:
    data, turns = {**HEARD, **WHOLE_ONLY}[name]
    recognition = asr.RecognitionConfig(encoding=audio.LINEAR_PCM, sample_rate_hertz=16_000)
    answer = await caller.asr.Recognize(asr.RecognizeRequest(config=recognition, audio=data))
    assert answer.results[0].alternatives[0].transcript == words(turns)
    assert answer.results[0].audio_processed == pytest.approx(1.2 * turns, abs=0.15)


@pytest.mark.parametrize("name", HEARD)
async def test_a_stream_hears_files_that_can_be_decoded_while_they_arrive(caller: Caller, name: str) -> None:
    data, turns = HEARD[name]
    answers = await caller.hear(config(), *pieces(data))
    assert " ".join(one.strip() for one in finals(answers)) == words(turns)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NO_AUDIO)
async def test_what_is_no_audio_is_refused_by_name(
    caller: Caller, name: str, encoding: audio.AudioEncoding.ValueType
) -> None:
    recognition = asr.RecognitionConfig(encoding=encoding, sample_rate_hertz=16_000)
    with pytest.raises(grpc.aio.AioRpcError, match=f"begins like {name}") as whole:
        await caller.asr.Recognize(asr.RecognizeRequest(config=recognition, audio=NO_AUDIO[name]))
    with pytest.raises(grpc.aio.AioRpcError, match=f"begins like {name}") as streamed:
        await caller.hear(config(encoding=encoding), NO_AUDIO[name])
    assert whole.value.code() is streamed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


REFUSED = {
    "MP3": MP3,
    "AIFF": WHOLE_ONLY["AIFF"][0],
    "M4A/MP4": WHOLE_ONLY["M4A of a telephone"][0],
    "WebM": WHOLE_ONLY["WebM of a browser"][0],
    "IMA ADPCM": WHOLE_ONLY["ADPCM"][0],
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_stream_refuses_by_name_what_can_only_be_decoded_whole(caller: Caller, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=name) as refused:
        await caller.hear(config(), REFUSED[name])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_recording_longer_than_the_longest_is_refused(call_server: CallServer) -> None:
    caller = await call_server(PARAKEET_MAX_AUDIO_SECONDS="1")
    for data in (TURN, WAV, MP3):
        with pytest.raises(grpc.aio.AioRpcError, match="longer than 1 s") as refused:
            await caller.asr.Recognize(asr.RecognizeRequest(audio=data))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
