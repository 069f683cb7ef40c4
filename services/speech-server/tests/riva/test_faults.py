"""Slow, dying and missing engines; full, idle and impatient."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

import grpc
import pytest
from speech_server.app import Server
from speech_server.core.asr.asr_types import Hypothesis
from speech_server.engines.asr.scripted.recogniser import ScriptedUtterances
from speech_server.wire import riva_asr_pb2 as asr

from .caller import Caller, chunk, config, finals, hum, hush, pieces

CallServer = Callable[..., Awaitable[Caller]]
TURN = hum(0.6) + hush(0.4)


async def ends_with(call: AsyncIterable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    return caught.value


async def rest(
    call: grpc.aio.StreamStreamCall[asr.StreamingRecognizeRequest, asr.StreamingRecognizeResponse],
) -> list[asr.StreamingRecognizeResponse]:
    """What a call that was read by hand still brings."""
    responses = []
    while isinstance(response := await call.read(), asr.StreamingRecognizeResponse):
        responses.append(response)
    return responses


async def test_an_engine_that_is_behind_is_reported_with_what_it_has_really_decoded(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_ASR_FAULT="stall")
    call = caller.asr.StreamingRecognize(iter([config(), *map(chunk, pieces(hush(1) + hum(3)))]))
    first, second = await call.read(), await call.read()
    call.cancel()
    assert isinstance(first, asr.StreamingRecognizeResponse)
    assert isinstance(second, asr.StreamingRecognizeResponse)
    assert not first.results[0].alternatives
    assert 0.9 < first.results[0].audio_processed < 1.1
    assert second.results[0].audio_processed == first.results[0].audio_processed


async def test_a_slow_engine_hears_every_sample(call_server: CallServer, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = bytearray()

    async def slow(utterances: ScriptedUtterances, pcm16: bytes) -> Hypothesis:
        await asyncio.sleep(0.02)
        heard.extend(pcm16)
        return Hypothesis("slow")

    monkeypatch.setattr(ScriptedUtterances, "accept", slow)
    caller = await call_server(SPEECH_MAX_AHEAD_S="0.3")
    synthesise = hum(6) + hush(0.2)
    assert len(finals(await caller.hear(config(), *pieces(synthesise)))) == 1
    assert bytes(heard) == synthesise


async def test_reading_stops_when_an_engine_stalls(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_ASR_FAULT="stall", SPEECH_MAX_AHEAD_S="1")
    call = caller.asr.StreamingRecognize()
    await call.write(config())
    written: list[int] = []

    async def write_a_minute() -> None:
        for second in range(60):
            async with asyncio.timeout(1):
                await call.write(chunk(hum(1)))
            written.append(second)

    with pytest.raises(TimeoutError):
        await write_a_minute()
    call.cancel()
    assert len(written) < 20


async def test_an_engine_that_dies_ends_its_stream_and_no_other(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_ASR_FAULT="die_mid_utterance", SCRIPT_ASR_FAULT_TIMES="1")
    error = await ends_with(caller.asr.StreamingRecognize(iter([config(), chunk(TURN)])))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "died in an utterance" in (error.details() or "")
    assert finals(await caller.hear(config(), TURN)) == ["caller 2 turn 1"]


async def test_an_unavailable_engine_is_said_so(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_ASR_FAULT="unavailable", SCRIPT_ASR_FAULT_AFTER="1")
    assert finals(await caller.hear(config(), TURN)) == ["caller 1 turn 1"]
    error = await ends_with(caller.asr.StreamingRecognize(iter([config()])))
    assert error.code() is grpc.StatusCode.UNAVAILABLE


async def test_beyond_the_stream_limit_a_caller_is_told_when_to_come_back(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_MAX_STREAMS="1", SPEECH_RETRY_AFTER_MS="1500")
    held = caller.asr.StreamingRecognize()
    await held.write(config())
    await held.write(chunk(hum(1)))
    await held.read()
    error = await ends_with(caller.asr.StreamingRecognize(iter([config()])))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ("retry-after-ms", "1500") in list(error.trailing_metadata() or ())
    await held.done_writing()
    assert finals(await rest(held)) == ["caller 1 turn 1"]
    assert len(finals(await caller.hear(config(), TURN))) == 1


async def test_a_stream_without_messages_ends_with_a_sentence(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_IDLE_LIMIT_S="0.2")
    for first in ([], [config()]):
        call = caller.asr.StreamingRecognize()
        for message in first:
            await call.write(message)
        error = await ends_with(call)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "No message came for 0.2 s" in (error.details() or "")


async def test_silence_is_activity(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_IDLE_LIMIT_S="0.5")

    async def silence_for_longer() -> AsyncIterator[asr.StreamingRecognizeRequest]:
        yield config()
        for _ in range(8):
            await asyncio.sleep(0.1)
            yield chunk(hush(0.1))

    assert finals([one async for one in caller.asr.StreamingRecognize(silence_for_longer())]) == [""]


async def test_a_caller_who_goes_away_frees_the_place(
    start_server: Callable[..., Awaitable[Server]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed = asyncio.Event()

    async def close(utterances: ScriptedUtterances) -> None:
        closed.set()

    monkeypatch.setattr(ScriptedUtterances, "close", close)
    server = await start_server(SPEECH_MAX_STREAMS="1")
    caller = Caller(server.grpc_port)
    call = caller.asr.StreamingRecognize()
    await call.write(config())
    await call.write(chunk(hum(1)))
    await call.read()
    call.cancel()
    async with asyncio.timeout(5):
        await closed.wait()
        await asyncio.sleep(0)
    assert finals(await caller.hear(config(), TURN)) == ["caller 2 turn 1"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    await caller.channel.close()
