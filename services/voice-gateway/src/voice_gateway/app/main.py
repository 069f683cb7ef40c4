"""What happens from start to exit? Read settings, bind ports, serve, drain on SIGTERM, stop."""

import asyncio
import gc
import json
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator

import grpc
import uvloop
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc

from voice_gateway import config
from voice_gateway.app.registry import Registry
from voice_gateway.app.wiring import Parts, about, backends
from voice_gateway.config import Settings, call_options
from voice_gateway.edges import http
from voice_gateway.edges.grpc.servicer import VoiceGateway
from voice_gateway.metrics import Metrics

log = logging.getLogger("voice_gateway")

SERVICE = pb.DESCRIPTOR.services_by_name["VoiceGateway"].full_name


def main() -> None:
    """The `voice-gateway` command: `voice-gateway` serves, `voice-gateway settings` prints every setting."""
    if sys.argv[1:] == ["settings"]:
        sys.stdout.write(config.table() + "\n")
        return
    try:
        settings = config.read()
    except ValueError as error:
        sys.exit(f"voice-gateway: bad settings: {error}")
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        uvloop.run(serve(settings))
    except* OSError as group:
        sys.exit(f"voice-gateway: {group.exceptions[0]}")


async def serve(
    settings: Settings,
    stop: asyncio.Event | None = None,
    bound: Callable[[int, int], None] = lambda grpc_port, http_port: None,
) -> None:
    """Serve until SIGTERM or SIGINT (or `stop`), then drain; `bound` is told the ports once they answer.
    Raises OSError when a port is taken."""
    stop = stop or _stop_on_signals()
    metrics = Metrics()
    async with backends(settings, metrics) as parts, asyncio.TaskGroup() as tasks:
        registry = Registry(
            about(settings),
            call_options(settings),
            parts.equipment,
            tasks,
            parts.probes.down,
            settings.gateway_max_sessions,
            settings.gateway_journal_dir,
        )
        await parts.probes.ask_all(_note_backend(metrics))
        background = [tasks.create_task(work, name=name) for name, work in _background(parts, metrics)]
        server, port = _grpc_server(settings, registry)
        runner, http_port = await _http_server(settings, metrics, registry, parts)
        health_service = _health(server)
        await server.start()
        # What was loaded until now stays for good: the collector need not look at it again, 25 ms each time.
        gc.collect()
        gc.freeze()
        _tell_ports(settings, port, http_port)
        bound(port, http_port)
        background.append(tasks.create_task(_follow(health_service, registry, parts, settings), name="health"))
        log.info("serving gRPC on port %d and HTTP on port %d", port, http_port)
        await stop.wait()
        log.info("draining %d calls", registry.active)
        await health_service.enter_graceful_shutdown()
        await registry.drain(settings.gateway_drain_s)
        await server.stop(grace=1.0)
        await runner.cleanup()
        for task in background:
            task.cancel()


def _background(parts: Parts, metrics: Metrics) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
    yield "probes", parts.probes.run(_note_backend(metrics))
    if parts.detector:
        yield "vad", parts.detector.run()


def _note_backend(metrics: Metrics) -> Callable[[str, bool], None]:
    return lambda name, up: metrics.backend_up.labels(name).set(up)


def _grpc_server(settings: Settings, registry: Registry) -> tuple[grpc.aio.Server, int]:
    options = (
        ("grpc.so_reuseport", 0),  # a taken port is an error, not a second server on it
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # A caller whose network is gone is noticed, also one who never reads.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    )
    server = grpc.aio.server(options=options)
    voice_workflow_pb2_grpc.add_VoiceGatewayServicer_to_server(VoiceGateway(registry), server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    address = f"{settings.gateway_host}:{settings.gateway_port}"
    try:
        return server, server.add_insecure_port(address)
    except RuntimeError:
        raise OSError(f"port {address} is taken; set GATEWAY_PORT to a free one, or 0 for any") from None


def _health(server: grpc.aio.Server) -> health.aio.HealthServicer:
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return servicer


async def _http_server(
    settings: Settings, metrics: Metrics, registry: Registry, parts: Parts
) -> tuple[web.AppRunner, int]:
    loop = asyncio.get_running_loop()

    def not_ready() -> dict[str, str]:
        if registry.draining:
            return {"gateway": "draining"}
        long_down = parts.probes.down_for_long(loop.time())
        return {name: trouble for name, trouble in parts.probes.troubles().items() if name in long_down}

    runner = web.AppRunner(http.application(metrics, not_ready), access_log=None)
    await runner.setup()
    listening = socket.create_server((settings.gateway_host, settings.gateway_http_port), reuse_port=False)
    await web.SockSite(runner, listening).start()
    return runner, int(listening.getsockname()[1])


async def _follow(service: health.aio.HealthServicer, registry: Registry, parts: Parts, settings: Settings) -> None:
    """grpc.health.v1 says what /readyz says."""
    loop = asyncio.get_running_loop()
    while not registry.draining:
        ready = not parts.probes.down_for_long(loop.time())
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", SERVICE):
            await service.set(name, status)
        await asyncio.sleep(settings.gateway_probe_every_s / 2)


def _tell_ports(settings: Settings, port: int, http_port: int) -> None:
    if file := settings.gateway_ports_file:
        fresh = file.with_name(f"{file.name}.new")
        fresh.write_text(json.dumps({"grpc": port, "http": http_port}))
        fresh.replace(file)  # whoever waits for the file never reads half of it


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop
