"""What a peer can hold over HTTP before and while it asks: connections, headers, bodies, messages. Each is bounded."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import pytest
from serving import http_server
from speech_server.app import Server
from speech_server.openai_audio import realtime

from .conftest import Call

StartServer = Callable[..., Awaitable[Server]]
WITHIN_S = 5


async def _answer(server: Server, sent: bytes) -> bytes:
    """All that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(sent)
    try:
        async with asyncio.timeout(WITHIN_S):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_http_connections_are_bounded(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("speech_server.app.most_calls", lambda gates: 3)
    server = await start_server()
    idle = [await asyncio.open_connection("127.0.0.1", server.http_port) for _ in range(3)]
    for reader, writer in idle:
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"}")
    for _ in range(4):
        assert await _answer(server, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    assert sum("HTTP connections are in use" in record.message for record in caplog.records) == 1
    for _, writer in idle:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(WITHIN_S):
        while b"200 OK" not in await _answer(server, b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            pass


@pytest.mark.parametrize(
    "headers", [b"A: " + b"x" * 9000, b"\r\n".join(b"A%d: x" % number for number in range(70)), b"B" * 20_000]
)
async def test_headers_are_bounded(start_server: StartServer, headers: bytes) -> None:
    server = await start_server()
    assert b" 400 " in (await _answer(server, b"GET /livez HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n"))[:20]


async def test_headers_that_trickle_end_the_connection(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "WAIT_S", 0.2)
    server = await start_server()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)

    writer.write(b"GET /livez HTTP/1.1\r\nA: ")

    async def trickle() -> None:
        while not writer.is_closing():
            writer.write(b"A")
            await asyncio.sleep(0.02)

    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
        trickling = tasks.create_task(trickle())
        with suppress(ConnectionError):
            assert await reader.read() == b""
        trickling.cancel()
    writer.close()


async def test_a_slow_body_is_ended(start_server: StartServer) -> None:
    server = await start_server(SPEECH_UPLOAD_STALL_S="0.1")
    head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(head)
    async with asyncio.timeout(WITHIN_S):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_a_websocket_message_is_bounded(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert realtime.MOST_MESSAGE_BYTES == 2 << 20
    monkeypatch.setattr(realtime, "MOST_MESSAGE_BYTES", 1000)
    session = await call()
    async with session.ws_connect("/v1/realtime") as socket:
        await socket.receive(timeout=WITHIN_S)
        await socket.send_str("x" * 2000)
        message = await socket.receive(timeout=WITHIN_S)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_a_client_that_does_not_read_its_answer_is_let_go(start_server: StartServer) -> None:
    server = await start_server(SPEECH_UNREAD_LIMIT_S="0.1", SPEECH_MAX_SYNTHESES="1")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port, limit=1000)
    body = json.dumps({"model": "x", "input": "hello " * 600, "response_format": "pcm"}).encode()
    writer.write(b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    assert b" 200 " in await reader.readline()
    assert server._gates.syntheses.active == 1
    server._gates.syntheses.close("the test waits for its end")
    async with asyncio.timeout(WITHIN_S):
        await server._gates.syntheses.until_idle()
    got = b""
    with suppress(ConnectionError):
        while part := await reader.read(1 << 20):
            got = got[-10:] + part
    assert not got.endswith(b"0\r\n\r\n"), "a cut answer must not pass for a whole one"
    writer.close()


async def test_a_client_that_reads_slowly_keeps_its_answer(start_server: StartServer) -> None:
    server = await start_server(SPEECH_UNREAD_LIMIT_S="0.3")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port, limit=1000)
    body = json.dumps({"model": "x", "input": "hello " * 300, "response_format": "pcm"}).encode()
    head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(body) + body)
    read = 0
    async with asyncio.timeout(WITHIN_S):
        while part := await reader.read(100_000):
            read += len(part)
            await asyncio.sleep(0.001)
    assert read > 4_000_000
    writer.close()
