"""How is a session's configuration told? The object of session.created and session.updated."""

from typing import Any

from pcm import AudioFormat, Encoding

from voice_gateway.edges.realtime import tools, turn_detection
from voice_gateway.edges.realtime.session_config import SessionConfig, Terms

_TYPES = {Encoding.PCM16: "audio/pcm", Encoding.MULAW: "audio/pcmu", Encoding.ALAW: "audio/pcma"}


def shown(config: SessionConfig, session_id: str, expires_at: int, terms: Terms) -> dict[str, Any]:
    """The whole configuration that holds; `expires_at` in seconds of Unix time."""
    base = {"object": "realtime.session", "id": session_id, "type": config.kind, "expires_at": expires_at}
    audio_input = {
        "format": format_shown(config.input),
        "transcription": _transcription(config, terms),
        "noise_reduction": None,
        "turn_detection": turn_detection.shown(config.detection, config.options.policy),
    }
    if config.kind == "transcription":
        return {**base, "audio": {"input": audio_input}, "include": None, "voice_workflow": _more(config)}
    options = config.options
    return {
        **base,
        "model": options.llm.model,
        "output_modalities": ["audio" if options.speaks else "text"],
        "instructions": options.system_prompt,
        "tools": tools.shown(options.tools),
        "tool_choice": tools.choice_shown(options.tool_use),
        "max_output_tokens": config.max_output_tokens,
        "tracing": config.tracing,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {"input": audio_input, "output": output_shown(config)},
        "voice_workflow": _more(config),
    }


def format_shown(format: AudioFormat) -> dict[str, Any]:
    """As the wire names it."""
    kind = _TYPES[format.encoding]
    return {"type": kind, "rate": format.rate_hz} if format.encoding is Encoding.PCM16 else {"type": kind}


def output_shown(config: SessionConfig) -> dict[str, Any]:
    """How replies are spoken."""
    return {"format": format_shown(config.output), "voice": config.options.voice or "default", "speed": 1.0}


def _transcription(config: SessionConfig, terms: Terms) -> dict[str, Any] | None:
    if not config.transcribes:
        return None
    return {
        "model": terms.server_info.asr_model or "default",
        "language": config.options.language,
        "prompt": None,
    }


def _more(config: SessionConfig) -> dict[str, Any]:
    options, policy = config.options, config.options.policy
    return {
        "language": options.language,
        "hotwords": [{"phrase": phrase, "boost": boost} for phrase, boost in options.hotwords],
        "greeting": options.greeting,
        "temperature": options.llm.temperature,
        "endpointing": {
            "end_silence_s": policy.end_silence,
            "max_silence_s": policy.max_silence,
            "complete_silence_s": policy.complete_silence,
            "incomplete_silence_s": policy.incomplete_silence,
            "reading_silence_s": policy.reading_silence,
            "barge_in_after_s": policy.barge_in_after,
            "barge_in_words": policy.barge_in_words,
            "max_turn_s": policy.max_turn,
        },
        "events": config.tells_more,
    }
