"""Who gets a session, with what, and how does it end? Refusals, limits and close codes of the Realtime edge."""

import asyncio
import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from lab import Lab, lab
from realtime_client import RealtimeClient
from test_realtime_turns import connect
from voice_gateway.app import call_config
from voice_gateway.edges.limits import Limits
from waiting import LIMIT_S


async def refused(there: Lab, query: str = "", **how: object) -> tuple[dict[str, object], int]:
    """The error event, and the close code."""
    client = await RealtimeClient.connect(there.web_port, query, **how)
    there.clients.append(client)
    code = await client.closed()
    assert [event["type"] for event in client.events] == ["error"]
    error: dict[str, object] = client.events[0]["error"]
    return error, code


async def test_the_session_that_is_created_is_told_whole() -> None:
    async with lab() as there:
        client = await connect(there)
        session = client.events[0]["session"]
        assert session["model"] == "meta/llama-3.1-8b-instruct"
        assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
        assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
        assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 50
        assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}
        assert session["audio"]["input"]["transcription"] is None
        assert session["voice_workflow"]["language"] == "en-US"


async def test_a_connection_that_asks_for_what_is_not_served_is_told_so_and_closed() -> None:
    async with lab(caller_may_set="voice") as there:
        error, code = await refused(there, "?model=somebody/else")
        assert (error["code"], error["param"], code) == ("invalid_value", "model", 1008)
        assert "CALLER_MAY_SET" in str(error["message"])
        error, code = await refused(there, "?modle=x")
        assert (error["code"], error["param"], code) == ("unknown_parameter", "modle", 1008)
        error, _ = await refused(there, "?intent=translation")
        assert error["param"] == "intent"
        error, _ = await refused(there, "?language=de-DE")
        assert error["param"] == "language"
        for how in (
            {"headers": {"OpenAI-Beta": "realtime=v1"}},
            {"protocols": ["realtime", "openai-beta.realtime-v1"]},
        ):
            error, code = await refused(there, **how)
            assert (error["code"], error["param"], code) == ("unknown_parameter", "OpenAI-Beta", 1008)


async def test_what_the_operator_keeps_is_refused_by_the_name_of_its_field() -> None:
    async with lab(caller_may_set="none") as there:
        client = await connect(there, "?model=gpt-realtime")
        fields: dict[str, dict[str, Any]] = {
            "session.instructions": {"instructions": "Be mine."},
            "session.model": {"model": "somebody/else"},
            "session.max_output_tokens": {"max_output_tokens": 7},
            "session.tools": {"tools": [{"type": "function", "name": "x"}]},
            "session.audio.output.voice": {"audio": {"output": {"voice": "Rob"}}},
            "session.audio.input.turn_detection": {"audio": {"input": {"turn_detection": None}}},
            "session.voice_workflow.greeting": {"voice_workflow": {"greeting": "Hi"}},
            "session.voice_workflow.temperature": {"voice_workflow": {"temperature": 0}},
        }
        for param, session in fields.items():
            error = await client.error(await client.send("session.update", session={"type": "realtime", **session}))
            assert (error["code"], error["param"]) == ("invalid_value", param)
        silence = {"type": "server_vad", "silence_duration_ms": 900}
        wrong = {"type": "realtime", "audio": {"input": {"turn_detection": silence}}}
        error = await client.error(await client.send("session.update", session=wrong))
        assert "endpointing" in error["message"]
        await client.update(audio={"output": {"voice": "alloy"}, "input": {"turn_detection": {"type": "semantic_vad"}}})


async def test_language_and_hotwords_are_chosen_before_the_session_begins() -> None:
    async with lab(asr_has=["en-US", "de-DE"], tts_has=["en-US", "de-DE"]) as there:
        client = await connect(there)
        audio = {"input": {"transcription": {"language": "de", "keywords": ["Parakeet"]}}}
        session = await client.update(audio=audio, voice_workflow={"hotwords": [{"phrase": "Riva", "boost": 20}]})
        assert session["voice_workflow"]["language"] == "de-DE"
        await client.say_in_text("Guten Tag.")
        config = (await there.asr.stream()).config.config
        assert config.language_code == "de-DE"
        assert [list(context.phrases) for context in config.speech_contexts] == [["Riva"]]
        other = await connect(there, "?language=de")
        assert other.events[0]["session"]["voice_workflow"]["language"] == "de-DE"
        error = await other.error(
            await other.send("session.update", session={"type": "realtime", "voice_workflow": {"language": "tlh"}})
        )
        assert error["param"] == "session.voice_workflow.language"


async def test_a_token_is_asked_for_as_a_header_or_among_the_protocols(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("rosa: secret-token-1\n")
    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await RealtimeClient.connect(there.web_port)
        assert refusal.value.status == 401
        for how in (
            {"headers": {"Authorization": "Bearer secret-token-1"}},
            {"protocols": ["realtime", "openai-insecure-api-key.secret-token-1"]},
        ):
            client = await RealtimeClient.connect(there.web_port, **how)
            there.clients.append(client)
            await client.expect("session.created")
            assert client.socket.protocol == ("realtime" if "protocols" in how else None)


async def test_where_all_calls_are_taken_a_client_is_told_when_to_come_again() -> None:
    async with lab(gateway_max_sessions=1, then_works=False) as there:
        first = await connect(there)
        await first.say_in_text("I am here.")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await RealtimeClient.connect(there.web_port)
        assert refusal.value.status == 429
        assert refusal.value.headers is not None
        assert int(refusal.value.headers["retry-after-ms"]) > 0


async def test_a_session_that_reaches_its_longest_life_ends_with_a_reason() -> None:
    async with lab(gateway_max_session_s=1.2, gateway_goaway_before_s=0.5, gateway_warn_before_s=0) as there:
        client = await connect(there)
        await client.update(voice_workflow={"events": True})
        await client.say_in_text("I stay.")
        assert (await client.expect("voice_workflow.go_away"))["reason"] == "MAX_DURATION"
        assert await client.closed() == 1001
        assert client.of("error")[-1]["error"]["code"] == "session_expired"


async def test_a_gateway_that_stops_ends_its_sessions_with_a_reason() -> None:
    async with lab(gateway_drain_s=0.1) as there:
        client = await connect(there)
        await client.say_in_text("I stay.")
        there.stop.ask()
        assert await client.closed() == 1012
        assert client.of("error")[-1]["error"]["code"] == "server_shutting_down"
        assert there.serving
        await asyncio.wait_for(there.serving, LIMIT_S)
        await client.close()


async def test_a_client_that_breaks_off_leaves_nothing() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 20
        client = await connect(there)
        await client.say_in_text("Tell me a story.")
        await client.ask()
        await client.expect("response.output_audio.delta")
        transport = client.socket._response.connection.transport  # type: ignore[union-attr]
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
        await there.settled()
        there.tts.behave()


async def test_a_client_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", lambda **given: Limits(max_unread_s=0.3, **given))
    async with lab() as there:
        client = await connect(there)
        client.socket._reader._protocol.pause_reading()
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 16_000}]}
        with suppress(ConnectionError):
            for n in range(900):
                await client.send("conversation.item.create", item={**item, "id": f"item_{n}"})
        await there.eventually(lambda: there.metric("voice_sessions_active"), 0)


async def test_a_message_that_is_too_large_closes_the_connection() -> None:
    async with lab() as there:
        client = await connect(there)
        audio = base64.b64encode(bytes(1_000_000)).decode()
        await client.send("input_audio_buffer.append", audio=audio)
        assert await client.closed() == 1009


async def test_a_flood_is_read_slowly_and_told_in_a_few_lines() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.say_in_text("Hello.")
        for _ in range(1_100):
            await client.send("nonsense")
        await client.say_in_text("Still here.")
        errors = [event["error"]["code"] for event in client.of("error")]
        assert errors.count("overloaded") >= 1
        assert len(errors) < 130


async def test_more_responses_than_a_session_may_ask_for_are_refused_with_the_time_to_wait() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.update(output_modalities=["text"])
        for n in range(10):
            await client.ask()
            await client.done(n + 1)
        error = await client.error(await client.send("response.create"))
        assert error["type"] == "rate_limit_error"
        assert (await client.expect("rate_limits.updated"))["rate_limits"][0]["limit"] == 10


async def test_sessions_that_are_configured_and_never_begun_begin_by_themselves() -> None:
    async with lab() as there:
        client = await connect(there)
        async with asyncio.timeout(8):
            await there.asr.stream()
        await client.update(instructions="Be kind.")


async def test_a_client_secret_brings_its_session(tmp_path: Path) -> None:
    tokens, keys = tmp_path / "tokens", tmp_path / "keys"
    tokens.write_text("rosa: secret-token-1\n")
    keys.write_text("first: a-key-of-thirty-two-characters-at-least\n")
    files: dict[str, Any] = {"gateway_tokens_file": tokens, "gateway_client_secret_keys_file": keys}
    async with lab(then_works=False, **files) as there, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{there.web_port}/v1/realtime/client_secrets"
        token = {"Authorization": "Bearer secret-token-1"}
        wanted = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"voice": "Rob"}}}
        async with http.post(url, headers=token, json={"session": wanted}) as answer:
            minted = await answer.json()
            assert answer.status == 200, minted
        assert minted["session"]["instructions"] == "Be brief."
        secret = minted["value"]
        client = await RealtimeClient.connect(
            there.web_port, protocols=["realtime", f"openai-insecure-api-key.{secret}"]
        )
        there.clients.append(client)
        session = (await client.expect("session.created"))["session"]
        assert (session["instructions"], session["audio"]["output"]["voice"]) == ("Be brief.", "Rob")
        async with http.post(url, headers=token, json={"session": {"type": "realtime", "modalities": []}}) as answer:
            assert answer.status == 400
            assert "modalities" in (await answer.json())["error"]["message"]
