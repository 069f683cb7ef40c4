"""What does a session of the Speech NIM hold? Defaults in NVIDIA's shape, and updates that are checked by name.

A client gets the defaults from a POST, changes what it likes, and sends all of it back: so every field of the defaults
is known, null leaves a field as it is, and a name that is not among them is an error.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from speech_server.core.asr.asr_types import ASR_RATE_HZ, AsrModel
from speech_server.core.tts.tts_types import Voice
from speech_server.openai_audio.errors import BadParameter

Session = Mapping[str, Any]
_ENDPOINTING = [
    "start_history", "start_threshold", "stop_history", "stop_threshold", "stop_history_eou", "stop_threshold_eou",
]  # fmt: skip


def transcription_defaults(models: Sequence[AsrModel]) -> dict[str, Any]:
    """The session of a client that asks for nothing."""
    return {
        "id": "",
        "object": "realtime.transcription_session",
        "modalities": ["text"],
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"language": models[0].languages[0], "model": models[0].name, "prompt": ""},
        "input_audio_params": {"sample_rate_hz": ASR_RATE_HZ, "num_channels": 1},
        "recognition_config": {
            "max_alternatives": 1,
            "enable_automatic_punctuation": False,
            "enable_word_time_offsets": False,
            "enable_profanity_filter": False,
            "enable_verbatim_transcripts": False,
            "custom_configuration": "",
        },
        "speaker_diarization": {"enable_speaker_diarization": False, "max_speaker_count": 8},
        "word_boosting": {"enable_word_boosting": False, "word_boosting_list": []},
        "endpointing_config": dict.fromkeys(_ENDPOINTING, 0),
        "client_secret": None,
    }


def synthesis_defaults(voices: Sequence[Voice]) -> dict[str, Any]:
    """The session of a client that asks for nothing."""
    voice = voices[0]
    return {
        "id": "",
        "object": "realtime.synthesize_session",
        "input_text_synthesis": {"language_code": voice.language, "voice_name": voice.name},
        "output_audio_params": {"sample_rate_hz": voice.rate_hz, "num_channels": 1, "audio_format": "LINEAR_PCM"},
        "custom_dictionary": "",
        "custom_configuration": {},
        "zero_shot_config": {
            "audio_prompt_bytes": "",
            "audio_prompt_transcript": "",
            "prompt_quality": 20,
            "prompt_encoding": "LINEAR_PCM",
            "sample_rate_hz": voice.rate_hz,
        },
        "client_secret": None,
    }


def updated(session: Session, sent: Any) -> dict[str, Any]:
    """The session with what was sent. Raises BadParameter that names the field."""
    if not isinstance(sent, dict):
        raise BadParameter("session is missing; send an object.", "session")
    return _merged(session, sent, "session")


_FREE = frozenset(["custom_configuration", "custom_dictionary"])
"""A map of the client's own keys, or text."""
_OURS = frozenset(["id", "object", "modalities", "client_secret"])
"""What the server decides; clients send it back."""
_SHOWN = 200
"""Characters of an unknown name that are repeated."""


def _merged(known: Mapping[str, Any], sent: Mapping[str, Any], where: str) -> dict[str, Any]:
    made = dict(known)
    for name, value in sent.items():
        path = f"{where}.{name}"
        if name not in known:
            shown = path[:_SHOWN]
            raise BadParameter(f"{shown} is not known here; send only fields of the session's defaults.", shown)
        if value is None or name in _OURS:
            continue
        if isinstance(known[name], dict) and name not in _FREE:
            if not isinstance(value, dict):
                raise BadParameter(f"{path} takes an object.", path)
            value = _merged(known[name], value, path)
        made[name] = value
    return made
