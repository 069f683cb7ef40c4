"""What do the settings mean for a call? Its options, and the policies of the core."""

from dataclasses import replace

from voice_gateway.config import Settings
from voice_gateway.config_languages import deployment_languages
from voice_gateway.core import hotwords
from voice_gateway.core.events import CallOptions, LlmOptions
from voice_gateway.core.language import Language
from voice_gateway.core.speakable.thought_filter import Opening
from voice_gateway.core.speakable_text import SpeakableOptions
from voice_gateway.core.speech_gate import GatePolicies, GatePolicy
from voice_gateway.core.summary import DEFAULT_PROMPT, SummaryPolicy
from voice_gateway.core.turn_policy import Policy

_DRAFT_SLACK = 0.6
"""Of the detector's hangover: the recogniser has then heard silence for the rest of it."""


def call_options(settings: Settings, language: Language | None = None) -> CallOptions:
    """What a caller of this language gets who asks for nothing else; None = the deployment's own, without a file."""
    spoken = language or deployment_languages(settings, {}).find(settings.asr_language)
    return CallOptions(
        language=spoken.tag,
        voice=spoken.voice,
        system_prompt=spoken.system_prompt,
        llm=LlmOptions(settings.llm_model, settings.llm_temperature, settings.llm_max_tokens),
        policy=turn_policy(settings, spoken),
        output_rate_hz=settings.tts_sample_rate,
        greeting=spoken.greeting,
        hotwords=hotwords.parse(settings.asr_hotwords),
        asr_language=spoken.asr_language,
        asr_model=spoken.asr_model,
        tts_language=spoken.tts_language,
    )


def speakable_options(settings: Settings) -> SpeakableOptions:
    """How text is made speakable."""
    opening = Opening.THOUGHT if settings.llm_thinks_first else Opening.ANSWER
    return SpeakableOptions(wait_s=settings.tts_phrase_wait_s, opening=opening, verbalise=settings.tts_verbalise)


def summary_policy(settings: Settings) -> SummaryPolicy:
    """How the oldest of a call is summarised: in a quarter of the model's context at most."""
    return SummaryPolicy(
        enabled=settings.llm_summarise,
        prompt=settings.llm_summary_prompt or DEFAULT_PROMPT,
        tokens=min(settings.llm_summary_tokens, settings.llm_context_tokens // 4),
        timeout_s=settings.llm_summary_timeout_s,
    )


def turn_policy(settings: Settings, language: Language) -> Policy:
    """The turn machine's patience; it orders no sentence that the language does not have."""
    return Policy(
        end_silence=settings.turn_end_silence_s,
        max_silence=settings.turn_max_silence_s,
        end_on_final=settings.turn_end_on_final,
        barge_in_after=settings.turn_barge_in_after_s,
        barge_in_words=settings.turn_barge_in_words,
        max_hold=settings.turn_max_hold_s,
        resume_after=settings.turn_resume_after_s,
        max_turn=settings.turn_max_s,
        lag_slack=settings.turn_lag_slack_s,
        max_lag=settings.turn_max_lag_s,
        idle_after=settings.turn_idle_after_s or float("inf"),
        idle_tries=settings.turn_idle_tries if language.idle_prompt else 0,
        says_goodbye=bool(language.goodbye),
        greets=bool(language.greeting),
        protects_greeting=settings.turn_greeting_protected,
        detects=settings.vad != "none",
        drafts=settings.turn_preemptive,
        draft_tries=settings.turn_preemptive_tries,
        draft_max_speech=settings.turn_preemptive_max_speech_s,
        draft_slack=_DRAFT_SLACK * settings.vad_hangover_s,
        complete_silence=settings.turn_complete_silence_s,
        incomplete_silence=settings.turn_incomplete_silence_s,
        reading_silence=settings.turn_reading_silence_s,
        learned_silence_max=settings.turn_learned_silence_max_s,
        learned_silence_min=settings.turn_learned_silence_min_s,
        complete_score=settings.turn_complete_score,
    )


def gate_policies(settings: Settings) -> GatePolicies:
    """The speech gate's numbers."""
    turn = GatePolicy(settings.vad_start, settings.vad_stop, settings.vad_start_frames, settings.vad_hangover_s)
    return GatePolicies(turn, replace(turn, hangover_s=settings.vad_overlap_hangover_s))
