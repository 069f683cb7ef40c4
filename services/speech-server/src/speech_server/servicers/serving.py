"""How do the services get onto a port? Options, health and reflection around the two Riva services."""

from dataclasses import dataclass

import grpc
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from speech_server.servicers.asr import AsrServicer
from speech_server.servicers.health import Health
from speech_server.servicers.tts import TtsServicer
from speech_server.servicers.undecodable import Undecodable
from speech_server.tls import TlsFiles, grpc_credentials
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


async def serve(
    host: str, port: int, message_bytes: int, tls: TlsFiles | None, asr: AsrServicer, tts: TtsServicer
) -> GrpcServer:
    """Listen, health NOT_SERVING. Raises PortTaken, BadTls."""
    server = grpc.aio.server(interceptors=(Undecodable(),), options=_options(message_bytes))
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


def _options(message_bytes: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", message_bytes),
        # Two servers on one port would share its streams by chance.
        ("grpc.so_reuseport", 0),
        # A window that doesn't grow: a client of a slow engine is held back after 64 KiB, 2 s of audio.
        ("grpc.http2.bdp_probe", 0),
        # Clients ping every 30 s; a default server would answer those with GOAWAY.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
