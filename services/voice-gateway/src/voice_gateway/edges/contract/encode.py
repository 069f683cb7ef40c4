"""Which message does an event become? Core events to voice_workflow.v1."""

import json

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import (
    CallEnded,
    EndReason,
    Failed,
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
)
from voice_gateway.edges.audio import AudioOut

_KINDS = {kind: pb.TurnEvent.Kind.Value(kind.name) for kind in TurnKind}
_REASONS = {reason: pb.SessionEnded.Reason.Value(reason.name) for reason in EndReason}


def encode(event: SessionEvent, audio: AudioOut, input_ratio: float) -> pb.ServerMessage:
    """The message of one event, without its numbers. `input_ratio` is the caller's rate over the call's."""
    match event:
        case ReplyAudio(n, first_sample, pcm16):
            offset, data = audio.give(n, first_sample, pcm16)
            return pb.ServerMessage(reply_audio=pb.ReplyAudio(reply=n, offset=offset, data=data))
        case ReplyText(n, delta):
            return pb.ServerMessage(reply_text=pb.ReplyText(reply=n, delta=delta))
        case Transcribed():
            return pb.ServerMessage(transcript=_transcript(event, input_ratio))
        case TurnChanged():
            return pb.ServerMessage(turn=_turn(event, input_ratio))
        case ToolCalled(id_, n, name, arguments, timeout_s):
            call = pb.ToolCall(id=id_, reply=n, name=name, timeout_s=timeout_s)
            call.arguments.update(json.loads(arguments))
            return pb.ServerMessage(tool_call=call)
        case ToolCallCancelled(id_):
            return pb.ServerMessage(tool_call_cancelled=pb.ToolCallCancelled(id=id_))
        case TurnMeasured(turn, n, latencies):
            return pb.ServerMessage(latency=pb.TurnLatency(turn=turn, reply=n, **latencies))
        case Failed(failure, sentence, retryable, retry_after_s, fatal):
            return pb.ServerMessage(
                error=pb.Error(
                    code=pb.Error.Code.Value(failure.name),
                    message=sentence,
                    retryable=retryable,
                    retry_after_s=retry_after_s,
                    fatal=fatal,
                )
            )
        case GoAway(reason, deadline_s):
            reason_code = pb.GoAway.Reason.Value(reason)
            return pb.ServerMessage(go_away=pb.GoAway(reason=reason_code, deadline_s=deadline_s))
        case CallEnded(reason, sentence):
            return pb.ServerMessage(ended=pb.SessionEnded(reason=_REASONS[reason], message=sentence))


def _transcript(event: Transcribed, input_ratio: float) -> pb.Transcript:
    return pb.Transcript(
        turn=event.turn,
        utterance=event.utterance,
        text=event.text,
        final=event.final,
        stability=event.stability,
        words=[
            pb.Word(text=word.text, start_s=word.start_s, end_s=word.end_s, confidence=word.confidence)
            for word in event.words
        ],
        first_sample=round(event.first_sample * input_ratio),
        last_sample=round(event.last_sample * input_ratio),
    )


def _turn(event: TurnChanged, input_ratio: float) -> pb.TurnEvent:
    return pb.TurnEvent(
        kind=_KINDS[event.kind],
        turn=event.turn,
        reply=event.reply,
        sample=round(event.sample * input_ratio),
        text=event.text,
        heard_text=event.heard_text,
        heard_ms=event.heard_ms,
        decided_at=event.decided_at,
    )
