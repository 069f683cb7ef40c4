"""What a server says of itself: over gRPC by name, over HTTP by page; and of a port that it can't have."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry, Counter
from serving.grpc_health_client import trouble
from serving.grpc_server import GrpcLimits, GrpcServer
from serving.http_pages import Readiness, routes
from serving.http_server import HttpServer
from serving.ports import PortTaken, write_ports_file
from serving.signals import Stop, stop_on_signals

LIMITS = GrpcLimits(message_bytes=1000, metadata_bytes=8192, connections=10, streams=10, idle_connection_s=60)
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def served() -> AsyncIterator[tuple[GrpcServer, grpc.aio.Channel]]:
    """A server with the service "x", and a channel to it."""
    server = GrpcServer(("x",), LIMITS)
    port = await server.listen("127.0.0.1", 0, "PORT")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield server, channel
    await server.stop(0)


async def test_health_is_told_by_name(served: tuple[GrpcServer, grpc.aio.Channel]) -> None:
    server, channel = served
    stub: Any = health_pb2_grpc.HealthStub(channel)
    ask = health_pb2.HealthCheckRequest
    assert await trouble(channel) == "NOT_SERVING"
    watch = stub.Watch(ask(service="x"))
    assert (await watch.read()).status == NOT_SERVING
    server.health.set(True, "x")
    assert (await watch.read()).status == SERVING
    assert await trouble(channel) == "NOT_SERVING"
    server.health.set(True)
    assert await trouble(channel) == ""
    with pytest.raises(grpc.aio.AioRpcError, match="No such service here"):
        await stub.Check(ask(service="y"))
    server.health.end_watches()
    assert await watch.code() is grpc.StatusCode.UNAVAILABLE


async def test_nobody_there_is_a_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert (await trouble(channel)).startswith("UNAVAILABLE: ")


async def test_pages_say_why_it_is_not_ready() -> None:
    reasons, registry = {"engine": "loading"}, CollectorRegistry()
    Counter("things", "that were counted", registry=registry).inc()
    app = web.Application()
    app.add_routes(routes(lambda: Readiness(reasons, {"draining": False}), registry))
    server = HttpServer(app, 0.1)
    port = await server.listen("127.0.0.1", 0, "PORT")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def page(path: str) -> tuple[int, str]:
            async with session.get(path) as got:
                return got.status, await got.text()

        status, body = await page("/readyz")
        assert status == 503
        assert json.loads(body) == {"status": "not ready", "reasons": reasons, "draining": False}
        reasons.clear()
        assert (await page("/readyz"))[0] == 200
        assert await page("/livez") == (200, '{"status": "live"}')
        assert "things_total 1.0" in (await page("/metrics"))[1]
    await server.stop()


@pytest.mark.parametrize("make", [lambda: GrpcServer((), LIMITS), lambda: HttpServer(web.Application(), 0.1)])
async def test_a_port_in_use_is_one_sentence_that_names_its_variable(make: Any) -> None:
    server = make()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"can't listen on 127\.0\.0\.1:{port} .* set MY_PORT to a free port"):
            await server.listen("127.0.0.1", port, "MY_PORT")
    await server.stop(0) if isinstance(server, GrpcServer) else await server.stop()


def test_a_second_signal_hurries() -> None:
    stop = Stop()
    stop.ask(signal.SIGINT)
    assert (stop.drain.is_set(), stop.at_once.is_set()) == (True, False)
    stop.ask(signal.SIGTERM)
    assert stop.at_once.is_set()
    assert stop.signal_number == signal.SIGINT, "the one that asked first"


async def test_signals_ask() -> None:
    stop = stop_on_signals()
    signal.raise_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        await stop.drain.wait()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


def test_a_ports_file_is_whole(tmp_path: Path) -> None:
    write_ports_file(tmp_path / "ports.json", grpc=1, http=2)
    assert json.loads((tmp_path / "ports.json").read_text()) == {"grpc": 1, "http": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["ports.json"]
