"""Which Riva configuration does a transcription session mean? JSON in, RecognitionConfig out."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from speech_server.errors import BadRequest
from speech_server.openai_audio.errors import BadParameter
from speech_server.riva_realtime.session import Session
from speech_server.wire import riva_asr_pb2 as asr

FORMATS = ("pcm16", "none")
"""NVIDIA's client writes none for a file, whose header says what it is."""


def recognition_config(session: Session) -> asr.RecognitionConfig:
    """The configuration for `riva.asr_messages.plan`. Raises BadParameter for a value of the wrong type."""
    if session["input_audio_format"] not in FORMATS:
        raise BadParameter(f"input_audio_format takes {' or '.join(FORMATS)}.", "session.input_audio_format")
    transcription, audio, wanted = (
        session[name] for name in ("input_audio_transcription", "input_audio_params", "recognition_config")
    )
    return _parsed(
        {
            "encoding": "LINEAR_PCM",
            "sample_rate_hertz": audio["sample_rate_hz"],
            "audio_channel_count": audio["num_channels"],
            "language_code": transcription["language"],
            "model": transcription["model"],
            "max_alternatives": wanted["max_alternatives"],
            "enable_automatic_punctuation": wanted["enable_automatic_punctuation"],
            "enable_word_time_offsets": wanted["enable_word_time_offsets"],
            "profanity_filter": wanted["enable_profanity_filter"],
            "verbatim_transcripts": wanted["enable_verbatim_transcripts"],
            "custom_configuration": _custom(wanted["custom_configuration"]),
            "diarization_config": session["speaker_diarization"],
            "speech_contexts": _contexts(session["word_boosting"]),
            "endpointing_config": session["endpointing_config"],
        }
    )


def _parsed(fields: Mapping[str, Any]) -> asr.RecognitionConfig:
    try:
        return ParseDict(dict(fields), asr.RecognitionConfig())
    except (ParseError, TypeError, ValueError) as error:
        raise BadRequest(f"The session can't be read: {str(error)[:300]}") from error


def _contexts(boosting: Mapping[str, Any]) -> Any:
    return boosting["word_boosting_list"] if boosting["enable_word_boosting"] else []


def _custom(written: Any) -> dict[str, str]:
    """NVIDIA's client passes on what was typed: "key:value,key:value"."""
    if isinstance(written, dict):
        return {str(key): str(value) for key, value in written.items()}
    pairs = [pair for pair in str(written).split(",") if pair.strip()]
    if not all(":" in pair for pair in pairs):
        raise BadParameter(
            "custom_configuration takes key:value pairs with commas between them.",
            "session.recognition_config.custom_configuration",
        )
    return dict((part.strip() for part in pair.split(":", 1)) for pair in pairs)  # type: ignore[misc]
