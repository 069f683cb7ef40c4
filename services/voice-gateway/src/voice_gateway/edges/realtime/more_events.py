"""What does this gateway tell beyond the public schema? Events named voice_workflow.*, where the session wants them."""

from typing import Any

from voice_gateway.core.events import (
    GoAway,
    SessionEvent,
    ToolCallCancelled,
    Transcribed,
    TurnChanged,
    TurnKind,
    TurnMeasured,
)

_KINDS = {
    TurnKind.REPLY_HELD: "voice_workflow.reply_held",
    TurnKind.REPLY_RESUMED: "voice_workflow.reply_resumed",
}


def told(event: SessionEvent) -> list[dict[str, Any]]:
    """The events of this gateway's own for an event of the call."""
    match event:
        case TurnChanged(kind=kind, reply=reply) if kind in _KINDS:
            return [{"type": _KINDS[kind], "reply": reply}]
        case TurnMeasured(turn, n, latencies):
            seconds = {f"{name}_s": round(value, 4) for name, value in latencies.items()}
            return [{"type": "voice_workflow.turn_latency", "turn": turn, "reply": n, **seconds}]
        case Transcribed():
            return [
                {
                    "type": "voice_workflow.transcript",
                    "text": event.text,
                    "final": event.final,
                    "stability": event.stability,
                    "words": [
                        {"text": word.text, "start_s": word.start_s, "end_s": word.end_s, "confidence": word.confidence}
                        for word in event.words
                    ],
                }
            ]
        case ToolCallCancelled(id_):
            return [{"type": "voice_workflow.function_call_cancelled", "call_id": id_}]
        case GoAway(reason, deadline_s):
            return [{"type": "voice_workflow.go_away", "reason": reason, "deadline_s": round(deadline_s, 3)}]
    return []
