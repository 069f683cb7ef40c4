"""Is a stream of WS /v1/transcribe heard whole, told as it is heard, and closed with its last final?"""

import base64
import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from certificates import Pki
from fake_riva import Listened, ramp
from jsonschema import Draft202012Validator
from lab import lab
from transcriber import Transcriber, refusal, transcriber
from voice_gateway.edges.transcribe_ws.schema import document
from voice_gateway.edges.transcribe_ws.server_messages import SERVER_MESSAGES

SCHEMA = Draft202012Validator(SERVER_MESSAGES.json_schema(mode="serialization"))


def agrees_with_the_schema(client: Transcriber) -> None:
    """Every message that came; numbers rise by one from `started` on."""
    for message in client.messages:
        SCHEMA.validate(message)
    assert [message["seq"] for message in client.messages] == list(range(len(client.messages)))


async def last_final(stream: Listened, text: str, length_s: float) -> None:
    """As Riva does at the end of its input."""
    await stream.all_sent()
    stream.final(text, [(word, 100 * n, 100 * n + 80) for n, word in enumerate(text.split())], processed_s=length_s)
    stream.close()


async def test_partials_then_a_final_with_times_and_a_clean_end() -> None:
    async with lab() as there, transcriber(there) as client:
        begun = await client.start(language="en-US", interim_ms=50)
        assert (begun["language"], begun["sample_rate"], begun["encoding"]) == ("en-US", 16_000, "pcm16")
        assert begun["interim_ms"] == 50
        assert begun["stream_id"].startswith("stream-")
        stream = await there.asr.stream()
        await client.audio(ramp(8_000))
        await stream.heard(16_000)
        stream.partial("hello", stability=0.5, processed_s=0.4)
        partial = await client.expect("partial")
        assert (partial["text"], partial["stability"], partial["utterance"]) == ("hello", 0.5, 1)
        assert (partial["start_s"], partial["end_s"], partial["audio_s"]) == (0, 0.4, 0.5)
        await client.say(type="end")
        await last_final(stream, "Hello there.", 0.5)
        last, code = await client.ended()
        assert (last["type"], last["reason"], code) == ("ended", "caller ended", 1000)
        (final,) = client.of("final")
        assert (final["text"], final["utterance"], final["stability"]) == ("Hello there.", 1, 1)
        assert final["words"] == [
            {"word": "Hello", "start_s": 0.0, "end_s": 0.08, "confidence": 0},
            {"word": "there.", "start_s": 0.1, "end_s": 0.18, "confidence": 0},
        ]
        agrees_with_the_schema(client)
        assert await there.metric("voice_transcriptions_active") == 0
        assert await there.metric('voice_sessions_ended_total{reason="caller ended"}') == 1


def floats(pcm16: bytes) -> bytes:
    return (np.frombuffer(pcm16, "<i2") / 32_767).astype("<f4").tobytes()


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("encoding", ["pcm16", "float32"])
@pytest.mark.parametrize("by_text", [False, True], ids=["binary", "base64"])
async def test_each_encoding_and_rate_is_heard_as_it_was_spoken(rate: int, encoding: str, by_text: bool) -> None:
    tone = (np.sin(np.arange(rate // 2) * 2 * np.pi * 440 / rate) * 8_000).astype("<i2").tobytes()
    data = floats(tone) if encoding == "float32" else tone
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start(sample_rate=rate, encoding=encoding)
        stream = await there.asr.stream()
        for first in range(0, len(data), 3_333):  # cuts samples in two
            piece = data[first : first + 3_333]
            if by_text:
                await client.say(type="audio", audio=base64.b64encode(piece).decode())
            else:
                await client.audio(piece)
        await client.say(type="end")
        heard = np.frombuffer(await stream.all_sent(), "<i2").astype(float)
        stream.close()
        assert (await client.ended())[1] == 1000
        assert len(heard) == pytest.approx(8_000, abs=2)
        wanted = np.sin(np.arange(len(heard)) * 2 * np.pi * 440 / 16_000) * 8_000
        assert np.corrcoef(heard[100:-100], wanted[100:-100])[0, 1] > 0.995
        assert not client.of("warning")
        if (rate, encoding) == (16_000, "pcm16"):
            assert heard.astype("<i2").tobytes() == tone


async def test_options_stand_in_the_address_and_those_of_start_win() -> None:
    query = "?sample_rate=8000&interim=false&words=false&hotwords=Riva:30,New%20York&punctuation=false&model=large"
    async with lab(then_works=False, asr_hotwords="Oslo: 5") as there, transcriber(there, query=query) as client:
        begun = await client.start(sample_rate=48_000, max_silence_ms=900)
        assert (begun["sample_rate"], begun["interim_ms"], begun["model"]) == (48_000, None, "large")
        stream = await there.asr.stream()
        config = stream.config.config
        contexts = [(one.phrases[0], one.boost) for one in config.speech_contexts]
        assert contexts == [("Riva", 30), ("New York", 0), ("Oslo", 5)]
        assert (config.model, config.enable_automatic_punctuation) == ("large", False)
        assert config.endpointing_config.stop_history == 900
        await client.audio(ramp(4_800))
        await stream.heard(3_000)
        stream.partial("one", processed_s=0.1)
        stream.final("One.", [("One.", 0, 80)], processed_s=0.1)
        assert (await client.expect("final"))["words"] == []
        assert not client.of("partial")
        await client.say(type="end")
        await stream.all_sent()
        stream.close()
        await client.ended()


async def test_audio_may_be_the_first_message_and_flush_asks_for_a_final_in_between() -> None:
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.audio(ramp(1_600))
        await client.expect("started")
        stream = await there.asr.stream()
        await stream.heard(3_200)
        await client.say(type="flush")
        await stream.asked()
        stream.final("One.", processed_s=0.1)
        assert (await client.expect("final"))["text"] == "One."
        await client.say(type="end")
        await last_final(stream, "Two.", 0.1)
        await client.ended()
        assert [message["utterance"] for message in client.of("final")] == [1, 2]


async def test_a_stream_without_audio_ends_as_cleanly() -> None:
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start()
        await client.say(type="end")
        stream = await there.asr.stream()
        assert await stream.all_sent() == b""
        stream.close()
        last, code = await client.ended()
        assert (last["reason"], code) == ("caller ended", 1000)
        assert [message["type"] for message in client.messages] == ["started", "ended"]


async def test_an_end_in_the_midst_of_a_sample_is_told() -> None:
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start(encoding="float32")
        await client.audio(bytes(4 * 160 + 3))
        await client.say(type="end")
        await last_final(await there.asr.stream(), "One.", 0.01)
        await client.ended()
        assert "in the midst of a sample (3 bytes" in client.of("warning")[0]["message"]


LATER: list[tuple[str, str]] = [
    ("hello", "is no JSON"),
    ("[" * 100_000, "is no JSON"),
    ("[1]", "is a JSON object with a type"),
    ('{"type": "begin"}', "'begin' is no type of a message; send start, audio, flush or end"),
    ('{"type": "start"}', "start comes first and only once"),
    ('{"type": "audio"}', "audio is missing"),
    ('{"type": "audio", "audio": "?"}', "is no base64"),
    ('{"type": "audio", "audio": "", "rate": 1}', "'rate' in this message is not known"),
    ('{"type": "end", "now": true}', "'now' in this message is not known"),
]


async def test_a_message_that_can_not_be_used_is_named_and_the_stream_goes_on() -> None:
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start()
        for n, (text, sentence) in enumerate(LATER, 1):
            await client.socket.send_str(text)
            warning = await client.expect("warning", n)
            assert sentence in warning["message"]
            assert warning["code"] == "bad_request"
        await client.audio(bytes(2 * 16_000 * 6))
        assert "holds 6.0 s of audio, and was dropped" in (await client.expect("warning", len(LATER) + 1))["message"]
        await client.audio(ramp(1_600))
        await client.say(type="end")
        await last_final(await there.asr.stream(), "One.", 0.1)
        assert (await client.ended())[1] == 1000
        assert client.of("final")[0]["text"] == "One."


FIRST: list[tuple[str, str, str, int]] = [
    ("hello", "bad_request", "is no JSON", 1008),
    ('{"type": "begin"}', "bad_request", "is no type of a message", 1008),
    ('{"type": "start", "rate": 8000}', "bad_request", "'rate' in this message is not known; send some of: lang", 1008),
    ('{"type": "start", "sample_rate": 96000}', "bad_request", "less than or equal to 48000 (got 96000)", 1008),
    ('{"type": "start", "sample_rate": "8000"}', "bad_request", "sample_rate in this message: ", 1008),
    ('{"type": "start", "encoding": "opus"}', "bad_request", "'pcm16' or 'float32' (got 'opus')", 1008),
    ('{"type": "start", "hotwords": "a: b"}', "bad_request", "must be a number", 1008),
    ('{"type": "start", "model": "a\\nb"}', "bad_request", "a control character", 1008),
    ('{"type": "start", "resume_token": "x"}', "unsupported", "can't be taken up again yet", 1008),
    ('{"type": "start", "language": "fr-FR"}', "unsupported", "speech recognition has only en-US", 1008),
]


async def test_a_first_message_that_can_not_be_used_is_refused_with_a_sentence_and_a_close_code() -> None:
    async with lab(then_works=False, asr_has=["en-US"], tts_has=["en-US"]) as there:
        for text, code, sentence, closed in FIRST:
            async with transcriber(there) as client:
                await client.socket.send_str(text)
                last, close_code = await client.ended()
                assert (last["type"], last["code"], close_code) == ("error", code, closed), text
                assert sentence in last["message"]
                agrees_with_the_schema(client)
        assert await there.metric('voice_transcriptions_refused_total{code="bad_request"}') == 8
        assert await there.metric("voice_sessions_started_total") == 0


async def test_what_stands_in_the_address_is_refused_before_the_websocket() -> None:
    async with lab(then_works=False) as there:
        assert await refusal(there, query="?rate=8000") == (
            400, "'rate' in the address is not known; send some of: language, model, sample_rate, encoding, interim, "
            "interim_ms, words, punctuation, hotwords, max_silence_ms, resume_token",
        )  # fmt: skip
        assert "(got 'loud')" in (await refusal(there, query="?interim=loud"))[1]
        assert await refusal(there, query="?words=true&words=false") == (
            400, "'words' stands twice in the address; send it once",
        )  # fmt: skip
        assert await there.get("/v1/transcribe") == (404, "404: Not Found"), "the port of probes"


async def test_nothing_but_a_websocket_is_served() -> None:
    async with (
        lab(then_works=False) as there,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{there.web_port}/v1/transcribe") as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["error"]["message"] == "this is a WebSocket; connect with ws:// or wss://"


async def test_what_callers_may_not_choose_is_refused_by_name() -> None:
    async with lab(then_works=False, caller_may_set="none", asr_has=["en-US", "de-DE"]) as there:
        for option in ("language=de-DE", "hotwords=Oslo", "model=large"):
            async with transcriber(there, query=f"?{option}") as client:
                await client.audio(b"")
                last, closed = await client.ended()
                assert (last["code"], closed) == ("forbidden", 1008)
                assert f"choose the {option.split('=')[0]}" in last["message"]


async def test_a_language_without_a_voice_is_transcribed_all_the_same() -> None:
    async with (
        lab(then_works=False, asr_has=["en-US", "fr-FR"], tts_has=["en-US"]) as there,
        transcriber(there) as client,
    ):
        begun = await client.start(language="fr-FR")
        assert begun["language"] == "fr-FR"
        assert (await there.asr.stream()).config.config.language_code == "fr-FR"


# ------------------------------------------------------------------------------------ who gets in, and who leaves


async def test_a_token_is_asked_for_and_its_streams_count_as_calls(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("ann: first-secret\n")
    wanted: dict[str, Any] = {"gateway_tokens_file": tokens, "gateway_max_sessions_per_token": 1}
    async with lab(then_works=False, **wanted) as there:
        assert (await refusal(there))[0] == 401
        assert (await refusal(there, token="wrong"))[0] == 401
        protocols = ("transcribe", "openai-insecure-api-key.first-secret")
        async with (
            transcriber(there, token="first-secret") as client,
            transcriber(there, protocols=protocols) as browser,
        ):
            await client.start()
            assert browser.socket.protocol == "transcribe"
            await browser.say(type="start")
            last, code = await browser.ended()
            assert (last["code"], last["retryable"], code) == ("refused", True, 1013)
            assert await there.metric("voice_transcriptions_active") == 1
        assert await there.metric('voice_transcriptions_refused_total{code="refused"}') == 1
        assert await there.metric('voice_transcriptions_refused_total{code="unauthorised"}') == 2


async def test_places_are_counted_with_calls_also_between_the_address_and_the_first_message() -> None:
    async with lab(then_works=False, gateway_max_sessions=1) as there, transcriber(there) as late:
        call = await there.call()
        await late.say(type="start")
        last, code = await late.ended()
        assert (last["code"], last["retryable"], code) == ("refused", True, 1013)
        assert (await refusal(there))[0] == 429
        await call.hang_up()


async def test_over_tls(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    context = ssl.create_default_context()
    pki.ca.configure_trust(context)
    wanted: dict[str, Any] = {"gateway_tls_cert_file": pki.certificate, "gateway_tls_key_file": pki.key}
    async with lab(then_works=False, **wanted) as there, transcriber(there, tls=context) as client:
        await client.start()
        await client.audio(ramp(1_600))
        await client.say(type="end")
        await last_final(await there.asr.stream(), "One.", 0.1)
        assert (await client.ended())[1] == 1000


async def test_a_gateway_that_leaves_says_so_and_ends_the_stream_with_its_final() -> None:
    async with lab(gateway_drain_s=0.3) as there, transcriber(there) as client:
        await client.start()
        stream = await there.asr.stream()
        await client.audio(ramp(8_000))
        await stream.heard(16_000)
        there.stop.ask()
        away = await client.expect("going_away")
        assert (away["reason"], away["deadline_s"]) == ("draining", 0.3)
        assert (await refusal(there))[0] == 503
        await last_final(stream, "Said before.", 0.5)
        last, code = await client.ended()
        assert (last["reason"], code) == ("drained", 1001)
        assert client.of("final")[0]["text"] == "Said before."
        assert there.serving
        await there.serving


async def test_a_client_that_is_gone_leaves_nothing() -> None:
    async with lab() as there:
        async with transcriber(there) as client:
            await client.start()
            await client.audio(ramp(8_000))
            await there.asr.stream()
            assert client.socket._response.connection
            client.socket._response.connection.transport.abort()  # type: ignore[union-attr]
        await there.asr.quiet()
        await there.eventually(lambda: there.metric("voice_transcriptions_active"), 0)
        assert await there.metric('voice_sessions_ended_total{reason="caller gone"}') == 1


async def test_a_stream_that_brings_nothing_is_ended_and_so_is_one_that_never_begins() -> None:
    async with lab(then_works=False, transcribe_idle_s=0.3, gateway_start_timeout_s=0.2) as there:
        async with transcriber(there) as client:
            last, code = await client.ended()
            assert ("nothing came within 0.2 s" in last["message"], code) == (True, 1008)
        async with transcriber(there) as client:
            begun = await client.start()
            assert begun["limits"]["idle_s"] == 0.3
            stream = await there.asr.stream()
            await stream.all_sent()
            stream.close()
            last, code = await client.ended()
            assert (last["reason"], code) == ("idle", 4000)
            assert "nothing came for 0.3 s" in last["message"]


async def test_the_longest_duration_is_announced_and_ends_the_stream_with_its_final() -> None:
    async with (
        lab(then_works=False, gateway_max_session_s=1, gateway_goaway_before_s=0.9) as there,
        transcriber(there) as client,
    ):
        begun = await client.start()
        assert begun["limits"]["max_duration_s"] == 1
        assert (await client.expect("going_away"))["reason"] == "max_duration"
        await client.audio(ramp(1_600))
        await last_final(await there.asr.stream(), "One.", 0.1)
        last, code = await client.ended()
        assert (last["reason"], code) == ("max duration", 1001)
        assert client.of("final")


async def test_a_message_that_is_too_large_closes_the_connection() -> None:
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start()
        await client.audio(bytes(600 * 1024))
        assert (await client.ended())[1] == 1009
        await there.asr.quiet()


def test_json_of_a_schema_is_the_one_in_the_docs() -> None:
    file = Path(__file__).parents[4] / "docs" / "transcription.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == document(), "run make docs"
