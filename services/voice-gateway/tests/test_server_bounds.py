"""What the ports themselves bound, before a line of the gateway runs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from serving.grpc_server import options
from voice_gateway.app.servers import grpc_limits
from voice_gateway.edges.http import bound_connections
from voice_gateway.edges.limits import Limits


def test_grpc_bounds_connections_streams_and_bytes() -> None:
    chosen = dict(options(grpc_limits(Limits(), 100)))
    assert chosen["grpc.max_allowed_incoming_connections"] == 512
    assert chosen["grpc.max_concurrent_streams"] == 256
    assert chosen["grpc.max_receive_message_length"] == 512 * 1024
    assert chosen["grpc.max_metadata_size"] == chosen["grpc.absolute_max_metadata_size"] == 8192
    assert (chosen["grpc.http2.bdp_probe"], chosen["grpc.http2.lookahead_bytes"]) == (0, 65536)
    assert chosen["grpc.server_handshake_timeout_ms"] == 10_000
    assert chosen["grpc.max_connection_idle_ms"] == 60_000


@asynccontextmanager
async def page(**bounds: Any) -> AsyncGenerator[int, None]:
    """A port that answers "ok", with `bounds` on its connections."""

    async def ok(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/", ok)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    assert runner.server is not None
    bounding = asyncio.create_task(bound_connections(runner.server, **bounds))
    try:
        yield runner.addresses[0][1]
    finally:
        bounding.cancel()
        await runner.cleanup()


async def closed(reader: asyncio.StreamReader) -> None:
    """The server has closed this connection."""
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def answered(port: int) -> bool:
    """A new connection gets an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return b"200 OK" in line


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: ", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_an_http_connection_that_sends_nothing_is_closed(sent: bytes) -> None:
    async with page(life_s=0.0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        with suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()


async def test_of_http_connections_the_oldest_go() -> None:
    async with page(most=3) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for reader, _ in opened[:2]:
            await closed(reader)
        assert await answered(port)
        assert not any(reader.at_eof() for reader, _ in opened[3:])
        for _, writer in opened:
            writer.close()
