"""Where is the gateway reached? Its gRPC port, with the standard health service, its web port, and its HTTP port."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web
from serving.certificate_expiry import expires_at, file_expires_at
from serving.certificates import BadTls, Certificates, TlsFiles, http_context
from serving.grpc_server import GrpcLimits, GrpcServer
from serving.http_server import HttpLimits, HttpServer
from serving.ports import PortTaken
from serving.settings import BadSettings

from voice_gateway.config import Settings
from voice_gateway.edges.grpc.servicer import SERVICE, VoiceGateway
from voice_gateway.edges.grpc.unauthenticated_methods import UnauthenticatedMethods
from voice_gateway.edges.http import GatewayReadiness, bound_connections
from voice_gateway.edges.limits import Limits
from voice_gateway.metrics import Metrics

_LAST_WORDS_S = 1.0


class Ports(NamedTuple):
    """Where the gateway listens."""

    grpc: int
    http: int
    web: int
    """0 = it serves no browsers and WebSockets."""


def grpc_limits(limits: Limits, max_sessions: int) -> GrpcLimits:
    """What gRPC itself refuses before a line of this program runs. `max_sessions` is what was set at the start."""
    return GrpcLimits(
        message_bytes=limits.max_message_bytes,
        metadata_bytes=8 * 1024,
        connections=max_connections(max_sessions),
        streams=max_streams(max_sessions),
        idle_connection_s=60.0,
    )


def max_streams(max_sessions: int) -> int:
    """RPCs at once on one connection: all calls may come through one proxy, each twice while it is taken up again."""
    return 2 * max_sessions + 56


def max_connections(max_sessions: int) -> int:
    """Connections at once: a call needs one, and probes and idle ones must fit, too."""
    return 4 * max_sessions + 112


def server_certificates(settings: Settings) -> Certificates | None:
    """The certificate of the gRPC port, if it has one. Blocking for up to two seconds. Raises BadSettings."""
    certificate, key = settings.gateway_tls_cert_file, settings.gateway_tls_key_file
    if certificate is None or key is None:
        return None
    try:
        return Certificates(TlsFiles(certificate, key, settings.gateway_tls_client_ca_file))
    except BadTls as error:
        raise BadSettings(f"GATEWAY_TLS_CERT_FILE, GATEWAY_TLS_KEY_FILE, GATEWAY_TLS_CLIENT_CA_FILE: {error}") from None


def tell_expiry(settings: Settings, certificates: Certificates | None, metrics: Metrics) -> None:
    """When each certificate of the gateway expires, as it is when somebody asks."""
    if certificates is not None:
        served = metrics.certificate_expires.labels("GATEWAY_TLS_CERT_FILE")
        served.set_function(lambda: expires_at(certificates.served.certificate))
    shown = {
        "RIVA_CLIENT_CERT_FILE": settings.riva_client_cert_file,
        "LLM_CLIENT_CERT_FILE": settings.llm_client_cert_file,
    }
    for name, file in shown.items():
        if file is not None:
            metrics.certificate_expires.labels(name).set_function(file_expires_at(file))


class Servers:
    """All ports: `listen`, then `close`."""

    def __init__(
        self, settings: Settings, service: VoiceGateway, pages: web.Application, edge: web.Application
    ) -> None:
        """`pages` are for probes and scrapers, `edge` is for callers."""
        limits = Limits()
        public = UnauthenticatedMethods(SERVICE, limits, settings.gateway_start_timeout_s)
        self._grpc = GrpcServer((SERVICE,), grpc_limits(limits, settings.gateway_max_sessions), [public])
        self._grpc.server.add_generic_rpc_handlers((service.handlers,))
        self._http = HttpServer(pages, _LAST_WORDS_S)
        self._web = HttpServer(
            edge, _LAST_WORDS_S, HttpLimits(max_connections(settings.gateway_max_sessions), limits.max_unread_s)
        )
        self._settings = settings

    async def listen(self, certificates: Certificates | None) -> Ports:
        """Serve. Raises PortTaken."""
        settings, host = self._settings, self._settings.gateway_host
        context = http_context(certificates, demands=True) if certificates is not None else None
        try:
            return Ports(
                http=await self._http.listen(host, settings.gateway_http_port, "GATEWAY_HTTP_PORT"),
                web=await self._web.listen(host, settings.gateway_web_port, "GATEWAY_WEB_PORT", context)
                if settings.gateway_web
                else 0,
                grpc=await self._grpc.listen(host, settings.gateway_port, "GATEWAY_PORT", certificates),
            )
        except PortTaken:
            await self.close()
            raise

    async def follow(self, ready: Callable[[], GatewayReadiness], every_s: float) -> None:
        """grpc.health.v1 says of the service what /readyz says, and of the server ("") what /readyz/pod says, until
        cancelled or the drain begins."""
        while not (now := ready()).draining:
            self._grpc.health.set(not now.pod_reasons, "")
            self._grpc.health.set(not now.reasons, SERVICE)
            await asyncio.sleep(every_s)

    async def bound_http(self) -> None:
        """Few HTTP connections, each for a bounded time, until cancelled."""
        await bound_connections(self._http.manager)

    def say_not_serving(self) -> None:
        """grpc.health.v1 says so from now on."""
        self._grpc.health.set(False)

    async def close(self) -> None:
        """Let calls that are over say their last words."""
        await asyncio.gather(self._grpc.stop(_LAST_WORDS_S), self._web.stop())
        await self._http.stop()
