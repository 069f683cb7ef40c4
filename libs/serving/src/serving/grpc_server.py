"""How do gRPC services get onto a port? Options, TLS, health and reflection around whatever is served."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from serving.certificates import Certificates, Served
from serving.grpc_health import Health
from serving.ports import PortTaken

HEALTH_SERVICE = HEALTH.services_by_name["Health"].full_name
HANDSHAKE_MS = 10_000


@dataclass(frozen=True, slots=True)
class GrpcLimits:
    """What callers can hold."""

    message_bytes: int
    metadata_bytes: int
    """The headers of one RPC, together."""
    connections: int
    streams: int
    """Of one connection: all calls may come through one proxy."""
    idle_connection_s: float
    """A connection without an RPC is closed after it; a client connects again when it needs one."""
    calls: int | None = None
    """RPCs of every method at once, where gRPC itself refuses more."""


class GrpcServer:
    """A server, its health and its port: add services to `server`, `listen`, `stop`."""

    def __init__(
        self, services: Sequence[str], limits: GrpcLimits, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    ) -> None:
        """`services`: full names, for health and reflection. Health is NOT_SERVING until it is set."""
        self.server = grpc.aio.server(
            interceptors=interceptors, options=options(limits), maximum_concurrent_rpcs=limits.calls
        )
        self.health = Health(services)
        add_HealthServicer_to_server(self.health, self.server)
        reflection.enable_server_reflection((*services, HEALTH_SERVICE, reflection.SERVICE_NAME), self.server)

    async def listen(self, host: str, port: int, setting: str, certificates: Certificates | None = None) -> int:
        """Serve; gives the port. `setting` names its variable. Raises PortTaken."""
        address = f"{host}:{port}"
        try:
            if certificates is not None:
                bound = self.server.add_secure_port(address, _credentials(certificates))
            else:
                bound = self.server.add_insecure_port(address)
        except RuntimeError:
            raise PortTaken(host, port, setting) from None
        await self.server.start()
        return bound

    async def stop(self, grace_s: float) -> None:
        """GOAWAY; calls may end within the grace, health watches end at once."""
        self.health.end_watches()
        await self.server.stop(grace_s)


def options(limits: GrpcLimits) -> Sequence[tuple[str, int]]:
    """What gRPC itself refuses before a line of the service runs, and the keepalive."""
    return (
        # Two servers on one port would share its streams by chance: a taken port is an error.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", limits.message_bytes),
        ("grpc.max_metadata_size", limits.metadata_bytes),
        ("grpc.absolute_max_metadata_size", limits.metadata_bytes),
        ("grpc.max_concurrent_streams", limits.streams),
        ("grpc.max_allowed_incoming_connections", limits.connections),
        # TLS and HTTP/2 settings included; a peer that says nothing is gone after it.
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", round(limits.idle_connection_s * 1000)),
        # Unread bytes: a window of 64 KiB a stream that does not grow, read in pieces of 64 KiB. A client of a slow
        # service is held back after 2 s of audio.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 64 * 1024),
        ("grpc.experimental.tcp_max_read_chunk_size", 64 * 1024),
        # Clients may ping every 30 s, which a server with gRPC's own limits would answer with GOAWAY.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # A peer whose network is gone is noticed, also one who never reads.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    )


def _credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """gRPC asks for the pair with every new connection."""
    told = certificates.served

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal told
        served = certificates.served
        if served is told:
            return None
        told = served
        return _configuration(served)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(told),
        fetch,  # type: ignore[arg-type]  # None means "as before", which the stubs don't know
        certificates.files.client_ca is not None,
    )


def _configuration(served: Served) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(served.key, served.certificate)], served.client_ca)
