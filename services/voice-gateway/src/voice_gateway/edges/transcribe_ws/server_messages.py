"""What is a client of the transcription WebSocket told? JSON messages, and the close codes at the end."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from voice_gateway.core.events import (
    INPUT_RATE_HZ,
    CallEnded,
    EndReason,
    Failed,
    Failure,
    GoAway,
    SessionEvent,
    Transcribed,
    TurnChanged,
    TurnKind,
)
from voice_gateway.edges.held_transcription import HeldTranscription

CLOSE_CODES: dict[int, str] = {
    1000: "the client ended the stream, and has its last final",
    1001: "the gateway leaves, or the longest duration is over; connect again",
    1007: "a text message was not UTF-8",
    1008: "the first message, an option or a token was refused; the error says what to send instead",
    1009: "a message was larger than `limits.max_message_bytes`",
    1011: "recognition or the gateway failed; the error says whether to try again",
    1013: "all places are taken, or recognition can't be reached; try again later",
    4000: "nothing came for `limits.idle_s`",
    4001: "audio came faster than real time, or than it could be recognised, for too long",
}
_FAILURE_CODES = {
    Failure.ASR_UNAVAILABLE: 1013,
    Failure.OVERLOADED: 4001,
    Failure.BAD_REQUEST: 1008,
    Failure.UNSUPPORTED: 1008,
}
_END_CODES = {
    EndReason.CALLER_ENDED: 1000,
    EndReason.DRAINED: 1001,
    EndReason.MAX_DURATION: 1001,
    EndReason.IDLE: 4000,
}
_INTERNAL_ERROR = 1011
_SPEECH = {TurnKind.SPEECH_STARTED: "speech_started", TurnKind.SPEECH_STOPPED: "speech_stopped"}


class StreamMessage(BaseModel):
    """What stands in every message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stream_id: str = Field("", description="name of the stream; empty in an error before there is one")
    seq: int = Field(0, ge=0, description="number of the message, 1, 2, 3 …; 0 = `started`, or an error before it")
    audio_s: float = Field(0.0, ge=0, description="audio taken in so far, seconds")


class StreamLimits(BaseModel):
    """What a client must keep to."""

    max_message_bytes: int = Field(description="largest message, bytes")
    max_audio_s: float = Field(description="longest audio in one message, seconds")
    max_ahead_s: float = Field(description="audio taken at once ahead of real time, seconds; more waits at the client")
    max_duration_s: float = Field(description="longest stream, seconds")
    idle_s: float | None = Field(description="a stream that brings nothing for so long is ended, seconds; null = never")


class StartedMessage(StreamMessage):
    """The stream is open, and this holds for it."""

    type: Literal["started"] = "started"
    language: str
    model: str = Field(description="model that was asked for; empty = the recogniser chooses")
    sample_rate: int
    encoding: Literal["pcm16", "float32"]
    interim_ms: int | None = Field(description="time between two partials, ms; null = none are sent")
    limits: StreamLimits
    resume_token: str | None = Field(None, description="reserved: null as long as streams can't be taken up again")


class SpeechMessage(StreamMessage):
    """Somebody begins to speak, or has stopped, as the gateway's detector hears it."""

    type: Literal["speech_started", "speech_stopped"]
    at_s: float = Field(description="where in the audio, seconds")


class PartialMessage(StreamMessage):
    """What was understood of the utterance so far. A later message with the same `utterance` replaces it."""

    type: Literal["partial"] = "partial"
    utterance: int = Field(ge=1, description="number of the utterance, 1, 2, 3 …")
    text: str
    stability: float = Field(ge=0, le=1, description="how certain it is that the words stay; 0 = unknown")
    start_s: float = Field(description="where in the audio the utterance begins, seconds")
    end_s: float = Field(description="how far the audio was heard, seconds")


class FinalWord(BaseModel):
    """One word of a final."""

    word: str
    start_s: float = Field(description="where in the audio, seconds")
    end_s: float
    confidence: float = Field(ge=0, le=1, description="0 = unknown")


class FinalMessage(StreamMessage):
    """What was said in one utterance; it does not change any more. An empty text takes the partials back: noise."""

    type: Literal["final"] = "final"
    utterance: int = Field(ge=1, description="number of the utterance, 1, 2, 3 …")
    text: str
    stability: Literal[1] = 1
    start_s: float = Field(description="where in the audio the first word begins, seconds")
    end_s: float = Field(description="where in the audio the last word ends, seconds")
    words: tuple[FinalWord, ...] = Field((), description="empty without the option `words`, or where times are unknown")


class WarningMessage(StreamMessage):
    """Something is wrong, and the stream goes on: a message that is not taken, or audio that is held back."""

    type: Literal["warning"] = "warning"
    code: Failure
    message: str
    retry_after_s: float = 0.0


class GoAwayMessage(StreamMessage):
    """The gateway ends the stream in `deadline_s`, with its last final: connect again in a pause before that."""

    type: Literal["going_away"] = "going_away"
    reason: str
    deadline_s: float


class ErrorMessage(StreamMessage):
    """Why the stream ends, or does not begin. The close follows."""

    type: Literal["error"] = "error"
    code: str = Field(description="a code of warnings, or why nothing began: refused, forbidden, unauthorised")
    message: str
    retryable: bool = Field(description="whether the same may go well later")
    retry_after_s: float = 0.0


class EndedMessage(StreamMessage):
    """The last message; the close follows."""

    type: Literal["ended"] = "ended"
    reason: EndReason
    message: str = ""


ServerMessage: TypeAlias = Annotated[
    StartedMessage
    | SpeechMessage
    | PartialMessage
    | FinalMessage
    | WarningMessage
    | GoAwayMessage
    | ErrorMessage
    | EndedMessage,
    Field(discriminator="type"),
]
SERVER_MESSAGES: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def started(stream: HeldTranscription) -> StartedMessage:
    """The answer to the first message."""
    options, limits, request = stream.session.options, stream.limits, stream.request
    return StartedMessage(
        stream_id=stream.session.name,
        language=options.language,
        model=options.recognition.model,
        sample_rate=request.input.rate_hz,
        encoding="float32" if request.is_float else "pcm16",
        interim_ms=round(options.interim_s * 1000) if options.interim else None,
        limits=StreamLimits(
            max_message_bytes=limits.max_message_bytes,
            max_audio_s=limits.max_ahead_s,
            max_ahead_s=limits.max_ahead_s,
            max_duration_s=stream.max_session_s,
            idle_s=limits.idle_s if limits.idle_s < float("inf") else None,
        ),
    )


def encode(event: SessionEvent, stream: HeldTranscription, seq: int) -> ServerMessage | None:
    """What a client is told of an event; None = nothing."""
    common = {"stream_id": stream.session.name, "seq": seq, "audio_s": _rounded(stream.session.received_s)}
    match event:
        case Transcribed(final=False):
            return PartialMessage(
                **common,
                utterance=event.utterance,
                text=event.text,
                stability=event.stability,
                start_s=_seconds(event.first_sample),
                end_s=_seconds(event.last_sample),
            )
        case Transcribed():
            return FinalMessage(
                **common,
                utterance=event.utterance,
                text=event.text,
                start_s=_seconds(event.first_sample),
                end_s=_seconds(event.last_sample),
                words=_words(event) if stream.request.words else (),
            )
        case TurnChanged(kind=kind, sample=sample) if kind in _SPEECH:
            return SpeechMessage(**common, type=_SPEECH[kind], at_s=_seconds(sample))
        case Failed(failure, sentence, retryable, retry_after_s, fatal):
            if not fatal:
                return WarningMessage(**common, code=failure, message=sentence, retry_after_s=retry_after_s)
            return ErrorMessage(
                **common, code=failure.value, message=sentence, retryable=retryable, retry_after_s=retry_after_s
            )
        case GoAway(reason, deadline_s):
            return GoAwayMessage(**common, reason=reason.lower(), deadline_s=_rounded(deadline_s))
        case CallEnded(reason, sentence):
            return EndedMessage(**common, reason=reason, message=sentence)
    return None


def close_code(ended: CallEnded, failure: Failure | None) -> int:
    """The close code of a stream that ended so; `failure` is the one that ended it, if any."""
    if ended.reason is EndReason.FAILED and failure is not None:
        return _FAILURE_CODES.get(failure, _INTERNAL_ERROR)
    return _END_CODES.get(ended.reason, _INTERNAL_ERROR)


def _words(event: Transcribed) -> tuple[FinalWord, ...]:
    return tuple(
        FinalWord(
            word=word.text,
            start_s=_rounded(word.start_s),
            end_s=_rounded(word.end_s),
            confidence=min(max(0.0, word.confidence), 1.0),
        )
        for word in event.words
    )


def _seconds(sample: int) -> float:
    return _rounded(sample / INPUT_RATE_HZ)


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
