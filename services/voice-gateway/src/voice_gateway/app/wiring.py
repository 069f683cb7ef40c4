"""How do the parts fit together? Settings in, backends and equipment out."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import aiohttp
import grpc

from voice_gateway.backends.openai_llm import LlmSettings, OpenAiModel
from voice_gateway.backends.probes import Probes, llm_probe, riva_probe
from voice_gateway.backends.riva_asr import AsrSettings, RivaRecogniser
from voice_gateway.backends.riva_tts import RivaSynthesiser, TtsSettings
from voice_gateway.backends.silero_vad import SileroDetector
from voice_gateway.config import Settings, gate_policies
from voice_gateway.edges.door import About
from voice_gateway.metrics import Metrics
from voice_gateway.session.session import Equipment
from voice_gateway.session.speaking import Voice

_CHANNEL = (
    # Streams, not connections, are balanced; a headless service gives every replica's address.
    ("grpc.lb_policy_name", "round_robin"),
    # No keepalive pings: a server with default settings answers them with GOAWAY "too_many_pings".
    ("grpc.keepalive_time_ms", 2**31 - 1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # A backend that restarts is found again at once, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
_RIVA_STOP_HISTORY_MS = 800
"""Riva's own default."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the program runs besides its servers."""

    equipment: Equipment
    probes: Probes
    detector: SileroDetector | None


@asynccontextmanager
async def backends(settings: Settings, metrics: Metrics) -> AsyncGenerator[Parts, None]:
    """Everything that talks to the outside, closed at the end."""
    model = OpenAiModel(
        LlmSettings(
            settings.llm_base_url,
            settings.llm_api_key.get_secret_value(),
            settings.llm_first_token_timeout_s,
            settings.llm_token_timeout_s,
            settings.llm_prewarm,
        )
    )
    async with (
        _channel(settings.asr_target, settings) as asr,
        _channel(settings.tts_target, settings) as tts,
        aiohttp.ClientSession() as http,
        aclosing(model),
    ):
        probes = Probes(
            [riva_probe("asr", asr), riva_probe("tts", tts), llm_probe("llm", settings.llm_base_url, http)],
            settings.gateway_probe_every_s,
            settings.gateway_down_after_s,
        )
        detector = SileroDetector() if settings.vad == "silero" else None
        await model.warm_up()
        yield Parts(_equipment(settings, metrics, asr, tts, model, detector), probes, detector)


def _channel(target: str, settings: Settings) -> grpc.aio.Channel:
    if settings.riva_ssl:
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(), options=_CHANNEL)
    return grpc.aio.insecure_channel(target, options=_CHANNEL)


def _equipment(
    settings: Settings,
    metrics: Metrics,
    asr: grpc.aio.Channel,
    tts: grpc.aio.Channel,
    model: OpenAiModel,
    detector: SileroDetector | None,
) -> Equipment:
    recogniser = RivaRecogniser(
        asr,
        AsrSettings(
            settings.riva_model,
            settings.asr_stop_history_ms,
            settings.asr_stop_history_eou_ms,
            settings.asr_chunk_ms / 1000,
            settings.asr_buffer_s,
            settings.asr_keepalive_s,
            settings.asr_connect_timeout_s,
            settings.asr_retries,
        ),
    )
    synthesiser = RivaSynthesiser(tts, TtsSettings(settings.tts_first_audio_timeout_s, settings.tts_audio_timeout_s))
    voice = Voice(
        model,
        synthesiser,
        settings.playout_lead_ms / 1000,
        settings.playout_frame_ms / 1000,
        settings.tts_ahead_s,
    )
    return Equipment(
        recogniser=recogniser,
        detector=detector,
        gate_policies=gate_policies(settings),
        final_after_s=(settings.asr_stop_history_eou_ms or settings.asr_stop_history_ms or _RIVA_STOP_HISTORY_MS)
        / 1000,
        voice=voice,
        metrics=metrics,
        clock=asyncio.get_running_loop().time,
        max_session_s=settings.gateway_max_session_s,
        resume_grace_s=settings.gateway_resume_grace_s,
        history=settings.llm_history,
        idle_prompt=settings.turn_idle_prompt,
    )


def about(settings: Settings) -> About:
    """What GetServerInfo says."""
    return About(
        version=version("voice-gateway"),
        languages=(settings.asr_language,),
        asr_model=settings.riva_model,
        llm_model=settings.llm_model,
        voice=settings.tts_voice,
        max_session_s=settings.gateway_max_session_s,
        resume_life_s=settings.gateway_resume_grace_s,
        start_timeout_s=settings.gateway_start_timeout_s,
    )
