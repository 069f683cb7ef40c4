"""Every event has its message, every failure its code, every error its status."""

from typing import get_args

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from pcm import AudioFormat, Encoding
from voice_gateway.core.admission import Refusal, RefusalKind
from voice_gateway.core.events import (
    CallEnded,
    EndReason,
    Failed,
    Failure,
    GoAway,
    ReplyAudio,
    ReplyText,
    SessionEvent,
    ToolCallCancelled,
    ToolCalled,
    Transcribed,
    TurnChanged,
    TurnKind,
    TurnMeasured,
    WordTime,
)
from voice_gateway.core.timeline import LATENCIES
from voice_gateway.edges.audio import AudioOut
from voice_gateway.edges.contract.encode import encode
from voice_gateway.edges.grpc.status import status
from voice_gateway.errors import (
    BadRequest,
    Broken,
    Forbidden,
    NotFound,
    Refused,
    StreamReplaced,
    Unsupported,
    VoiceError,
)
from voice_workflow.v1 import voice_workflow_pb2 as pb

EVENTS: dict[type[object], tuple[SessionEvent, str]] = {
    Transcribed: (Transcribed(1, 2, "hi", True), "transcript"),
    TurnChanged: (TurnChanged(TurnKind.TURN_ENDED, 1, 2.5), "turn"),
    ReplyText: (ReplyText(1, "Hello"), "reply_text"),
    ReplyAudio: (ReplyAudio(1, 0, bytes(320)), "reply_audio"),
    ToolCalled: (ToolCalled("tool-1", 1, "open_door", "{}", 10.0), "tool_call"),
    ToolCallCancelled: (ToolCallCancelled("tool-1"), "tool_call_cancelled"),
    TurnMeasured: (TurnMeasured(1, 1, {}), "latency"),
    Failed: (Failed(Failure.INTERNAL, "it broke"), "error"),
    GoAway: (GoAway("DRAINING", 30.0), "go_away"),
    CallEnded: (CallEnded(EndReason.IDLE), "ended"),
}


def message(event: SessionEvent, ratio: float = 1.0) -> pb.ServerMessage:
    return encode(event, AudioOut(AudioFormat(Encoding.PCM16, 8000), 16_000), ratio)


@pytest.mark.parametrize("kind", get_args(SessionEvent), ids=lambda kind: kind.__name__)
def test_every_event_has_its_message(kind: type[object]) -> None:
    event, name = EVENTS[kind]
    assert message(event).WhichOneof("message") == name


def test_a_transcript_counts_samples_at_the_callers_rate() -> None:
    words = (WordTime("hi", 0.25, 0.5, 0.75),)
    event = Transcribed(1, 2, "hi", True, 1.0, words, first_sample=4000, last_sample=8001)
    assert message(event, ratio=0.5).transcript == pb.Transcript(
        turn=1,
        utterance=2,
        text="hi",
        final=True,
        stability=1.0,
        words=[pb.Word(text="hi", start_s=0.25, end_s=0.5, confidence=0.75)],
        first_sample=2000,
        last_sample=4000,
    )


def test_a_call_of_a_tool_carries_its_arguments() -> None:
    call = message(ToolCalled("tool-2", 3, "open_door", '{"door": {"floor": 2, "name": "Süd"}}', 1.5)).tool_call
    assert (call.id, call.reply, call.name, call.timeout_s) == ("tool-2", 3, "open_door", 1.5)
    assert MessageToDict(call.arguments) == {"door": {"floor": 2, "name": "Süd"}}


@pytest.mark.parametrize("kind", list(TurnKind))
def test_every_move_of_the_floor_has_its_kind(kind: TurnKind) -> None:
    event = TurnChanged(kind, 3, 1.5, reply=2, sample=8000, text="a", heard_text="b", heard_ms=250)
    turn = message(event, ratio=3.0).turn
    assert pb.TurnEvent.Kind.Name(turn.kind) == kind.name
    assert (turn.turn, turn.reply, turn.sample, turn.decided_at) == (3, 2, 24000, 1.5)
    assert (turn.text, turn.heard_text, turn.heard_ms) == ("a", "b", 250)


def test_the_contract_has_no_move_the_gateway_does_not_know() -> None:
    assert set(pb.TurnEvent.Kind.keys()) == {"KIND_UNSPECIFIED", *(kind.name for kind in TurnKind)}


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_its_code(failure: Failure) -> None:
    error = message(Failed(failure, "say why", True, 1.5, True)).error
    assert pb.Error.Code.Name(error.code) == failure.name
    assert (error.message, error.retryable, error.retry_after_s, error.fatal) == ("say why", True, 1.5, True)


@pytest.mark.parametrize("reason", list(EndReason))
def test_every_end_has_its_reason(reason: EndReason) -> None:
    ended = message(CallEnded(reason, "because")).ended
    assert (pb.SessionEnded.Reason.Name(ended.reason), ended.message) == (reason.name, "because")


def test_every_latency_has_its_field_and_a_missing_one_stays_unset() -> None:
    names = [*LATENCIES, "asr_lag"]
    latency = message(TurnMeasured(1, 2, dict.fromkeys(names, 0.5))).latency
    assert [getattr(latency, name) for name in names] == [0.5] * len(names)
    assert not message(TurnMeasured(1, 2, {})).latency.HasField("llm_ttft")


def test_reply_audio_leaves_at_the_callers_rate() -> None:
    audio = AudioOut(AudioFormat(Encoding.PCM16, 16_000), 16_000)
    again = encode(ReplyAudio(4, 160, bytes(320)), audio, 1.0).reply_audio
    assert (again.reply, again.offset, len(again.data)) == (4, 160, 320)


def test_a_farewell_says_why_and_how_long() -> None:
    assert message(GoAway("MAX_DURATION", 5.0)).go_away == pb.GoAway(reason=pb.GoAway.MAX_DURATION, deadline_s=5.0)


REFUSED = [
    (RefusalKind.BUSY, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (RefusalKind.TOKEN_BUSY, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (RefusalKind.ELSEWHERE, grpc.StatusCode.UNAVAILABLE),
    (RefusalKind.DRAINING, grpc.StatusCode.UNAVAILABLE),
    (RefusalKind.BACKEND_DOWN, grpc.StatusCode.UNAVAILABLE),
    (RefusalKind.ELSEWHERE, grpc.StatusCode.UNAVAILABLE),
]


@pytest.mark.parametrize(("kind", "code"), REFUSED)
def test_a_refused_call_is_told_when_to_come_back(kind: RefusalKind, code: grpc.StatusCode) -> None:
    assert status(Refused(Refusal(kind, "no", 1.5))) == (code, (("retry-after-ms", "1500"),))


def test_every_refusal_has_a_status() -> None:
    assert {kind for kind, _ in REFUSED} == set(RefusalKind)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest("x"), grpc.StatusCode.INVALID_ARGUMENT),
        (Forbidden("x"), grpc.StatusCode.PERMISSION_DENIED),
        (Unsupported("x"), grpc.StatusCode.UNIMPLEMENTED),
        (NotFound("x"), grpc.StatusCode.NOT_FOUND),
        (StreamReplaced("x"), grpc.StatusCode.ABORTED),
        (Broken("llm", "x"), grpc.StatusCode.INTERNAL),
    ],
)
def test_every_other_error_has_its_status_and_no_trailer(error: VoiceError, code: grpc.StatusCode) -> None:
    assert status(error) == (code, ())
