"""What has a realtime client set? One transcription session in OpenAI's GA shape, updated field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pcm import AudioFormat, Encoding

from speech_server.core.endpointer import Endpointing
from speech_server.core.recognition import AsrPolicy, RecognitionPlan
from speech_server.openai_audio.asked import hints, with_vad
from speech_server.openai_audio.refusals import BadParameter
from speech_server.ports import AsrModel

PCM_HZ, G711_HZ = 24_000, 8_000
_FORMATS = {
    "audio/pcm": AudioFormat(Encoding.PCM16, PCM_HZ),
    "audio/pcmu": AudioFormat(Encoding.MULAW, G711_HZ),
    "audio/pcma": AudioFormat(Encoding.ALAW, G711_HZ),
}
_SERVER_VAD: dict[str, Any] = {
    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
}  # fmt: skip
_INCLUDE = "item.input_audio_transcription.logprobs"


@dataclass(frozen=True, slots=True)
class Session:
    """The configuration in force. `vad` None: the client commits by hand."""

    id: str
    format: str = "audio/pcm"
    transcription: Mapping[str, Any] = field(default_factory=dict)
    vad: Mapping[str, Any] | None = field(default_factory=lambda: dict(_SERVER_VAD))
    noise_reduction: Mapping[str, Any] | None = None
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
                    "noise_reduction": self.noise_reduction,
                    "turn_detection": self.vad,
                }
            },
            "include": list(self.include),
        }


def updated(session: Session, sent: Any) -> Session:
    """The session after session.update: what is present is set, null clears. Raises BadParameter."""
    if not isinstance(sent, dict):
        raise BadParameter("session is missing; send an object with type transcription.", "session")
    if sent.get("type", "transcription") != "transcription":
        raise BadParameter("This server serves sessions of type transcription only.", "session.type")
    given = _object(_object(sent, "audio", "session"), "input", "session.audio")
    made = session
    if given.get("format") is not None:
        made = replace(made, format=_format(given["format"]))
    if "transcription" in given:
        heard = given["transcription"] or {}
        if not isinstance(heard, dict):
            raise BadParameter("transcription takes an object.", "session.audio.input.transcription")
        made = replace(made, transcription={**session.transcription, **heard} if heard else {})
    if "turn_detection" in given:
        made = replace(made, vad=_vad(session.vad, given["turn_detection"]))
    if "noise_reduction" in given:
        if given["noise_reduction"] is not None:
            raise BadParameter(
                "noise_reduction is not done here; leave it out, or send null.", "session.audio.input.noise_reduction"
            )
        made = replace(made, noise_reduction=None)
    return replace(made, include=_include(sent["include"])) if "include" in sent else made


def plan(session: Session, models: Sequence[AsrModel], policy: AsrPolicy) -> RecognitionPlan:
    """How to hear in this session. Raises BadParameter, NotFound."""
    heard = session.transcription
    for name in ("model", "language", "prompt"):
        if not isinstance(heard.get(name) or "", str):
            raise BadParameter(f"{name} takes a string.", f"session.audio.input.transcription.{name}")
    keywords = heard.get("keywords") or []
    if not isinstance(keywords, list) or not all(isinstance(word, str) for word in keywords):
        raise BadParameter("keywords takes a list of strings.", "session.audio.input.transcription.keywords")
    vad = session.vad
    return RecognitionPlan(
        encoding=session.audio.encoding,
        rate_hz=session.audio.rate_hz,
        hints=hints(heard.get("model") or "", heard.get("language") or "", keywords, models, policy),
        endpointing=_endpointing(vad, policy.endpointing) if vad is not None else policy.endpointing,
        word_times=True,
        leading_space=False,
        interim=True,
    )


def pre_roll_s(session: Session, ours_s: float) -> float:
    """Audio kept from before speech was found."""
    ms = session.vad.get("prefix_padding_ms") if session.vad is not None else None
    return ours_s if ms is None else float(ms) / 1000


def _endpointing(vad: Mapping[str, Any], ours: Endpointing) -> Endpointing:
    return with_vad(vad, ours, "session.audio.input.turn_detection")


def _vad(before: Mapping[str, Any] | None, sent: Any) -> dict[str, Any] | None:
    where = "session.audio.input.turn_detection"
    if sent is None:
        return None
    if not isinstance(sent, dict) or sent.get("type", "server_vad") != "server_vad":
        raise BadParameter("turn_detection takes an object of type server_vad, or null to commit by hand.", where)
    known = {name: value for name, value in sent.items() if name in _SERVER_VAD and value is not None}
    made = {**(before or _SERVER_VAD), **known}
    with_vad(made, Endpointing(), where)
    return made


def _format(sent: Any) -> str:
    where = "session.audio.input.format"
    kind = sent.get("type") if isinstance(sent, dict) else None
    if kind not in _FORMATS:
        raise BadParameter(f"format takes an object with type {', '.join(_FORMATS)}.", where)
    rate = sent.get("rate")
    if rate is not None and rate != _FORMATS[kind].rate_hz:
        raise BadParameter(f"{kind} has {_FORMATS[kind].rate_hz} Hz here; resample, or leave rate out.", where)
    return str(kind)


def _include(sent: Any) -> tuple[str, ...]:
    if sent is None:
        return ()
    if not isinstance(sent, list) or any(one != _INCLUDE for one in sent):
        raise BadParameter(f"include takes a list of {_INCLUDE}.", "session.include")
    return tuple(sent)


def _object(content: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    value = content.get(name) or {}
    if not isinstance(value, dict):
        raise BadParameter(f"{where}.{name} takes an object.", f"{where}.{name}")
    return value
