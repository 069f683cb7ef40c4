"""How is a call shown on a terminal, and how written for a program?"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pcm import write_wav
from rich.console import Console
from rich.table import Table
from rich.text import Text

from voice_client.call_record import LATENCIES, CallRecord, ended_by_gateway, event_fields, go_away_sentence
from voice_client.errors import VoiceError
from voice_client.events import Dropped, Ended, Error, Event, GoAway, ReplyText, Transcript, Turn, TurnEvent
from voice_client.interfaces import CallOutput


def write_line(fields: Mapping[str, Any]) -> None:
    """One JSON object on a line of its own on stdout, at once."""
    sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class JsonOutput:
    """For machines; `label` goes into every line (which file of several)."""

    label: Mapping[str, str]
    write: Callable[[Mapping[str, Any]], None] = write_line

    def event(self, event: Event) -> None:
        self.write({**self.label, **event_fields(event)})

    def summary(self, record: CallRecord, extra: Mapping[str, Any]) -> None:
        told = {"transcript": record.transcript, "reply": record.reply, "turns": record.turns}
        self.write({**self.label, "event": "summary", **told, **extra})

    def failure(self, error: VoiceError) -> None:
        told = {"kind": type(error).__name__, "message": str(error), "retry_after_s": error.retry_after_s}
        self.write({**self.label, "event": "failure", **told})


@dataclass(frozen=True, slots=True)
class TerminalOutput:
    """For people: finals and replies as they come, latencies at the end. `title` names the call, if it needs one."""

    console: Console
    title: str = ""
    _written: dict[int, str] = field(default_factory=dict)
    """Text of replies that are not over."""

    def event(self, event: Event) -> None:
        match event:
            case Transcript(final=True) if event.text:
                self._line("caller", event.text, "cyan")
            case ReplyText():
                self._written[event.reply] = self._written.get(event.reply, "") + event.delta
            case TurnEvent(kind=Turn.REPLY_ENDED):
                self._reply(event.text, self._written.pop(event.reply, "").strip())
            case TurnEvent(kind=Turn.REPLY_RETRACTED):
                self._written.pop(event.reply, None)
            case TurnEvent(kind=Turn.REPLY_INTERRUPTED):
                self._written.pop(event.reply, None)
                self._line("reply", f"{event.heard_text} (interrupted after {event.heard_ms} ms)", "yellow")
            case Error():
                self._line("error", event.message, "red")
            case Dropped():
                self._line("dropped", f"{event.reason}; resuming", "yellow")
            case GoAway():
                self._line("gateway", go_away_sentence(event), "yellow")
            case Ended() if event.reason != "caller_ended":
                self._line("ended", ended_by_gateway(event), "yellow")
            case _:
                pass

    def summary(self, record: CallRecord, extra: Mapping[str, Any]) -> None:
        if not record.turns:
            return
        table = Table("latency, seconds", *(f"turn {row['turn']}" for row in record.turns), title=self.title or None)
        for name in LATENCIES:
            if any(name in row for row in record.turns):
                table.add_row(name, *(f"{row[name]:.3f}" if name in row else "-" for row in record.turns))
        self.console.print(table)
        if "out" in extra:
            self._line("audio", f"{extra['heard_s']:.1f} s in {extra['out']}", "dim")

    def failure(self, error: VoiceError) -> None:
        """Said once for the command, on stderr."""

    def _reply(self, spoken: str, written: str) -> None:
        """The whole text, also of a reply that could not be spoken to its end."""
        if len(spoken) >= len(written):
            if spoken:
                self._line("reply", spoken, "green")
        elif spoken:
            self._line("reply", f"{written} (spoken as far as: {spoken})", "yellow")
        else:
            self._line("reply", f"{written} (not spoken)", "yellow")

    def _line(self, who: str, what: str, style: str) -> None:
        prefix = f"{self.title} " if self.title else ""
        self.console.print(Text.assemble(prefix, (f"{who:>8}  ", style), what), soft_wrap=True)


def conclude(output: CallOutput, record: CallRecord, rate_hz: int, out: Path | None, *, typed: bool) -> str:
    """Saves and sums up a call that is over; what it lacked, "" = nothing."""
    heard = bytes(record.audio)
    extra: dict[str, object] = {"heard_s": len(heard) / 2 / rate_hz}
    if out is not None:
        write_wav(out, [heard], rate_hz)
        extra["out"] = str(out)
    missing = record.missing(typed=typed)
    output.summary(record, {**extra, "complete": not missing})
    return missing


def call_output(*, as_json: bool, title: str = "") -> CallOutput:
    """The one that was asked for."""
    if as_json:
        return JsonOutput({"file": title} if title else {})
    return TerminalOutput(Console(highlight=False), title)
