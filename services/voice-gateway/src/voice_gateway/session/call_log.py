"""What does an operator read of a call? A structured line when it begins, per answered turn, per failure, at its end.

No line holds what was said: transcripts, replies and prompts are nobody's business but the caller's. What tools were
asked and answered is left out, too, unless the operator wants it.
"""

import logging
from collections.abc import Mapping
from typing import Any

from voice_gateway.core.events import CallEnded, Caller, CallOptions, Failed, SessionEvent, TurnMeasured
from voice_gateway.core.tools import ToolCall, ToolResult
from voice_gateway.core.transcription import TranscriptionOptions

log = logging.getLogger(__name__)


class CallLog:
    """One call's lines; each names the session, the caller, the trace and the caller's metadata."""

    def __init__(
        self, session: str, caller: Caller, metadata: Mapping[str, str], *, logs_tool_arguments: bool = False
    ) -> None:
        self._logs_words = logs_tool_arguments
        known = {"session": session, "caller": caller.identity, "trace_id": caller.trace_id, "metadata": dict(metadata)}
        self._labels = {name: value for name, value in known.items() if value}

    def began(self, options: CallOptions) -> None:
        """The call begins."""
        asked = {"language": options.language, "voice": options.voice, "model": options.llm.model}
        self._info("call began", {name: value for name, value in asked.items() if value})

    def transcription_began(self, options: TranscriptionOptions) -> None:
        """The stream of a caller who wants words only begins."""
        asked = {"language": options.language, "asr_model": options.recognition.model}
        self._info("transcription began", {name: value for name, value in asked.items() if value})

    def record(self, event: SessionEvent, age_s: float) -> None:
        """Something was told to the caller, `age_s` after the call began."""
        match event:
            case TurnMeasured(turn, n, latencies):
                seconds = {name: round(value, 3) for name, value in latencies.items()}
                self._info("turn answered", {"turn": turn, "reply": n, **seconds})
            case Failed(failure, sentence, retryable, retry_after_s, fatal):
                log.warning(
                    "failure told to the caller",
                    extra={
                        **self._labels,
                        "failure": failure.value,
                        "sentence": sentence,
                        "retryable": retryable,
                        "retry_after_s": retry_after_s,
                        "fatal": fatal,
                    },
                )
            case CallEnded(reason, sentence):
                why = {"sentence": sentence} if sentence else {}
                self._info("call ended", {"reason": reason.value, "duration_s": round(age_s, 3), **why})

    def tool_called(self, call: ToolCall, by: str, result: ToolResult, seconds: float) -> None:
        """A tool was called, or the call was cancelled."""
        fields = {"tool": call.name[:64], "by": by, "outcome": str(result.outcome), "duration_s": round(seconds, 3)}
        words = {"arguments": call.arguments, "result": result.content} if self._logs_words else {}
        self._info("tool called", {**fields, **words})

    def _info(self, message: str, fields: Mapping[str, Any]) -> None:
        log.info(message, extra={**self._labels, **fields})
