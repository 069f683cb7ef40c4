"""POST /v1/audio/transcriptions: does every file and every field do what OpenAI's clients expect?"""

import asyncio
import importlib.util
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from .conftest import Call
from .sounds import RATE_HZ, file_of, form, hum, hush, two_utterances

PATH = "/v1/audio/transcriptions"
SAID = "caller 1 turn 1 caller 1 turn 2"
RECORDING = file_of(two_utterances())


async def refused(session: aiohttp.ClientSession, data: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    async with session.post(PATH, data=data, **more) as got:
        error = (await got.json())["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        return got.status, error


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.wav", RECORDING),
        ("a.wav", file_of(two_utterances(44_100), 44_100, channels=2)),
        ("a.wav", file_of(two_utterances(8000), 8000, subtype="ULAW")),
        ("a.flac", file_of(two_utterances(48_000), 48_000, "FLAC")),
        ("a.ogg", file_of(two_utterances(48_000), 48_000, "OGG", "OPUS")),
        ("a.ogg", file_of(two_utterances(22_050), 22_050, "OGG", "VORBIS")),
        ("a.mp3", file_of(two_utterances(24_000), 24_000, "MP3", "MPEG_LAYER_III")),
        ("none", file_of(two_utterances(), RATE_HZ, "AIFF")),
    ],
    ids=["wav", "stereo", "mulaw", "flac", "opus", "vorbis", "mp3", "aiff without a name"],
)
async def test_every_kind_of_file_is_heard(call: Call, name: str, file: bytes) -> None:
    session = await call()
    async with session.post(PATH, data=form(file, name)) as got:
        content = await got.json()
    assert content["text"] == SAID
    assert content["usage"]["seconds"] in (3, 4)


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac")])
async def test_what_libsndfile_does_not_know_is_left_to_a_program_of_its_own(
    call: Call, container: str, codec: str
) -> None:
    session = await call()
    async with session.post(PATH, data=form(_foreign(container, codec), f"a.{container}")) as got:
        assert (await got.json())["text"] == SAID


def _of_size_0(wav: bytes) -> bytes:
    at = wav.index(b"data") + 4
    return wav[:4] + bytes(4) + wav[8:at] + bytes(4) + wav[at + 4 :]


FLOAT = file_of(two_utterances(), subtype="FLOAT")
MP3 = file_of(two_utterances(24_000), 24_000, "MP3", "MPEG_LAYER_III")
OPUS = file_of(two_utterances(48_000), 48_000, "OGG", "OPUS")


@pytest.mark.parametrize(
    ("file", "turns"),
    [
        (FLOAT, 2),
        (file_of(two_utterances(), subtype="DOUBLE", kind="WAVEX"), 2),
        (file_of(two_utterances(), subtype="PCM_24", kind="RF64"), 2),
        (_of_size_0(RECORDING), 2),
        (_of_size_0(FLOAT), 2),
        (RECORDING + FLOAT, 4),
        (MP3 + MP3, 4),
        (OPUS + file_of(two_utterances(22_050), 22_050, "OGG", "VORBIS"), 4),
        (file_of(two_utterances(), kind="FLAC") * 2, 4),
        (file_of(two_utterances(), kind="FLAC") * 50, 100),
    ],
    ids=["float", "double", "RF64", "size 0", "float of size 0", "wav+wav", "mp3+mp3", "ogg+ogg", "flac+flac", "fifty"],
)
async def test_nothing_of_an_unusual_file_is_lost(call: Call, file: bytes, turns: int) -> None:
    session = await call()
    async with session.post(PATH, data=form(file)) as got:
        assert (await got.json())["text"] == " ".join(f"caller 1 turn {turn}" for turn in range(1, turns + 1))


@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "libopus"), ("mp4", "aac"), ("ipod", "alac"), ("adts", "aac")]
)
async def test_foreign_files_that_were_joined_are_heard_whole(call: Call, container: str, codec: str) -> None:
    session = await call()
    async with session.post(PATH, data=form(_foreign(container, codec) * 2, "a.x")) as got:
        assert (await got.json())["text"] == f"{SAID} caller 1 turn 3 caller 1 turn 4"


async def test_files_of_different_kinds_are_heard_one_after_the_other(call: Call) -> None:
    session = await call()
    async with session.post(PATH, data=form(_foreign("mp4", "aac") + RECORDING + MP3)) as got:
        assert (await got.json())["text"] == " ".join(f"caller 1 turn {turn}" for turn in range(1, 7))


async def test_a_browsers_recording_that_was_broken_off_is_heard_as_far_as_it_goes(call: Call) -> None:
    session = await call()
    file = _foreign("webm", "libopus")
    async with session.post(PATH, data=form(file[: len(file) * 2 // 3])) as got:
        assert (await got.json())["text"] == SAID
    status, error = await refused(session, form(_foreign("mp4", "aac")[:-2000]))
    assert status == 400
    assert "M4A/MP4 file is broken off" in error["message"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b'{"error": "not found"}', "JSON"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "PNG"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "plain text"),
        (b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00" + bytes(9999), "M4A/MP4"),
    ],
    ids=["HTML", "JSON", "PNG", "playlist", "M4A"],
)
async def test_what_is_no_audio_is_refused_by_name(call: Call, file: bytes, name: str) -> None:
    session = await call()
    status, error = await refused(session, form(file))
    assert status == 400
    assert name in error["message"]


async def test_without_that_program_the_sentence_says_how_to_get_it(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await call()
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "av" else find_spec(name))
    status, error = await refused(session, form(_foreign("webm", "libopus"), "a.webm"))
    assert status == 400
    assert "pip install av" in error["message"]


@pytest.mark.parametrize(
    ("fields", "kind", "begins"),
    [
        ({"response_format": "text"}, "text/plain", SAID + "\n"),
        ({"response_format": "srt"}, "application/x-subrip", "1\n00:00:00,000 --> 00:00:01,"),
        ({"response_format": "vtt"}, "text/vtt", "WEBVTT\n\n00:00:00.000 --> "),
        ({"response_format": "json", "include_": ["logprobs"]}, "application/json", '{"text": "caller 1 turn 1'),
    ],
)
async def test_every_format_is_written(call: Call, fields: dict[str, Any], kind: str, begins: str) -> None:
    session = await call()
    async with session.post(PATH, data=form(RECORDING, **fields)) as got:
        assert got.content_type == kind
        assert (await got.text()).startswith(begins)


async def test_verbose_json_has_words_and_segments_in_order(call: Call) -> None:
    session = await call()
    fields: dict[str, Any] = {
        "response_format": "verbose_json",
        "timestamp_granularities_": ["word", "segment"],
        "language": "en",
    }
    async with session.post(PATH, data=form(RECORDING, **fields)) as got:
        content = await got.json()
    assert [segment["text"] for segment in content["segments"]] == ["caller 1 turn 1", "caller 1 turn 2"]
    times = [time for word in content["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= content["duration"] == 3.0


async def test_a_stream_tells_each_utterance_and_then_all_of_it(call: Call) -> None:
    session = await call()
    async with session.post(PATH, data=form(RECORDING, stream="true")) as got:
        assert got.content_type == "text/event-stream"
        lines = (await got.text()).split("\n\n")
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
    assert [event["type"].rpartition(".")[2] for event in events] == ["delta", "delta", "done"]
    assert events[0]["delta"] + events[1]["delta"] == events[2]["text"] == SAID


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/audio/translations", 404), ("GET", PATH, 405), ("POST", "/v1/chat/completions", 404)],
)
async def test_an_unknown_path_or_method_says_what_there_is(call: Call, method: str, path: str, status: int) -> None:
    session = await call()
    async with session.request(method, path) as got:
        error = (await got.json())["error"]
    assert (got.status, error["type"], error["code"]) == (status, "invalid_request_error", "unknown_url")
    assert f"no {method} {path} here" in error["message"]
    assert "POST /v1/audio/speech" in error["message"]
    assert ("Allow" in got.headers) == (status == 405)


async def test_silence_is_an_empty_transcript(call: Call) -> None:
    session = await call()
    async with session.post(PATH, data=form(file_of(hush(2)))) as got:
        assert (await got.json())["text"] == ""


async def test_a_client_may_cut_its_recording_its_own_way(call: Call) -> None:
    session = await call()
    strategy = json.dumps({"type": "server_vad", "silence_duration_ms": 900, "threshold": 0.5})
    async with session.post(PATH, data=form(RECORDING, chunking_strategy=strategy)) as got:
        assert (await got.json())["text"] == "caller 1 turn 1"


@pytest.mark.parametrize(
    ("data", "status", "param", "sentence"),
    [
        (form(None), 400, "file", "file is missing"),
        (form(RECORDING, model=None), 400, "model", "model is missing"),
        (form(b"hello there"), 400, None, "not audio"),
        (form(b""), 400, None, "not audio"),
        (form(RECORDING[:30]), 400, None, "not audio"),
        (form(RECORDING, language="tlh"), 400, "language", "send one of en-US"),
        (form(RECORDING, response_format="diarized_json"), 400, "response_format", "verbose_json"),
        (form(RECORDING, temperature="2"), 400, "temperature", "0 to 1"),
        (form(RECORDING, temperature="hot"), 400, "temperature", "0 to 1"),
        (form(RECORDING, stream="perhaps"), 400, "stream", "true, false"),
        (form(RECORDING, timestamp_granularities_="word"), 400, "timestamp_granularities", "verbose_json"),
        (form(RECORDING, chunking_strategy="often"), 400, "chunking_strategy", "server_vad"),
        (form(RECORDING, prompt="x" * 70_000), 400, "prompt", "65536 bytes"),
        (form(file_of(hum(1, 2000), 2000)), 400, None, "2000 Hz"),
        (b"no form", 400, None, "multipart/form-data"),
    ],
)
async def test_what_cannot_be_served_is_refused_with_a_sentence(
    call: Call, data: Any, status: int, param: str | None, sentence: str
) -> None:
    session = await call()
    got, error = await refused(session, data)
    assert (got, error["param"]) == (status, param)
    assert sentence in error["message"]
    assert error["type"] == "invalid_request_error"


async def test_a_form_that_is_none_is_refused(call: Call) -> None:
    session = await call()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--y\r\n\r\n", b"--x\r\nContent-Disposition: form-data", b"--x--\r\n"):
        status, error = await refused(session, body, headers=headers)
        assert status == 400, error


async def test_an_unknown_model_is_not_found_where_the_policy_is_strict(call: Call) -> None:
    session = await call(SPEECH_MODEL_POLICY="strict")
    status, error = await refused(session, form(RECORDING, model="whisper-9"))
    assert (status, error["code"]) == (404, "model_not_found")


async def test_a_large_upload_is_refused_whether_it_says_its_size_or_not(call: Call) -> None:
    session = await call(PARAKEET_MAX_UPLOAD_MB="1")
    large = file_of(hush(70))
    assert (await refused(session, form(large)))[0] == 413

    async def without_size() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for at in range(0, len(large), 65_536):
            yield large[at : at + 65_536]

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, error = await refused(session, without_size(), headers=headers)
    assert (status, error["code"]) == (413, "too_large")
    assert "larger than 1 MiB" in error["message"]


async def test_a_long_recording_is_refused(call: Call) -> None:
    session = await call(PARAKEET_MAX_AUDIO_SECONDS="2")
    status, error = await refused(session, form(RECORDING))
    assert status == 413
    assert "longer than 2 s" in error["message"]


async def test_an_upload_that_stalls_is_ended(call: Call) -> None:
    session = await call(SPEECH_UPLOAD_STALL_S="0.2")
    forever = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'
        await forever.wait()

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, error = await refused(session, stalls(), headers=headers)
    assert status == 408
    assert "without pauses" in error["message"]
    forever.set()


async def test_an_engine_that_fails_is_told_before_the_stream_and_in_it(call: Call) -> None:
    faulty = {"SCRIPT_ASR_FAULT": "die_mid_utterance", "SCRIPT_ASR_FAULT_AFTER": "1"}
    session = await call(**faulty)
    status, error = await refused(session, form(RECORDING))
    assert (status, error["code"]) == (503, "engine_unavailable")
    async with session.post(PATH, data=form(RECORDING, stream="true")) as got:
        last = (await got.text()).strip().split("\n\n")[-1]
    assert "died in an utterance" in json.loads(last.removeprefix("data: "))["error"]["message"]


def _foreign(container: str, codec: str) -> bytes:
    import av
    import numpy as np

    made = io.BytesIO()
    with av.open(made, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        samples = np.frombuffer(two_utterances(48_000), "<i2")[None, :]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.format, "mono", 48_000, frame_size=stream.codec_context.frame_size or 960)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return made.getvalue()
