"""How do the services get onto a port? Options, health and reflection around the two Riva services."""

from dataclasses import dataclass

import grpc
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from speech_server.riva.asr_servicer import AsrServicer
from speech_server.riva.decode_interceptor import DecodeInterceptor
from speech_server.riva.health import Health
from speech_server.riva.tts_servicer import TtsServicer
from speech_server.tls import Certificates, grpc_credentials
from speech_server.wire.riva_asr_pb2 import DESCRIPTOR as ASR
from speech_server.wire.riva_asr_pb2_grpc import add_RivaSpeechRecognitionServicer_to_server
from speech_server.wire.riva_tts_pb2 import DESCRIPTOR as TTS
from speech_server.wire.riva_tts_pb2_grpc import add_RivaSpeechSynthesisServicer_to_server

ASR_SERVICE = ASR.services_by_name["RivaSpeechRecognition"].full_name
HEALTH_SERVICE = HEALTH.services_by_name["Health"].full_name
TTS_SERVICE = TTS.services_by_name["RivaSpeechSynthesis"].full_name


class PortTaken(Exception):
    """The address can't be listened on; the sentence names it."""


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """A started server, its port and its health."""

    server: grpc.aio.Server
    port: int
    health: Health


@dataclass(frozen=True, slots=True)
class GrpcLimits:
    """What callers can hold."""

    message_bytes: int
    most_calls: int
    """Of every method, at once; more are refused before they are looked at."""


HANDSHAKE_MS = 10_000
METADATA_BYTES = 16_384
IDLE_CONNECTION_MS = 600_000


async def serve(
    host: str,
    port: int,
    limits: GrpcLimits,
    tls: Certificates | None,
    interceptor: DecodeInterceptor,
    asr: AsrServicer,
    tts: TtsServicer,
) -> GrpcServer:
    """Listen, health NOT_SERVING. Raises PortTaken."""
    server = grpc.aio.server(
        interceptors=(interceptor,), options=_options(limits), maximum_concurrent_rpcs=limits.most_calls
    )
    add_RivaSpeechRecognitionServicer_to_server(asr, server)
    add_RivaSpeechSynthesisServicer_to_server(tts, server)
    health = Health((ASR_SERVICE, TTS_SERVICE))
    add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((ASR_SERVICE, TTS_SERVICE, HEALTH_SERVICE, reflection.SERVICE_NAME), server)
    try:
        if tls is not None:
            bound = server.add_secure_port(f"{host}:{port}", grpc_credentials(tls))
        else:
            bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise PortTaken(f"can't listen on {host}:{port} (gRPC): it is in use or not ours") from error
    await server.start()
    return GrpcServer(server, bound, health)


def _options(limits: GrpcLimits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.message_bytes),
        # One connection may have all of them: a gateway's.
        ("grpc.max_concurrent_streams", limits.most_calls),
        ("grpc.max_allowed_incoming_connections", limits.most_calls),
        # Unread bytes come in pieces of 64 KiB.
        ("grpc.http2.lookahead_bytes", 65_536),
        ("grpc.experimental.tcp_max_read_chunk_size", 65_536),
        ("grpc.max_metadata_size", METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", METADATA_BYTES),
        # TLS and HTTP/2 settings included; a peer that says nothing is gone after it.
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", IDLE_CONNECTION_MS),
        # Two servers on one port would share its streams by chance.
        ("grpc.so_reuseport", 0),
        # A window that doesn't grow: a client of a slow engine is held back after 64 KiB, 2 s of audio.
        ("grpc.http2.bdp_probe", 0),
        # Clients ping every 30 s; a default server would answer those with GOAWAY.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
