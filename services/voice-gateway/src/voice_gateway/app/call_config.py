"""What does a new call get? One frozen bundle per configuration; a call keeps the one it began with."""

import asyncio
from dataclasses import dataclass
from importlib.metadata import version
from math import inf

from serving.identity.usage_limits import UsageLimits

from voice_gateway.app.call_languages import CallLanguages
from voice_gateway.app.connections import Backends
from voice_gateway.backends.endpoints import BalancedChannel
from voice_gateway.backends.openai_llm import LlmSettings, OpenAiModel
from voice_gateway.backends.riva_asr import RivaRecogniser
from voice_gateway.backends.riva_config import AsrSettings
from voice_gateway.backends.riva_tts import RivaSynthesiser, TtsSettings
from voice_gateway.config import Settings
from voice_gateway.config_calls import gate_policies, speakable_options, summary_policy
from voice_gateway.config_languages import Table, deployment_languages
from voice_gateway.core.language import Languages
from voice_gateway.core.speakable_text import prepare
from voice_gateway.edges.held_call import ServerInfo
from voice_gateway.edges.limits import Limits
from voice_gateway.reply.rounds import RoundLimits
from voice_gateway.session.call_tools import ToolSetup
from voice_gateway.session.reply_setup import ReplySetup
from voice_gateway.session.session import CallResources

_RIVA_STOP_HISTORY_MS = 800
"""Riva's own default."""


@dataclass(frozen=True, slots=True)
class CallConfig:
    """What holds for new calls."""

    server_info: ServerInfo
    languages: CallLanguages
    resources: CallResources
    max_sessions: int
    usage_limits: UsageLimits
    """Of each identity."""
    limits: Limits


def call_config(settings: Settings, backends: Backends, operators: Table) -> CallConfig:
    """What `settings` and the operator's table of languages mean for new calls that use what is held open to the
    outside."""
    languages = deployment_languages(settings, operators)
    for language in languages.by_tag.values():
        if language.sign_names or language.tag == settings.asr_language:  # 10 to 20 ms each, once
            prepare(language, language.voice, speakable_options(settings))
    return CallConfig(
        _server_info(settings),
        CallLanguages(settings, languages, backends.asr_languages, backends.tts_languages),
        _resources(settings, backends, languages),
        settings.gateway_max_sessions,
        _usage_limits(settings),
        Limits(
            may_set=settings.settable_by_callers,
            tool_timeout_s=settings.tool_timeout_s,
            operator_tools=frozenset(tool.name for tool in backends.tools.tools),
            interim_s=settings.transcribe_interim_ms / 1000,
            idle_s=settings.transcribe_idle_s or inf,
            max_held_back_s=settings.transcribe_max_held_back_s or inf,
        ),
    )


def _usage_limits(settings: Settings) -> UsageLimits:
    return UsageLimits(
        settings.gateway_max_sessions_per_token,
        settings.gateway_calls_per_minute_per_token,
        settings.gateway_audio_s_per_hour_per_token,
        settings.gateway_audio_s_per_day_per_token,
        settings.gateway_typed_turns_per_minute_per_token,
    )


def _resources(settings: Settings, backends: Backends, languages: Languages) -> CallResources:
    return CallResources(
        recogniser=RivaRecogniser(backends.asr, _asr(settings)),
        detector=backends.detector,
        gate_policies=gate_policies(settings),
        final_after_s=_silences_of_recogniser(settings),
        reply=_reply_setup(settings, backends),
        metrics=backends.metrics,
        clock=asyncio.get_running_loop().time,
        max_session_s=settings.gateway_max_session_s,
        go_away_before_s=settings.gateway_goaway_before_s,
        resume_grace_s=settings.gateway_resume_grace_s,
        history=settings.llm_history,
        languages=languages,
        warn_before_s=settings.gateway_warn_before_s,
        scorer=backends.scorer,
        tools=ToolSetup(backends.tools, _round_limits(settings)),
        logs_tool_arguments=settings.tool_log_arguments,
        has_headroom=lambda: backends.load.has_headroom,
    )


def _silences_of_recogniser(settings: Settings) -> tuple[float, ...]:
    """After which it says something that a turn may hang on."""
    final_ms = settings.asr_stop_history_ms or _RIVA_STOP_HISTORY_MS
    return tuple(ms / 1000 for ms in (settings.asr_stop_history_eou_ms, final_ms) if ms)


def _round_limits(settings: Settings) -> RoundLimits:
    return RoundLimits(settings.tool_max_rounds, settings.tool_max_parallel, settings.tool_filler_after_s)


def _asr(settings: Settings) -> AsrSettings:
    return AsrSettings(
        settings.asr_stop_history_ms,
        settings.asr_stop_history_eou_ms,
        settings.asr_chunk_ms / 1000,
        settings.asr_buffer_s,
        settings.asr_keepalive_s,
        settings.asr_connect_timeout_s,
        settings.asr_outage_s,
        settings.riva_asr_fallback_model,
    )


def _reply_setup(settings: Settings, backends: Backends) -> ReplySetup:
    llm = LlmSettings(settings.llm_first_token_timeout_s, settings.llm_token_timeout_s, settings.llm_prewarm)
    tts = TtsSettings(settings.tts_first_audio_timeout_s, settings.tts_audio_timeout_s)
    return ReplySetup(
        OpenAiModel(backends.llm, llm),
        RivaSynthesiser(BalancedChannel(backends.tts), tts),
        settings.playout_lead_ms / 1000,
        settings.playout_frame_ms / 1000,
        settings.tts_ahead_s,
        speakable=speakable_options(settings),
        context_tokens=settings.llm_context_tokens,
        note_overload=backends.load.note_overload,
        summaries=summary_policy(settings),
    )


def _server_info(settings: Settings) -> ServerInfo:
    """What GetServerInfo says."""
    return ServerInfo(
        version=version("voice-workflow-gateway"),
        asr_model=settings.riva_model,
        llm_model=settings.llm_model,
        voice=settings.tts_voice,
        max_session_s=settings.gateway_max_session_s,
        resume_life_s=settings.gateway_resume_grace_s,
        start_timeout_s=settings.gateway_start_timeout_s,
    )
