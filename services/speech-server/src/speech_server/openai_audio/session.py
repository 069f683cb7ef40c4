"""What has a realtime client set? A transcription session, updated field by field; each is honoured or refused.

Two shapes mean the same: that of the general availability (`audio.input.format`, …), in which the session is shown, and
the flat one of the beta (`input_audio_format`, `input_audio_transcription`, …).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pcm import AudioFormat, Encoding

from speech_server.core.asr.asr_types import AsrModel
from speech_server.core.asr.recognition_plan import AsrPolicy, RecognitionPlan
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.field_checks import MISSING, TYPE, number_of, object_of, one_of, only, text_of
from speech_server.openai_audio.transcription_params import VAD_RANGES, hints, with_vad

PCM_HZ, G711_HZ = 24_000, 8_000
_FORMATS = {
    "audio/pcm": AudioFormat(Encoding.PCM16, PCM_HZ),
    "audio/pcmu": AudioFormat(Encoding.MULAW, G711_HZ),
    "audio/pcma": AudioFormat(Encoding.ALAW, G711_HZ),
}
_BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_SERVER_VAD: dict[str, Any] = {
    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
}  # fmt: skip
_INCLUDE = "item.input_audio_transcription.logprobs"
_SHOWN = ("id", "object", "expires_at", "client_secret")
"""What the server decides; clients send it back."""
_INPUT = ("format", "transcription", "turn_detection", "noise_reduction")
_BETA = {
    "input_audio_format": "format",
    "input_audio_transcription": "transcription",
    "turn_detection": "turn_detection",
    "input_audio_noise_reduction": "noise_reduction",
}
_TRANSCRIPTION = ("model", "language", "prompt", "keywords")


@dataclass(frozen=True, slots=True)
class Session:
    """The configuration in force. `vad` None: the client commits by hand."""

    id: str
    format: str = "audio/pcm"
    transcription: Mapping[str, Any] = field(default_factory=dict)
    vad: Mapping[str, Any] | None = field(default_factory=lambda: dict(_SERVER_VAD))
    include: tuple[str, ...] = ()

    @property
    def audio(self) -> AudioFormat:
        """What the client appends."""
        return _FORMATS[self.format]

    @property
    def logprobs(self) -> bool:
        """Does the client want to know how sure each word is?"""
        return _INCLUDE in self.include

    def described(self) -> dict[str, Any]:
        """As session.created and session.updated show it."""
        format: dict[str, Any] = {"type": self.format}
        if self.format == "audio/pcm":
            format["rate"] = PCM_HZ
        return {
            "id": self.id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "audio": {
                "input": {
                    "format": format,
                    "transcription": dict(self.transcription),
                    "noise_reduction": None,
                    "turn_detection": self.vad,
                }
            },
            "include": list(self.include),
        }


def updated(session: Session, sent: Any) -> Session:
    """The session after session.update: what is present is set, null clears. Raises BadParameter; then nothing is."""
    if sent is None:
        raise BadParameter("session is missing; send an object with type transcription.", "session", MISSING)
    given = object_of(sent, "session")
    only(given, ("type", "audio", "include", *_SHOWN, *_BETA), "session")
    if given.get("type", "transcription") != "transcription":
        raise BadParameter("This server serves sessions of type transcription only.", "session.type")
    made = session
    if given.get("audio") is not None:
        audio = object_of(given["audio"], "session.audio")
        only(audio, ("input",), "session.audio")
        if audio.get("input") is not None:
            fields = object_of(audio["input"], "session.audio.input")
            only(fields, _INPUT, "session.audio.input")
            for name, value in fields.items():
                made = _set(made, name, value, f"session.audio.input.{name}")
    for beta, name in _BETA.items():
        if beta in given:
            made = _set(made, name, _from_beta(name, given[beta], f"session.{beta}"), f"session.{beta}")
    return replace(made, include=_include(given["include"])) if "include" in given else made


def _from_beta(name: str, value: Any, path: str) -> Any:
    if name != "format" or value is None:
        return value
    return {"type": _BETA_FORMATS[one_of(value, path, _BETA_FORMATS)]}


def _set(session: Session, name: str, value: Any, path: str) -> Session:
    match name:
        case "format":
            return session if value is None else replace(session, format=_format(value, path))
        case "transcription":
            return replace(session, transcription=_transcription(session.transcription, value, path))
        case "turn_detection":
            return replace(session, vad=_vad(session.vad, value, path))
    if value is not None:
        raise BadParameter("noise_reduction is not done here; leave it out, or send null.", path)
    return session


def plan(session: Session, models: Sequence[AsrModel], policy: AsrPolicy) -> RecognitionPlan:
    """How to hear in this session. Raises BadParameter, NotFound."""
    sent = session.transcription
    vad = session.vad
    return RecognitionPlan(
        encoding=session.audio.encoding,
        rate_hz=session.audio.rate_hz,
        hints=hints(sent.get("model") or "", sent.get("language") or "", sent.get("keywords") or [], models, policy),
        endpointing=with_vad(vad, policy.endpointing) if vad is not None else policy.endpointing,
        word_times=True,
        leading_space=False,
        interim=True,
    )


def pre_roll_s(session: Session, ours_s: float) -> float:
    """Audio kept from before speech was found."""
    ms = session.vad.get("prefix_padding_ms") if session.vad is not None else None
    return ours_s if ms is None else float(ms) / 1000


def _transcription(before: Mapping[str, Any], sent: Any, path: str) -> dict[str, Any]:
    if sent is None:
        return {}
    given = object_of(sent, path)
    only(given, _TRANSCRIPTION, path)
    made = dict(before)
    for name, value in given.items():
        where = f"{path}.{name}"
        if value is None:
            made.pop(name, None)
        elif name == "keywords":
            if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
                raise BadParameter("keywords takes a list of strings.", where, TYPE)
            made[name] = value
        else:
            made[name] = text_of(value, where, may_be_empty=name == "prompt")
    return made


def _vad(before: Mapping[str, Any] | None, sent: Any, path: str) -> dict[str, Any] | None:
    if sent is None:
        return None
    given = object_of(sent, path)
    if given.get("type", "server_vad") != "server_vad":
        raise BadParameter(
            "turn_detection takes an object of type server_vad, or null to commit by hand.", f"{path}.type"
        )
    only(given, (*_SERVER_VAD, "create_response", "interrupt_response", "idle_timeout_ms"), path)
    for name in ("create_response", "interrupt_response", "idle_timeout_ms"):
        if given.get(name):
            raise BadParameter(f"A transcription session has no responses: leave {name} out.", f"{path}.{name}")
    made = {**(before or _SERVER_VAD)}
    for name, (lowest, highest) in VAD_RANGES.items():
        if given.get(name) is not None:
            number_of(given[name], f"{path}.{name}", lowest, highest)
            made[name] = given[name]
    return made


def _format(sent: Any, path: str) -> str:
    given = object_of(sent, path)
    only(given, ("type", "rate"), path)
    kind = one_of(given.get("type"), f"{path}.type", _FORMATS)
    rate = given.get("rate")
    if rate is not None and rate != _FORMATS[kind].rate_hz:
        raise BadParameter(f"{kind} has {_FORMATS[kind].rate_hz} Hz here; resample, or leave rate out.", f"{path}.rate")
    return kind


def _include(sent: Any) -> tuple[str, ...]:
    if sent is None:
        return ()
    if not isinstance(sent, list):
        raise BadParameter(f"include takes a list of {_INCLUDE}.", "session.include", TYPE)
    if any(one != _INCLUDE for one in sent):
        raise BadParameter(f"include takes a list of {_INCLUDE}.", "session.include")
    return tuple(dict.fromkeys(sent))
