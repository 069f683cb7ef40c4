"""WS /v1/realtime: do a transcription session's events come in OpenAI's order, and is what is wrong told?"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from speech_server.engines.asr.scripted.recogniser import ScriptedUtterances

from .conftest import Call
from .sounds import hum, hush, two_utterances

PATH = "/v1/realtime?intent=transcription"
DONE = "conversation.item.input_audio_transcription.completed"


class Talk:
    """A session as a client sees it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, kind: str, **more: Any) -> None:
        await self._socket.send_str(json.dumps({"type": kind, **more}))

    async def append(self, pcm: bytes, size: int = 4800) -> None:
        for at in range(0, len(pcm), size):
            await self.say("input_audio_buffer.append", audio=base64.b64encode(pcm[at : at + size]).decode())

    async def hear(self, until: str) -> list[dict[str, Any]]:
        """Events up to the first of this type."""
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != until:
            message = await self._socket.receive(timeout=5)
            assert message.type is aiohttp.WSMsgType.TEXT, (message, events)
            events.append(json.loads(message.data))
        return events

    async def configure(self, **given: Any) -> dict[str, Any]:
        await self.say("session.update", session={"type": "transcription", "audio": {"input": given}})
        updated = (await self.hear("session.updated"))[-1]["session"]
        assert isinstance(updated, dict)
        return updated

    async def raw(self, text: str) -> dict[str, Any]:
        await self._socket.send_str(text)
        error = (await self.hear("error"))[-1]["error"]
        assert isinstance(error, dict)
        return error


@asynccontextmanager
async def talking(session: aiohttp.ClientSession) -> AsyncIterator[Talk]:
    async with session.ws_connect(PATH) as socket:
        talk = Talk(socket)
        await talk.hear("session.created")
        yield talk


def kinds(events: Sequence[dict[str, Any]]) -> list[str]:
    """Types without repeats in a row, shortened."""
    short = [event["type"].rpartition(".")[2] for event in events]
    return [kind for at, kind in enumerate(short) if at == 0 or kind != short[at - 1]]


async def test_a_session_begins_with_its_configuration(call: Call) -> None:
    session = await call()
    async with session.ws_connect(PATH + "&model=whisper-1") as socket:
        created = (await Talk(socket).hear("session.created"))[0]
    assert created["event_id"]
    shown = created["session"]
    assert (shown["type"], shown["object"]) == ("transcription", "realtime.transcription_session")
    heard = shown["audio"]["input"]
    assert heard["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert heard["transcription"]["model"] == "whisper-1"
    assert heard["turn_detection"]["silence_duration_ms"] == 500


async def test_an_utterance_becomes_an_item_by_voice(call: Call) -> None:
    async with talking(await call()) as talk:
        await talk.append(hush(0.5, 24_000) + hum(1, 24_000) + hush(0.6, 24_000))
        events = await talk.hear(DONE)
    assert kinds(events) == [
        "speech_started", "delta", "speech_stopped", "committed", "added", "done", "delta", "completed",
    ]  # fmt: skip
    assert len({event["item_id"] for event in events if "item_id" in event}) == 1
    assert 0 <= events[0]["audio_start_ms"] <= 500
    stopped = next(event for event in events if event["type"].endswith("speech_stopped"))
    assert 1500 <= stopped["audio_end_ms"] <= 2100
    assert events[-1]["transcript"] == "caller 1 turn 1"
    told = "".join(event["delta"] for event in events if "delta" in event)
    assert told == "caller 1 turn 1"
    assert events[-1]["usage"]["seconds"] == pytest.approx(1.6, abs=0.3)


async def test_items_know_the_one_before(call: Call) -> None:
    async with talking(await call()) as talk:
        await talk.configure(turn_detection={"type": "server_vad", "silence_duration_ms": 300})
        await talk.append(two_utterances(24_000))
        first = await talk.hear(DONE)
        second = await talk.hear(DONE)
    committed = [event for event in first + second if event["type"] == "input_audio_buffer.committed"]
    assert committed[0]["previous_item_id"] is None
    assert committed[1]["previous_item_id"] == committed[0]["item_id"]


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
async def test_telephone_audio_is_heard(call: Call, kind: str) -> None:
    from pcm import AudioFormat, Encoding

    law = AudioFormat(Encoding.MULAW if kind == "audio/pcmu" else Encoding.ALAW, 8000)
    async with talking(await call()) as talk:
        shown = await talk.configure(format={"type": kind})
        assert shown["audio"]["input"]["format"] == {"type": kind}
        await talk.append(law.encode(hum(1, 8000) + hush(0.6, 8000)), 160)
        assert (await talk.hear(DONE))[-1]["transcript"] == "caller 1 turn 1"


async def test_without_turn_detection_the_client_commits(call: Call) -> None:
    async with talking(await call()) as talk:
        shown = await talk.configure(turn_detection=None)
        assert shown["audio"]["input"]["turn_detection"] is None
        await talk.append(hum(1, 24_000) + hush(2, 24_000) + hum(1, 24_000))
        await talk.say("input_audio_buffer.commit")
        events = await talk.hear(DONE)
        assert kinds(events) == ["delta", "committed", "added", "done", "delta", "completed"]
        assert events[-1]["usage"]["seconds"] == pytest.approx(4, abs=0.05)


async def test_a_commit_ends_an_item_that_voice_activity_would_continue(call: Call) -> None:
    async with talking(await call()) as talk:
        await talk.append(hum(1, 24_000))
        await talk.say("input_audio_buffer.commit")
        assert (await talk.hear(DONE))[-1]["transcript"] == "caller 1 turn 1"


async def test_what_is_cleared_is_not_transcribed(call: Call) -> None:
    async with talking(await call()) as talk:
        await talk.append(hum(1, 24_000))
        await talk.say("input_audio_buffer.clear")
        await talk.hear("input_audio_buffer.cleared")
        error = await talk.raw('{"type": "input_audio_buffer.commit", "event_id": "mine"}')
        assert error["event_id"] == "mine"
        assert "0 ms" in error["message"]


async def test_logprobs_come_when_they_are_asked_for(call: Call) -> None:
    async with talking(await call()) as talk:
        include = ["item.input_audio_transcription.logprobs"]
        await talk.say("session.update", session={"type": "transcription", "include": include})
        await talk.append(hum(1, 24_000) + hush(0.6, 24_000))
        told = (await talk.hear(DONE))[-1]["logprobs"]
    assert [one["token"] for one in told] == [" caller", " 1", " turn", " 1"]


def _update(**given: Any) -> str:
    return json.dumps({"type": "session.update", "session": {"type": "transcription", "audio": {"input": given}}})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"type": "response.create"}', "no event of a transcription session"),
        ('{"type": "session.update"}', "session is missing"),
        ('{"type": "session.update", "session": {"type": "realtime"}}', "type transcription only"),
        ('{"type": "session.update", "session": {"type": "transcription", "audio": 5}}', "audio takes an object"),
        ('{"type": "session.update", "session": {"type": "transcription", "include": ["x"]}}', "include takes"),
        (_update(format={"type": "audio/mp3"}), "audio/pcmu"),
        (_update(format={"type": "audio/pcm", "rate": 16_000}), "24000 Hz"),
        (_update(turn_detection={"type": "semantic_vad"}), "server_vad"),
        (_update(turn_detection={"type": "server_vad", "threshold": 2}), "threshold is 2"),
        (_update(turn_detection={"type": "server_vad", "silence_duration_ms": "long"}), "silence_duration_ms"),
        (_update(noise_reduction={"type": "near_field"}), "noise_reduction"),
        (_update(transcription={"language": "tlh"}), "'tlh' is not"),
        (_update(transcription={"keywords": "x"}), "keywords takes a list"),
        (_update(transcription={"model": 5}), "model takes a string"),
        ('{"type": "input_audio_buffer.append"}', "audio is missing"),
        ('{"type": "input_audio_buffer.append", "audio": "A"}', "not base64"),
        ('{"type": "input_audio_buffer.commit"}', "0 ms"),
    ],
)
async def test_what_is_wrong_is_told_and_the_session_goes_on(call: Call, text: str, sentence: str) -> None:
    async with talking(await call()) as talk:
        error = await talk.raw(text)
        assert sentence in error["message"], error
        assert error["type"] == "invalid_request_error"
        await talk.append(hum(1, 24_000) + hush(0.6, 24_000))
        assert (await talk.hear(DONE))[-1]["transcript"] == "caller 1 turn 1"


async def test_an_engine_that_dies_ends_the_session_with_a_reason(call: Call) -> None:
    session = await call(SCRIPT_ASR_FAULT="die_mid_utterance")
    async with session.ws_connect(PATH) as socket:
        talk = Talk(socket)
        await talk.append(hum(1, 24_000))
        assert (await talk.hear("error"))[-1]["error"]["code"] == "engine_unavailable"
        message = await socket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1013


async def test_a_client_that_sends_nothing_is_let_go(call: Call) -> None:
    session = await call(SPEECH_IDLE_LIMIT_S="0.1")
    async with session.ws_connect(PATH) as socket:
        assert "for 0.1 s" in (await Talk(socket).hear("error"))[-1]["error"]["message"]


async def test_without_room_the_upgrade_is_refused(call: Call) -> None:
    session = await call(SPEECH_MAX_STREAMS="1")
    async with talking(session):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(PATH)
        assert refused.value.status == 429


async def test_a_plain_request_is_told_that_this_is_a_websocket(call: Call) -> None:
    session = await call()
    async with session.get(PATH) as got:
        assert got.status == 400
        assert "WebSocket" in (await got.json())["error"]["message"]


async def test_a_client_that_vanishes_gives_its_place_back(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = asyncio.Event()

    async def close(utterances: ScriptedUtterances) -> None:
        closed.set()

    monkeypatch.setattr(ScriptedUtterances, "close", close)
    session = await call(SPEECH_MAX_STREAMS="1")
    async with aiohttp.ClientSession(session._base_url) as vanishing:
        socket = await vanishing.ws_connect(PATH)
        talk = Talk(socket)
        await talk.hear("session.created")
        await talk.append(hum(0.5, 24_000))
    async with asyncio.timeout(5):
        await closed.wait()
    connected = await session.ws_connect(PATH)
    await connected.close()
