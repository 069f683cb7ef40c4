"""What is held open to the outside, for as long as the gateway runs? Channels, connections, probes, the detector."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import grpc

from voice_gateway.app.riva_tls import riva_credentials
from voice_gateway.backends.openai_llm import LlmClients, open_clients, warm_up
from voice_gateway.backends.probes import Probes, llm_probe, riva_probe
from voice_gateway.backends.silero_vad import SileroDetector
from voice_gateway.config import Settings
from voice_gateway.metrics import Metrics

_CHANNEL = (
    # Streams, not connections, are balanced; a headless service gives every replica's address.
    ("grpc.lb_policy_name", "round_robin"),
    # No keepalive pings: a server with default settings answers them with GOAWAY "too_many_pings".
    ("grpc.keepalive_time_ms", 2**31 - 1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # A backend that restarts is found again at once, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # In spite of its name, what one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


@dataclass(frozen=True, slots=True)
class Outside:
    """What calls share."""

    asr: grpc.aio.Channel
    tts: grpc.aio.Channel
    llm: LlmClients
    probes: Probes
    detector: SileroDetector | None
    metrics: Metrics


@asynccontextmanager
async def backends(settings: Settings, metrics: Metrics) -> AsyncGenerator[Outside, None]:
    """Everything that talks to the outside, closed at the end. Raises BadSettings."""
    async with (
        _channel(settings.asr_target, settings) as asr,
        _channel(settings.tts_target, settings) as tts,
        aiohttp.ClientSession() as http,
        open_clients(settings.llm_base_url, settings.llm_api_key.get_secret_value()) as llm,
    ):
        probes = Probes(
            [riva_probe("asr", asr), riva_probe("tts", tts), llm_probe("llm", settings.llm_base_url, http)],
            settings.gateway_probe_every_s,
            settings.gateway_down_after_s,
        )
        detector = SileroDetector() if settings.vad == "silero" else None
        await warm_up(llm)
        yield Outside(asr, tts, llm, probes, detector, metrics)


def _channel(target: str, settings: Settings) -> grpc.aio.Channel:
    if not settings.riva_ssl:
        return grpc.aio.insecure_channel(target, options=_CHANNEL)
    return grpc.aio.secure_channel(target, riva_credentials(settings), options=_CHANNEL)
