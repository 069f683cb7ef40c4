"""What is a caller told during a call?

Sample numbers are of the agreed input format, times are seconds, audio is PCM16 at the agreed output rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf.json_format import MessageToDict
from pcm import AudioFormat
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client.options import agreed_format


@dataclass(frozen=True, slots=True)
class Started:
    """The call began, or (`resumed`) goes on over a new stream."""

    session_id: str
    input: AudioFormat
    output: AudioFormat
    max_audio_ms: int
    resumable: bool
    resume_life_s: float
    resumed: bool


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a final transcript; `confidence` 0 = not known."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the gateway heard so far in one utterance; `final` will not change."""

    turn: int
    utterance: int
    text: str
    final: bool
    stability: float
    words: tuple[Word, ...]
    first_sample: int
    last_sample: int


class Turn(Enum):
    """What can happen to the floor; the value is the name on the wire."""

    SPEECH_STARTED = pb.TurnEvent.SPEECH_STARTED
    SPEECH_STOPPED = pb.TurnEvent.SPEECH_STOPPED
    TURN_ENDED = pb.TurnEvent.TURN_ENDED
    REPLY_STARTED = pb.TurnEvent.REPLY_STARTED
    REPLY_HELD = pb.TurnEvent.REPLY_HELD
    REPLY_RESUMED = pb.TurnEvent.REPLY_RESUMED
    REPLY_RETRACTED = pb.TurnEvent.REPLY_RETRACTED
    REPLY_INTERRUPTED = pb.TurnEvent.REPLY_INTERRUPTED
    REPLY_ENDED = pb.TurnEvent.REPLY_ENDED
    REPLY_TRUNCATED = pb.TurnEvent.REPLY_TRUNCATED
    TURN_EMPTY = pb.TurnEvent.TURN_EMPTY


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """The floor changed; `sample` is set for speech events, `heard_*` for an interrupted reply."""

    kind: Turn
    turn: int = 0
    reply: int = 0
    sample: int = 0
    text: str = ""
    heard_text: str = ""
    heard_ms: int = 0
    decided_at: float = 0.0
    """The gateway's monotonic clock."""


@dataclass(frozen=True, slots=True)
class ReplyText:
    """More words of a reply."""

    reply: int
    delta: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """Audio of a reply; `offset` is the index of its first sample within the reply."""

    reply: int
    offset: int
    pcm16: bytes


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Answer with `Call.answer_tool` within `timeout_s`."""

    id: str
    reply: int
    name: str
    arguments: Mapping[str, Any]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class ToolCallCancelled:
    """Nobody waits for this answer any more."""

    id: str


@dataclass(frozen=True, slots=True)
class Latency:
    """Where the time of one turn went; None = did not happen."""

    turn: int
    reply: int
    asr_final_latency: float | None = None
    endpointing_delay: float | None = None
    llm_ttft: float | None = None
    first_phrase_delay: float | None = None
    tts_ttfb: float | None = None
    gateway_response_latency: float | None = None
    voice_to_voice: float | None = None
    barge_in_stop: float | None = None
    asr_lag: float | None = None


@dataclass(frozen=True, slots=True)
class GoAway:
    """The gateway leaves. `followed`: the library moves the call; else start a new one before `deadline_s`."""

    reason: str
    deadline_s: float
    target: str
    followed: bool


@dataclass(frozen=True, slots=True)
class Error:
    """Something failed inside the gateway; the call goes on unless `fatal`."""

    code: str
    message: str
    retryable: bool
    retry_after_s: float
    fatal: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """The stream broke; the library tries to resume the call. `Started(resumed=True)` follows, or an exception."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a call."""

    reason: str
    message: str


Event = (
    Started
    | Transcript
    | TurnEvent
    | ReplyText
    | ReplyAudio
    | ToolCall
    | ToolCallCancelled
    | Latency
    | GoAway
    | Error
    | Dropped
    | Ended
)


def started_of(message: pb.SessionStarted) -> Started:
    """Raises BadRequest when the agreed format is not one this client speaks."""
    return Started(
        session_id=message.session_id,
        input=agreed_format(message.input),
        output=agreed_format(message.output),
        max_audio_ms=message.limits.max_audio_ms or 1000,
        resumable=bool(message.resume_token),
        resume_life_s=message.resume_life_s,
        resumed=message.resumed,
    )


def event_of(message: pb.ServerMessage, output: AudioFormat) -> Event | None:
    """The event in `message`; None for a bare acknowledgement or something this client does not know."""
    match message.WhichOneof("message"):
        case "started":
            return started_of(message.started)
        case "transcript":
            return _transcript(message.transcript)
        case "turn":
            return _turn(message.turn)
        case "reply_text":
            return ReplyText(message.reply_text.reply, message.reply_text.delta)
        case "reply_audio":
            audio = message.reply_audio
            return ReplyAudio(audio.reply, audio.offset, output.decode(audio.data))
        case "tool_call":
            call = message.tool_call
            return ToolCall(call.id, call.reply, call.name, _arguments(call), call.timeout_s)
        case "tool_call_cancelled":
            return ToolCallCancelled(message.tool_call_cancelled.id)
        case "latency":
            return _latency(message.latency)
        case "go_away":
            away = message.go_away
            reason = pb.GoAway.Reason.Name(away.reason).lower()
            return GoAway(reason, away.deadline_s, away.target, bool(away.resume_token))
        case "error":
            error = message.error
            code = pb.Error.Code.Name(error.code).lower()
            return Error(code, error.message, error.retryable, error.retry_after_s, error.fatal)
        case "ended":
            reason = pb.SessionEnded.Reason.Name(message.ended.reason).lower()
            return Ended(reason, message.ended.message)
        case _:
            return None


def _arguments(call: pb.ToolCall) -> dict[str, Any]:
    """A Struct knows only fractions; 3.0 is the integer that was meant."""

    def whole(value: Any) -> Any:
        match value:
            case dict():
                return {name: whole(entry) for name, entry in value.items()}
            case list():
                return [whole(entry) for entry in value]
            case float() if value.is_integer():
                return int(value)
        return value

    found: dict[str, Any] = whole(MessageToDict(call.arguments))
    return found


def _transcript(message: pb.Transcript) -> Transcript:
    return Transcript(
        turn=message.turn,
        utterance=message.utterance,
        text=message.text,
        final=message.final,
        stability=message.stability,
        words=tuple(Word(word.text, word.start_s, word.end_s, word.confidence) for word in message.words),
        first_sample=message.first_sample,
        last_sample=message.last_sample,
    )


def _turn(message: pb.TurnEvent) -> TurnEvent | None:
    if message.kind == pb.TurnEvent.KIND_UNSPECIFIED or message.kind not in pb.TurnEvent.Kind.values():
        return None
    same = ("turn", "reply", "sample", "text", "heard_text", "heard_ms", "decided_at")
    return TurnEvent(Turn(message.kind), **{name: getattr(message, name) for name in same})


def _latency(message: pb.TurnLatency) -> Latency:
    measured = {field.name: float(value) for field, value in message.ListFields() if field.has_presence}
    return Latency(turn=message.turn, reply=message.reply, **measured)
