"""Where is the gateway reached? Its gRPC port, with the standard health service, and its HTTP port."""

import asyncio
import socket
from collections.abc import Callable

import grpc
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from voice_gateway.config import BadSettings, Settings
from voice_gateway.edges.grpc.credentials import ServerTls
from voice_gateway.edges.grpc.servicer import SERVICE, VoiceGateway
from voice_gateway.edges.grpc.tokens import Tokens
from voice_gateway.edges.grpc.unauthenticated_methods import UnauthenticatedMethods
from voice_gateway.edges.http import Readiness, bound_connections
from voice_gateway.edges.limits import Limits

MAX_METADATA_BYTES = 8 * 1024
"""Of the headers of one RPC, together."""
HANDSHAKE_TIMEOUT_MS = 10_000
MAX_CONNECTION_IDLE_MS = 60_000


def options(limits: Limits, max_sessions: int) -> tuple[tuple[str, int], ...]:
    """What gRPC itself refuses before a line of this program runs. `max_sessions` is what was set at the start."""
    return (
        ("grpc.so_reuseport", 0),  # a taken port is an error, not a second server on it
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # A caller whose network is gone is noticed, also one who never reads.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # What one message, the headers of one RPC, one connection and all of them may hold.
        ("grpc.max_receive_message_length", limits.max_message_bytes),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.max_concurrent_streams", max_streams(max_sessions)),
        ("grpc.max_allowed_incoming_connections", max_connections(max_sessions)),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_TIMEOUT_MS),
        # Connections without an RPC; a client connects again when it needs one.
        ("grpc.max_connection_idle_ms", MAX_CONNECTION_IDLE_MS),
        # Unread bytes: a window of 64 KiB a stream that does not grow, read in pieces of 64 KiB.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 64 * 1024),
        ("grpc.experimental.tcp_max_read_chunk_size", 64 * 1024),
    )


def max_streams(max_sessions: int) -> int:
    """RPCs at once on one connection: all calls may come through one proxy, each twice while it is taken up again."""
    return 2 * max_sessions + 56


def max_connections(max_sessions: int) -> int:
    """Connections at once: a call needs one, and probes and idle ones must fit, too."""
    return 4 * max_sessions + 112


def server_tls(settings: Settings) -> ServerTls | None:
    """The certificate of the gRPC port, if it has one. Raises BadSettings."""
    certificate, key = settings.gateway_tls_cert_file, settings.gateway_tls_key_file
    if certificate is None or key is None:
        return None
    try:
        return ServerTls(certificate, key, settings.gateway_tls_client_ca_file)
    except OSError as error:
        raise BadSettings(f"GATEWAY_TLS_CERT_FILE, GATEWAY_TLS_KEY_FILE, GATEWAY_TLS_CLIENT_CA_FILE: {error}") from None


def tokens(settings: Settings) -> Tokens | None:
    """Who may call, if not everybody may. Raises BadSettings."""
    try:
        return Tokens(settings.gateway_tokens_file) if settings.gateway_tokens_file else None
    except OSError as error:
        raise BadSettings(f"GATEWAY_TOKENS_FILE: {error}") from None


class Ports:
    """Both ports, served. Made by `open_ports`."""

    def __init__(
        self, server: grpc.aio.Server, health_service: health.aio.HealthServicer, grpc_port: int, runner: web.AppRunner
    ) -> None:
        self.grpc = grpc_port
        self._server = server
        self._health = health_service
        self._runner = runner

    @property
    def http(self) -> int:
        """Number of the HTTP port."""
        return int(self._runner.addresses[0][1])

    async def follow(self, ready: Callable[[], Readiness], every_s: float) -> None:
        """grpc.health.v1 says of the service what /readyz says, and of the server ("") what /readyz/pod says, until
        cancelled or the drain begins."""
        answers = health_pb2.HealthCheckResponse
        while not (now := ready()).draining:
            for name, reasons in (("", now.pod_reasons), (SERVICE, now.reasons)):
                await self._health.set(name, answers.NOT_SERVING if reasons else answers.SERVING)
            await asyncio.sleep(every_s)

    async def bound_http(self) -> None:
        """Few HTTP connections, each for a bounded time, until cancelled."""
        assert self._runner.server is not None, "served since `open_ports`"
        await bound_connections(self._runner.server)

    async def say_not_serving(self) -> None:
        """grpc.health.v1 says so from now on, whatever it is told."""
        await self._health.enter_graceful_shutdown()

    async def close(self) -> None:
        """Let calls that are over say their last words."""
        await self._server.stop(grace=1.0)
        await self._runner.cleanup()


async def open_ports(settings: Settings, service: VoiceGateway, tls: ServerTls | None, pages: web.Application) -> Ports:
    """Bind both ports and serve. Raises OSError when one is taken."""
    limits = Limits()
    server = grpc.aio.server(
        options=options(limits, settings.gateway_max_sessions),
        interceptors=[UnauthenticatedMethods(SERVICE, limits, settings.gateway_start_timeout_s)],
    )
    server.add_generic_rpc_handlers((service.handlers,))
    health_service = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    address = f"{settings.gateway_host}:{settings.gateway_port}"
    try:
        port = server.add_secure_port(address, tls.credentials) if tls else server.add_insecure_port(address)
    except RuntimeError:
        raise OSError(f"port {address} is taken; set GATEWAY_PORT to a free one, or 0 for any") from None
    runner = web.AppRunner(pages, access_log=None)
    await runner.setup()
    listening = socket.create_server((settings.gateway_host, settings.gateway_http_port), reuse_port=False)
    await web.SockSite(runner, listening).start()
    await server.start()
    return Ports(server, health_service, port, runner)
