"""What is held open to the outside, for as long as the gateway runs? Channels, connections, probes, the detector."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aiohttp
import grpc
from serving.settings import BadSettings

from voice_gateway.app.background import Work
from voice_gateway.app.llm_credentials import llm_access
from voice_gateway.app.load import Load
from voice_gateway.app.operator_tools import open_tools
from voice_gateway.app.riva_tls import RivaTls
from voice_gateway.app.riva_token import RivaToken, TokenChannel
from voice_gateway.backends.endpoint import Link, Tier
from voice_gateway.backends.endpoints import Endpoints, Fallback, LinkTo
from voice_gateway.backends.llm_probe import LlmProbe
from voice_gateway.backends.openai_llm import LlmClients, open_clients, warm_up
from voice_gateway.backends.probes import Probe, Probes
from voice_gateway.backends.server_languages import ServerLanguages, ask_recognition, ask_synthesis
from voice_gateway.backends.silero_vad import SileroDetector
from voice_gateway.backends.smart_turn_model import NAME, usual_place
from voice_gateway.backends.targets import Address
from voice_gateway.backends.tool_catalogue import ToolCatalogue
from voice_gateway.config import Settings
from voice_gateway.errors import Service
from voice_gateway.metrics import Metrics

if TYPE_CHECKING:
    from voice_gateway.backends.smart_turn import SmartTurnScorer

_CHANNEL = (
    # A channel leads to one address. Only what gRPC resolves itself (unix:, xds:, a proxy) may have more behind it.
    ("grpc.lb_policy_name", "round_robin"),
    # A connection of its own, so that a fresh one to the same server is one.
    ("grpc.use_local_subchannel_pool", 1),
    # With keepalive off, TCP_USER_TIMEOUT would be off, too: unacknowledged audio on a connection that leads nowhere
    # must end it. Pings themselves are rare, for a server with default settings takes one in 5 minutes, and answers
    # more of them with GOAWAY "too_many_pings".
    ("grpc.keepalive_time_ms", 600_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # A backend that restarts is found again at once, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # In spite of its name, what one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
_SPEECH_PROBES = 4
"""Speech servers are asked so many times as often as GATEWAY_PROBE_EVERY_S says: calls hang on how soon one that stands
still is found."""


@dataclass(frozen=True, slots=True)
class Backends:
    """What calls share of the connections to the outside."""

    asr: Endpoints
    tts: Endpoints
    llm: LlmClients
    probes: Probes
    detector: SileroDetector | None
    scorer: "SmartTurnScorer | None"
    metrics: Metrics
    load: Load
    asr_languages: ServerLanguages
    tts_languages: ServerLanguages
    tools: ToolCatalogue
    tool_works: Mapping[str, Work]
    """What must run for the tools."""


@asynccontextmanager
async def connect(settings: Settings, metrics: Metrics, model: Callable[[], str]) -> AsyncGenerator[Backends, None]:
    """Everything that talks to the outside, closed at the end; `model` is the LLM_MODEL of now. Raises BadSettings."""
    every_s, access = settings.gateway_probe_every_s, await asyncio.to_thread(llm_access, settings)
    fallback = await asyncio.to_thread(_fallback, settings)
    async with (
        _endpoints("asr", settings.asr_target, settings, metrics, fallback) as asr,
        _endpoints("tts", settings.tts_target, settings, metrics) as tts,
        aiohttp.ClientSession() as http,
        open_clients(access) as llm,
        open_tools(settings) as (tools, tool_works),
    ):
        _watch_targets(asr, metrics)
        probes = Probes(
            [
                Probe("asr", asr.probe, every_s / _SPEECH_PROBES),
                Probe("tts", tts.probe, every_s / _SPEECH_PROBES),
                Probe("llm", LlmProbe(access, http, model), every_s),
            ],
            settings.gateway_down_after_s,
        )
        detector = SileroDetector() if settings.vad == "silero" else None
        scorer = await asyncio.to_thread(_scorer, settings, metrics) if settings.turn_scorer == "smart-turn" else None
        await warm_up(llm)
        load = Load(metrics.loop_lag.set)
        languages = ServerLanguages("asr", asr, ask_recognition), ServerLanguages("tts", tts, ask_synthesis)
        yield Backends(asr, tts, llm, probes, detector, scorer, metrics, load, *languages, tools, tool_works)


def _scorer(settings: Settings, metrics: Metrics) -> "SmartTurnScorer":
    """Blocking. Raises BadSettings."""
    # onnxruntime is 40 MB, which a gateway without this scorer does not need.
    from voice_gateway.backends.smart_turn import ModelUnusable, SmartTurn, SmartTurnScorer

    file = settings.turn_scorer_model_file or usual_place()
    if not file.is_file():
        raise BadSettings(
            f"TURN_SCORER=smart-turn: there is no file {file}; run `voice-gateway models pull {NAME}`, or set "
            "TURN_SCORER_MODEL_FILE"
        )
    try:
        model = SmartTurn(file)
    except ModelUnusable as error:
        raise BadSettings(f"TURN_SCORER_MODEL_FILE: {error}; run `voice-gateway models pull {NAME}`") from None
    return SmartTurnScorer(model, lambda outcome: metrics.turn_scores.labels(outcome).inc())


def follow_preference(settings: Settings, asr: Endpoints) -> None:
    """ASR_PREFERRED holds from now on."""
    asr.prefer(Tier(settings.asr_preferred))


def _watch_targets(asr: Endpoints, metrics: Metrics) -> None:
    """What is scraped of the targets of recognition is looked at when it is scraped."""

    def streams(tier: Tier) -> float:
        return sum(one.open_calls for one in asr.all if one.tier is tier)

    def is_up(tier: Tier) -> float:
        return not asr.tier_troubles[tier]

    def is_preferred(tier: Tier) -> float:
        return asr.preferred is tier

    for tier in asr.tier_troubles:
        metrics.asr_streams.labels(tier.value).set_function(partial(streams, tier))
        metrics.asr_target_up.labels(tier.value).set_function(partial(is_up, tier))
        metrics.asr_target_preferred.labels(tier.value).set_function(partial(is_preferred, tier))


def _fallback(settings: Settings) -> Fallback | None:
    """Blocking. Raises BadSettings."""
    if not settings.riva_asr_fallback_uri:
        return None
    tls = RivaTls(settings) if settings.riva_asr_fallback_ssl else None
    link_to = _links(tls, settings.riva_asr_fallback_token_file, "RIVA_ASR_FALLBACK_TOKEN_FILE")
    return Fallback(settings.riva_asr_fallback_uri, link_to)


def _links(tls: RivaTls | None, token_file: Path | None, setting: str) -> LinkTo:
    """How servers are connected to. Blocking. Raises BadSettings."""
    token = RivaToken(token_file, setting) if token_file is not None else None

    def link_to(address: Address) -> Link:
        def connect() -> grpc.aio.Channel:
            channel = _channel(address, tls)
            return cast(grpc.aio.Channel, TokenChannel(channel, token)) if token is not None else channel

        if tls is None:
            return Link(connect)
        return Link(connect, lambda: tls.credentials, partial(tls.trouble, address))

    return link_to


@asynccontextmanager
async def _endpoints(
    service: Service, target: str, settings: Settings, metrics: Metrics, fallback: Fallback | None = None
) -> AsyncGenerator[Endpoints, None]:
    tls = await asyncio.to_thread(RivaTls, settings) if settings.riva_ssl else None
    link_to = await asyncio.to_thread(_links, tls, settings.riva_token_file, "RIVA_TOKEN_FILE")
    endpoints = Endpoints(service, target, link_to, settings.gateway_probe_every_s / _SPEECH_PROBES, fallback)

    def count() -> None:
        for health, servers in endpoints.by_health.items():
            metrics.speech_servers.labels(service, health).set(servers)

    try:
        with endpoints.notifying(count):
            yield endpoints
    finally:
        await endpoints.close()


def _channel(address: Address, tls: RivaTls | None) -> grpc.aio.Channel:
    host = address.authority.rpartition(":")[0]
    named = (("grpc.default_authority", address.authority), ("grpc.ssl_target_name_override", host))
    options = (*_CHANNEL, *(named if host else ()))
    if tls is None:
        return grpc.aio.insecure_channel(address.target, options=options)
    return grpc.aio.secure_channel(address.target, tls.credentials, options=options)
