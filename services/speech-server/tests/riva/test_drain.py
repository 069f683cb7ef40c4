"""A planned end: nobody is refused, new calls go elsewhere, long streams leave where nothing is lost."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from serving.grpc_health import MOST_WATCHES
from speech_server.app import Server
from speech_server.drain import LEAVE, Drain
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, chunk, config, finals, hum, hush

StartServer = Callable[..., Awaitable[Server]]
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
WORD, PAUSE = hush(0.1) + hum(0.6), hush(0.4)
SOON_S = 15
"""What should come at once comes within so long on a busy machine."""


@asynccontextmanager
async def draining(server: Server) -> AsyncIterator["asyncio.Task[None]"]:
    """Inside, the server drains; at the end it is hurried."""
    async with asyncio.timeout(4 * SOON_S), asyncio.TaskGroup() as tasks:
        drain = tasks.create_task(server.drain())
        await asyncio.sleep(0)
        yield drain
        server.hurry()


async def utterance(call: Any) -> str:
    """The next final."""
    while True:
        for result in (await call.read()).results:
            if result.is_final:
                return str(result.alternatives[0].transcript)


async def after(call: Any) -> tuple[grpc.StatusCode, str]:
    """The status, once everything is read."""
    async with asyncio.timeout(SOON_S):
        try:
            while await call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError:
            pass
        return await call.code(), await call.details()


async def test_during_the_notice_everything_is_served(start_server: StartServer) -> None:
    server = await start_server(SPEECH_DRAIN_NOTICE_S="60")
    caller = Caller(server.grpc_port)
    async with draining(server):
        assert finals(await caller.hear(config(), WORD + PAUSE)) == ["caller 1 turn 1"]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session:
            async with session.get("/readyz") as got:
                assert got.status == 503
            async with session.post("/v1/audio/speech", json={"model": "x", "input": "hi", "voice": "alloy"}) as got:
                assert (got.status, got.headers["Connection"]) == (200, "close")
    await caller.channel.close()


async def test_after_the_notice_new_calls_go_elsewhere(start_server: StartServer) -> None:
    leaving, staying = await start_server(SPEECH_DRAIN_GRACE_S="60"), await start_server()
    target = f"ipv4:127.0.0.1:{leaving.grpc_port},127.0.0.1:{staying.grpc_port}"
    caller = Caller(leaving.grpc_port)
    held = caller.asr.StreamingRecognize()
    await held.write(config())
    await held.write(chunk(WORD))
    await held.read()
    options = (("grpc.lb_policy_name", "round_robin"), ("grpc.enable_retries", 0))
    async with grpc.aio.insecure_channel(target, options=options) as both:
        caller_of_both = Caller(0)
        caller_of_both.asr = type(caller.asr)(both)
        for _ in range(4):
            assert len(finals(await caller_of_both.hear(config(), WORD + PAUSE))) == 1
        async with draining(leaving) as drain:
            for _ in range(20):
                assert len(finals(await caller_of_both.hear(config(), WORD + PAUSE))) == 1
            # What runs may end by itself.
            assert not drain.done()
            await held.write(chunk(PAUSE))
            assert await utterance(held) == "caller 1 turn 1"
            await held.done_writing()
            assert (await after(held))[0] is grpc.StatusCode.OK
            async with asyncio.timeout(SOON_S):
                await drain
    for one in (caller, caller_of_both):
        await one.channel.close()


async def test_a_long_stream_leaves_between_two_utterances(start_server: StartServer) -> None:
    server = await start_server(SPEECH_DRAIN_GRACE_S="2")
    caller = Caller(server.grpc_port)
    silent, synthesis = caller.asr.StreamingRecognize(), caller.asr.StreamingRecognize()
    for call, heard in ((silent, WORD + PAUSE), (synthesis, WORD)):
        await call.write(config())
        await call.write(chunk(heard))
        await call.read()
    assert await utterance(silent) == "caller 1 turn 1"
    async with draining(server) as drain:
        assert await after(silent) == (grpc.StatusCode.UNAVAILABLE, LEAVE)
        assert not synthesis.done()
        await synthesis.write(chunk(PAUSE))
        assert await utterance(synthesis) == "caller 2 turn 1"
        assert await after(synthesis) == (grpc.StatusCode.UNAVAILABLE, LEAVE)
        async with asyncio.timeout(SOON_S):
            await drain
    await caller.channel.close()


async def test_at_the_end_of_the_grace_a_stream_is_told_why(start_server: StartServer) -> None:
    server = await start_server(SPEECH_DRAIN_GRACE_S="0.2")
    caller = Caller(server.grpc_port)
    call = caller.asr.StreamingRecognize()
    await call.write(config())
    await call.write(chunk(WORD))
    await call.read()
    await server.drain()
    assert await after(call) == (grpc.StatusCode.UNAVAILABLE, LEAVE)
    await caller.channel.close()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> asyncio.Semaphore:
    """Is released by each stream that begins to wait for a message."""
    begun, unless = asyncio.Semaphore(0), Drain.unless

    async def counted(drain: Drain, waiting: Awaitable[Any]) -> Any:
        begun.release()
        return await unless(drain, waiting)

    monkeypatch.setattr(Drain, "unless", counted)
    return begun


@pytest.mark.parametrize("first", [True, False])
async def test_a_stream_that_waits_for_its_next_message_leaves(
    start_server: StartServer, waiting: asyncio.Semaphore, first: bool
) -> None:
    server = await start_server(SPEECH_DRAIN_GRACE_S="0.2")
    caller = Caller(server.grpc_port)
    segmenter, synthesis = caller.asr.StreamingRecognize(), caller.tts.SynthesizeOnline()
    for _ in range(2):
        await waiting.acquire()
    if not first:
        await synthesis.write(tts.SynthesizeSpeechRequest(text="hello"))
        await synthesis.read()
        await waiting.acquire()
    await server.drain()
    assert await after(synthesis) == (grpc.StatusCode.UNAVAILABLE, LEAVE)
    assert await after(segmenter) == (grpc.StatusCode.UNAVAILABLE, LEAVE)
    await caller.channel.close()


async def test_a_drain_can_be_hurried(start_server: StartServer) -> None:
    server = await start_server(SPEECH_DRAIN_NOTICE_S="60")
    caller = Caller(server.grpc_port)
    live = caller.asr.StreamingRecognize()
    await live.write(config())
    async with draining(server):
        pass
    live.cancel()
    await caller.channel.close()


async def test_watches_are_told_and_then_end(start_server: StartServer) -> None:
    server = await start_server(SPEECH_DRAIN_GRACE_S="60")
    caller = Caller(server.grpc_port)
    stub: Any = health_pb2_grpc.HealthStub(caller.channel)
    watch, other = (stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(2))
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
    assert (await unknown.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    assert [(await one.read()).status for one in (watch, other)] == [SERVING, SERVING]
    other.cancel()
    async with draining(server) as drain:
        async with asyncio.timeout(SOON_S):
            assert (await watch.read()).status == NOT_SERVING
            assert (await after(watch))[0] is grpc.StatusCode.UNAVAILABLE
            await drain
    await caller.channel.close()


async def test_watches_are_bounded(start_server: StartServer) -> None:
    caller = Caller((await start_server()).grpc_port)
    stub: Any = health_pb2_grpc.HealthStub(caller.channel)
    watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(MOST_WATCHES)]
    for watch in watches:
        await watch.read()
    assert (await after(stub.Watch(health_pb2.HealthCheckRequest())))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    long = stub.Watch(health_pb2.HealthCheckRequest(service="x" * 300))
    assert (await after(long))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == SERVING
    await caller.channel.close()


@pytest.mark.parametrize("protocols", [(), ("realtime", "realtime-token.x")])
async def test_a_realtime_session_leaves_between_two_utterances(
    start_server: StartServer, protocols: tuple[str, ...]
) -> None:
    server = await start_server(SPEECH_DRAIN_GRACE_S="0.4")
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session,
        session.ws_connect("/v1/realtime?intent=transcription", protocols=protocols) as socket,
    ):
        await socket.receive(timeout=SOON_S)
        audio = base64.b64encode(WORD + 4 * PAUSE).decode()
        await socket.send_str(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        async with draining(server) as drain:
            kinds = []
            while (message := await socket.receive(timeout=SOON_S)).type is aiohttp.WSMsgType.TEXT:
                event = json.loads(message.data)
                kinds.append(event["type"].rpartition(".")[2])
            assert "completed" in kinds
            assert (kinds[-1], event["error"]["code"], socket.close_code) == ("error", "not_serving", 1012)
            async with asyncio.timeout(SOON_S):
                await drain


async def test_no_stream_is_begun_on_a_server_that_has_gone(start_server: StartServer) -> None:
    server = await start_server()
    caller = Caller(server.grpc_port)
    await server.drain()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text="hello"))
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    await caller.channel.close()
