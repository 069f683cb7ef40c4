"""POST /v1/audio/speech and GET /v1/models: is what is asked for spoken, in every format?"""

import io
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile
from pcm.compressed import decode_file

from .conftest import Call

PATH = "/v1/audio/speech"
SAID = {"model": "tts-1", "input": "one two three", "voice": "alloy"}
# Letters 3+3+5 and three gaps of 60 ms each.
LASTS_S = (3 + 3 + 5 + 3) * 0.06


async def spoken(session: aiohttp.ClientSession, **more: Any) -> tuple[aiohttp.ClientResponse, bytes]:
    async with session.post(PATH, json={**SAID, **more}) as got:
        return got, await got.read()


async def refused(session: aiohttp.ClientSession, **kwargs: Any) -> tuple[int, dict[str, Any]]:
    async with session.post(PATH, **kwargs) as got:
        return got.status, (await got.json())["error"]


async def test_pcm_is_24_khz_and_lasts_as_long_as_the_text(call: Call) -> None:
    got, audio = await spoken(await call(), response_format="pcm")
    assert got.content_type == "audio/pcm"
    assert len(audio) / 2 / 24_000 == pytest.approx(LASTS_S, abs=0.01)


@pytest.mark.parametrize(
    ("format", "kind"), [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("flac", "audio/flac")]
)
async def test_every_format_can_be_read_by_a_library(call: Call, format: str, kind: str) -> None:
    got, audio = await spoken(await call(), response_format=format)
    assert got.content_type == kind
    assert got.headers.get("Transfer-Encoding") == "chunked"
    samples, rate_hz = _read(audio, format)
    assert rate_hz == 24_000
    assert len(samples) / rate_hz == pytest.approx(LASTS_S, abs=0.12)
    assert np.abs(samples).max() > 3000


async def test_the_usual_format_is_mp3(call: Call) -> None:
    got, _ = await spoken(await call())
    assert got.content_type == "audio/mpeg"


@pytest.mark.parametrize("speed", [0.25, 1.0, 2.0, 4.0])
async def test_speed_is_so_many_times_as_fast(call: Call, speed: float) -> None:
    _, audio = await spoken(await call(), response_format="pcm", speed=speed)
    assert len(audio) / 2 / 24_000 == pytest.approx(LASTS_S / speed, rel=0.05)


async def test_events_carry_the_audio(call: Call) -> None:
    got, body = await spoken(await call(), response_format="pcm", stream_format="sse")
    assert got.content_type == "text/event-stream"
    events = body.decode().split("\n\n")
    assert '"speech.audio.delta"' in events[0]
    assert '"speech.audio.done"' in events[-2]


async def test_the_first_audio_does_not_wait_for_the_last(call: Call) -> None:
    session = await call(TONE_RTF="0.5")
    async with session.post(PATH, json={**SAID, "input": "word " * 20, "response_format": "pcm"}) as got:
        first = await got.content.readany()
        rest = await got.read()
    assert 0 < len(first) < len(rest)


@pytest.mark.parametrize("voice", ["onyx", "English-US.Female-1", "Magpie-Multilingual.EN-US.Aria", "", {"id": "echo"}])
async def test_voices_go_by_many_names(call: Call, voice: Any) -> None:
    got, _ = await spoken(await call(), voice=voice)
    assert got.status == 200


@pytest.mark.parametrize(
    ("more", "param", "sentence"),
    [
        ({"input": " "}, "input", "input is empty"),
        ({"input": 5}, "input", "takes a string"),
        ({"input": "a" * 4097}, "input", "at most 4096"),
        ({"model": None}, "model", "not null"),
        ({"voice": "nobody"}, "voice", "'nobody'"),
        ({"voice": 7}, "voice", "takes a name"),
        ({"speed": 5}, "speed", "0.25 to 4"),
        ({"speed": "fast"}, "speed", "0.25 to 4"),
        ({"response_format": "aac"}, "response_format", "send one of mp3"),
        ({"stream_format": "carrier pigeon"}, "stream_format", "audio, sse"),
    ],
)
async def test_what_cannot_be_spoken_is_refused_with_a_sentence(
    call: Call, more: dict[str, Any], param: str, sentence: str
) -> None:
    status, error = await refused(await call(), json={**SAID, **more})
    assert (status, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert sentence in error["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(call: Call, body: bytes) -> None:
    status, error = await refused(await call(), data=body, headers={"Content-Type": "application/json"})
    assert (status, error["type"]) == (400, "invalid_request_error")


async def test_a_huge_body_is_refused(call: Call) -> None:
    status, error = await refused(await call(), data=io.BytesIO(b"x" * (2 << 20)))
    assert (status, error["code"]) == (413, "too_large")


@pytest.mark.parametrize("fault", ["silent", "unavailable"])
async def test_an_engine_that_says_nothing_is_an_error(call: Call, fault: str) -> None:
    status, error = await refused(await call(TONE_FAULT=fault), json=SAID)
    assert (status, error["code"]) == (503, "engine_unavailable")


async def test_the_audio_of_an_input_has_a_longest_length(call: Call) -> None:
    session = await call(SPEECH_MAX_SPEECH_S="5")
    breaks = "<speak>a" + '<break time="3600s"/>b' * 60 + "</speak>"
    status, error = await refused(session, json={**SAID, "input": breaks})
    assert (status, error["code"]) == (413, "too_large")
    assert "The breaks of this text are 600 s long" in error["message"]
    _, events = await spoken(session, input="three " * 50, stream_format="sse")
    assert "longer than 5 s" in events.decode()
    # A short file would pass for a whole one: the connection is broken off.
    with pytest.raises(aiohttp.ClientError):
        await spoken(session, input="three " * 50)


async def test_the_models_are_listed_and_found(call: Call) -> None:
    session = await call()
    async with session.get("/v1/models") as got:
        listed = await got.json()
    names = [model["id"] for model in listed["data"]]
    assert names == ["scripted-asr-streaming", "English-US"]
    async with session.get(f"/v1/models/{names[0].upper()}") as got:
        assert (await got.json())["object"] == "model"
    async with session.get("/v1/models/nothing") as got:
        assert (got.status, (await got.json())["error"]["code"]) == (404, "model_not_found")


def _read(audio: bytes, format: str) -> tuple[Any, int]:
    """What a reader that knows no length beforehand finds."""
    if format in ("wav", "opus"):
        samples, rate_hz = soundfile.read(io.BytesIO(audio), dtype="int16")
        return samples, rate_hz
    clip = decode_file(audio)
    return np.frombuffer(clip.pcm16, "<i2"), clip.rate_hz
