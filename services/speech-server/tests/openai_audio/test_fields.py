"""Every field is honoured, or refused with OpenAI's code, the parameter's name and one sentence."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from speech_server.core.tts.ssml import broken_markup, is_ssml, without_tags

from .conftest import Call
from .sounds import file_of, form, hum, hush
from .test_realtime import DONE, Talk, talking

SPEECH, HEAR = "/v1/audio/speech", "/v1/audio/transcriptions"
SAID = {"model": "tts-1", "input": "hello", "voice": "alloy"}
RECORDING = file_of(hum(0.5) + hush(0.3))
UNKNOWN, TYPE, VALUE, MISSING = "unknown_parameter", "invalid_type", "invalid_value", "missing_required_parameter"

FLAT = [
    ("output_audio_format", "pcm16"),
    ("voice", "alloy"),
    ("instructions", "be nice"),
    ("temperature", 0.8),
    ("tools", []),
    ("tool_choice", "auto"),
    ("modalities", ["text"]),
    ("max_response_output_tokens", 10),
    ("nobody_knows", {"deep": {"er": 1}}),
]


async def _told(talk: Talk, session: dict[str, Any]) -> dict[str, Any]:
    return await talk.raw(json.dumps({"type": "session.update", "session": session}))


async def test_flat_fields_of_the_beta_are_refused_by_name_or_honoured(call: Call) -> None:
    async with talking(await call()) as talk:
        for name, value in FLAT:
            error = await _told(talk, {name: value, "input_audio_format": "g711_ulaw"})
            assert (error["code"], error["param"]) == (UNKNOWN, f"session.{name}"), error
            assert name in error["message"]
        await talk.say(
            "session.update",
            session={
                "input_audio_transcription": {"model": "whisper-1", "language": "en"},
                "turn_detection": None,
                "include": None,
            },
        )
        shown = (await talk.hear("session.updated"))[-1]["session"]["audio"]["input"]
        # Nothing of what was refused was set.
        assert shown["format"] == {"type": "audio/pcm", "rate": 24_000}
        assert shown["turn_detection"] is None
        assert shown["transcription"] == {"model": "whisper-1", "language": "en"}


@pytest.mark.parametrize("event", ["session.update", "transcription_session.update"])
async def test_the_format_of_the_beta_is_how_the_audio_is_heard(call: Call, event: str) -> None:
    from pcm import AudioFormat, Encoding

    law = AudioFormat(Encoding.MULAW, 8000)
    async with talking(await call()) as talk:
        vad = {"type": "server_vad", "silence_duration_ms": 300}
        await talk.say(event, session={"input_audio_format": "g711_ulaw", "turn_detection": vad})
        shown = (await talk.hear(f"{event}d"))[-1]["session"]["audio"]["input"]
        assert shown["format"] == {"type": "audio/pcmu"}
        assert shown["turn_detection"]["silence_duration_ms"] == 300
        await talk.append(law.encode(hum(1, 8000) + hush(0.6, 8000)), 160)
        assert (await talk.hear(DONE))[-1]["transcript"] == "caller 1 turn 1"


def _input(**given: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": given}}


IN = "session.audio.input"


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"audio": {"output": {"voice": "alloy"}}}, UNKNOWN, "session.audio.output"),
        (_input(volume=3), UNKNOWN, f"{IN}.volume"),
        (_input(format={"type": "audio/pcm", "bits": 16}), UNKNOWN, f"{IN}.format.bits"),
        (_input(format={"rate": 24_000}), TYPE, f"{IN}.format.type"),
        (_input(format="pcm16"), TYPE, f"{IN}.format"),
        (_input(transcription={"temperature": 0}), UNKNOWN, f"{IN}.transcription.temperature"),
        (_input(transcription={"language": 5}), TYPE, f"{IN}.transcription.language"),
        (_input(transcription={"language": ""}), VALUE, f"{IN}.transcription.language"),
        (_input(transcription="whisper-1"), TYPE, f"{IN}.transcription"),
        (_input(turn_detection={"type": "server_vad", "eagerness": "low"}), UNKNOWN, f"{IN}.turn_detection.eagerness"),
        (_input(turn_detection={"type": "semantic_vad"}), VALUE, f"{IN}.turn_detection.type"),
        (_input(turn_detection={"threshold": True}), TYPE, f"{IN}.turn_detection.threshold"),
        (_input(turn_detection={"threshold": "0.5"}), TYPE, f"{IN}.turn_detection.threshold"),
        (_input(turn_detection={"threshold": 1.5}), VALUE, f"{IN}.turn_detection.threshold"),
        (_input(turn_detection={"create_response": True}), VALUE, f"{IN}.turn_detection.create_response"),
        ({"input_audio_format": "mp3"}, VALUE, "session.input_audio_format"),
        ({"input_audio_format": 16}, TYPE, "session.input_audio_format"),
        ({"turn_detection": {"type": "server_vad", "x": 1}}, UNKNOWN, "session.turn_detection.x"),
        ({"input_audio_transcription": {"x": 1}}, UNKNOWN, "session.input_audio_transcription.x"),
        ({"input_audio_noise_reduction": {"type": "near_field"}}, VALUE, "session.input_audio_noise_reduction"),
        ({"include": "all"}, TYPE, "session.include"),
        ({"x" * 5000: 1}, UNKNOWN, None),
        ("text", TYPE, "session"),
        (None, MISSING, "session"),
    ],
)
async def test_an_unknown_or_wrong_field_is_named_at_any_depth(
    call: Call, session: Any, code: str, param: str | None
) -> None:
    async with talking(await call()) as talk:
        error = await _told(talk, session)
        assert error["code"] == code, error
        assert param is None or error["param"] == param
        assert len(json.dumps(error)) < 1500
        await talk.append(hum(1, 24_000) + hush(0.6, 24_000))
        assert (await talk.hear(DONE))[-1]["transcript"] == "caller 1 turn 1"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
        ({"type": "input_audio_buffer.append"}, MISSING, "audio"),
        ({"type": "input_audio_buffer.append", "audio": 5}, TYPE, "audio"),
        ({"type": "input_audio_buffer.append", "audio": "", "rate": 8000}, UNKNOWN, "rate"),
        ({"type": "input_audio_buffer.clear", "x": 1}, UNKNOWN, "x"),
        ({"type": "response.create"}, VALUE, "type"),
        ({"type": 5}, TYPE, "type"),
        ({"event_id": "e"}, MISSING, "type"),
        ({"type": "input_audio_buffer.clear", "event_id": 5}, TYPE, "event_id"),
        ([], TYPE, None),
    ],
)
async def test_an_event_that_is_wrong_is_told(call: Call, event: Any, code: str, param: str | None) -> None:
    async with talking(await call()) as talk:
        error = await talk.raw(json.dumps(event))
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param), error


async def _post(session: aiohttp.ClientSession, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
    async with session.post(path, **more) as got:
        return got.status, (await got.json())["error"]


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"speed": None}, TYPE, "speed"),
        ({"speed": True}, TYPE, "speed"),
        ({"speed": 0}, VALUE, "speed"),
        ({"speed": float("nan")}, VALUE, "speed"),
        ({"input": None}, TYPE, "input"),
        ({"input": ""}, VALUE, "input"),
        ({"input": "a" * 4097}, "string_above_max_length", "input"),
        ({"input": ["a"]}, TYPE, "input"),
        ({"model": ""}, VALUE, "model"),
        ({"response_format": ""}, VALUE, "response_format"),
        ({"response_format": 7}, TYPE, "response_format"),
        ({"voice": {"id": "a", "x": 1}}, UNKNOWN, "voice.x"),
        ({"instructions": 5}, TYPE, "instructions"),
        ({"pitch": 1}, UNKNOWN, "pitch"),
        ({"v" * 9000: 1}, UNKNOWN, None),
    ],
)
async def test_a_wrong_field_of_a_text_is_named(call: Call, more: dict[str, Any], code: str, param: str | None) -> None:
    status, error = await _post(await call(), SPEECH, json={**SAID, **more})
    assert (status, error["type"], error["code"]) == (400, "invalid_request_error", code), error
    assert param is None or error["param"] == param


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"input": "\xff"}', b"[" * 100_000, b'{"a": ' * 50_000, b"1" * 5000, b"null"],
)
async def test_a_body_that_is_no_object_is_refused(call: Call, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    status, error = await _post(await call(), SPEECH, data=body, headers={"Content-Type": "application/json"})
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert error["message"].startswith("The body is not")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


BROKEN = [
    "<speak>Hello",
    "<speak>Hello <break></speak>",
    "<speak>Tom & Jerry</speak>",
    "Hello</speak>",
    "<SPEAK>Hello</SPEAK>",
    'Hello <break time="1s"/> there',
    '<prosody rate="slow">Hello</prosody>',
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><speak>&b;</speak>',
    '<?xml version="1.0"?><!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak>x</speak>',
    '<speak><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;</speak>',
    '<?xml version="1.0"?><note>Hello</note>',
    "<![CDATA[Hello]]>",
]


@pytest.mark.parametrize("text", BROKEN)
async def test_broken_markup_is_refused_not_read_aloud(call: Call, text: str) -> None:
    assert not is_ssml(text)
    assert broken_markup(text)
    status, error = await _post(await call(), SPEECH, json={**SAID, "input": text})
    assert (status, error["code"], error["param"]) == (400, VALUE, "input")
    assert "<speak>" in error["message"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("cp <source> <target>", "cp <source> <target>"),
        ("Hello <b>big</b> world<br>", "Hello  big  world "),
        ('<p class="x">One</p><img src="a.png"/>Two', " One  Two"),
        ("a <!-- hidden --> b", "a   b"),
        ("I <3 you", "I <3 you"),
    ],
)
def test_other_tags_are_not_read_aloud(text: str, spoken: str) -> None:
    assert broken_markup(text) == ""
    assert without_tags(text) == spoken


@given(st.text(alphabet="<>/!-?[]abspeak \"='&;", max_size=80))
@settings(deadline=None, derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_refused_or_spoken(text: str) -> None:
    if not broken_markup(text) and not is_ssml(text):
        assert "<speak>" not in without_tags(text)


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        (lambda: form(None, audio=RECORDING.decode("latin-1")), MISSING, "file"),
        (lambda: form(RECORDING, model=None), MISSING, "model"),
        (lambda: form(RECORDING, model=""), VALUE, "model"),
        (lambda: form(RECORDING, language=""), VALUE, "language"),
        (lambda: form(RECORDING, response_format=""), VALUE, "response_format"),
        (lambda: form(RECORDING, temperature=""), VALUE, "temperature"),
        (lambda: form(RECORDING, temperature="warm"), TYPE, "temperature"),
        (lambda: form(RECORDING, temperature="2"), VALUE, "temperature"),
        (lambda: form(RECORDING, temperature="nan"), VALUE, "temperature"),
        (lambda: form(RECORDING, stream="yes"), VALUE, "stream"),
        (lambda: form(RECORDING, include_="everything"), VALUE, "include"),
        (lambda: form(RECORDING, hotwords="x"), UNKNOWN, "hotwords"),
        (lambda: form(RECORDING, chunking_strategy='{"type": "server_vad", "x": 1}'), UNKNOWN, "chunking_strategy.x"),
        (lambda: form(RECORDING, chunking_strategy='{"type": "server_vad", "threshold": "a"}'), TYPE, None),
        (lambda: _raw_field("prompt", b"\xff\xfe"), VALUE, "prompt"),
    ],
)
async def test_a_wrong_field_of_a_recording_is_named(
    call: Call, data: Callable[[], aiohttp.FormData], code: str, param: str | None
) -> None:
    status, error = await _post(await call(), HEAR, data=data())
    assert (status, error["type"], error["code"]) == (400, "invalid_request_error", code), error
    assert param is None or error["param"] == param
    assert "codec" not in error["message"]


def _raw_field(name: str, value: bytes) -> aiohttp.FormData:
    made = form(RECORDING)
    made.add_field(name, io.BytesIO(value), filename="x")
    return made


async def test_bytes_that_are_no_http_are_one_line(
    start_server: Callable[..., Awaitable[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server = await start_server()
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01\x00\n\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1 HTTP/1.1\r\nA" * 9,
        b"\0" * 99,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        writer.write(garbage + b"\r\n\r\n")
        async with asyncio.timeout(5):
            await reader.read(4096)
        writer.close()
    assert [record.message for record in caplog.records if record.levelno > 20 or record.exc_info] == []
