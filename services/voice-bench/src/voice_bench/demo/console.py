"""How is the call told on a terminal? While it goes on, a line for each thing; then who spoke when, and how fast."""

import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text
from voice_client.call_record import LATENCIES
from voice_client.events import Error, Event, ReplyAudio, Transcript, Turn, TurnEvent

from voice_bench.demo.call_summary import Answer, CallSummary, Exchange
from voice_bench.demo.script import Line

_WIDE = 85
"""Characters that names and explanations take."""
_EXPLAINED = {
    "asr_final_latency": "speech ended -> final transcript",
    "endpointing_delay": "speech ended -> turn ended",
    "llm_ttft": "request -> first token",
    "first_phrase_delay": "first token -> first phrase",
    "tts_ttfb": "phrase -> first audio",
    "gateway_response_latency": "speech ended -> reply audio leaves",
    "voice_to_voice": "speech ended -> reply heard, at the caller",
    "barge_in_stop": "barge-in began -> reply silent, at the caller",
}


class CallPrinter:
    """Tells the call while it goes on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._audible: set[int] = set()

    def on_line(self, line: Line, now_s: float) -> None:
        """The caller speaks."""
        what = f'"{line.text}"' if line.text else f"a recording of {line.clip.duration_s:.1f} s"
        self._line(now_s, "caller", ("barges in: " if line.barges_in else "says ") + what, "bold cyan")

    def on_event(self, event: Event, now_s: float) -> None:
        """The gateway told something."""
        match event:
            case Transcript(final=True) if event.text.strip():
                self._line(now_s, "heard", event.text.strip(), "cyan")
            case ReplyAudio() if event.reply not in self._audible:
                self._audible.add(event.reply)
                self._line(now_s, "agent", "begins to speak", "dim")
            case TurnEvent(kind=Turn.REPLY_ENDED) if event.text:
                self._line(now_s, "agent", event.text, "green")
            case TurnEvent(kind=Turn.REPLY_INTERRUPTED):
                heard = f'after {event.heard_ms / 1000:.1f} s, heard: "{event.heard_text}"'
                self._line(now_s, "cut", heard, "bold red")
            case TurnEvent(kind=Turn.REPLY_RETRACTED):
                self._line(now_s, "agent", "takes back a reply that nobody heard", "dim")
            case Error():
                self._line(now_s, "error", event.message, "red")
            case _:
                pass

    def _line(self, now_s: float, who: str, what: str, style: str) -> None:
        self._console.print(Text.assemble((f"{now_s:6.2f} s ", "dim"), (f"{who:>7}  ", style), what), soft_wrap=True)


def timeline(summary: CallSummary) -> Table:
    """Who spoke when, what was said, heard and answered, and where the reply was cut."""
    table = Table(title="The call", show_lines=True)
    for name in ("", "from", "to", "words"):
        table.add_column(name, justify="right" if name in ("from", "to") else "left", overflow="fold")
    for exchange in summary.exchanges:
        begin = exchange.speech_began_s or exchange.began_s
        table.add_row("caller", f"{begin:.2f}", _seconds(exchange.speech_ended_s), _line_text(exchange))
        for answer in exchange.answers.values():
            if answer.began_s is not None:
                table.add_row("agent", f"{answer.began_s:.2f}", _seconds(answer.last_s), _answered(answer))
    return table


def latencies(summary: CallSummary, width: int) -> Table:
    """The parts of each turn's delay, in milliseconds; explained where the terminal is wide enough."""
    explains = width >= _WIDE + 5 * len(summary.exchanges)
    table = Table(title="Latencies, milliseconds")
    table.add_column("", no_wrap=True)
    if explains:
        table.add_column("from -> to", no_wrap=True)
    for exchange in summary.exchanges:
        table.add_column(f"line {exchange.number}" if explains else str(exchange.number), justify="right")
    for name in LATENCIES:
        row = [_latency(summary, exchange, name) for exchange in summary.exchanges]
        if any(value is not None for value in row):
            cells = [_EXPLAINED[name]] if explains else []
            cells += ["-" if value is None else f"{value * 1000:.0f}" for value in row]
            table.add_row(name, *cells, style="bold" if name in ("voice_to_voice", "barge_in_stop") else "")
    return table


def _latency(summary: CallSummary, exchange: Exchange, name: str) -> float | None:
    """The caller's own number where it has one: what is heard counts, not what was sent."""
    if name == "voice_to_voice":
        return exchange.voice_to_voice_s
    if name == "barge_in_stop":
        return summary.barge_in_stop_s(exchange)
    value = getattr(exchange.latency, name) if exchange.latency else None
    return None if value is None else float(value)


def _line_text(exchange: Exchange) -> Text:
    said = exchange.line.text or "(a recording)"
    verb = "barges in: " if exchange.line.barges_in else ""
    return Text.assemble((verb, "bold red"), said, "\n", ("heard as: ", "dim"), (exchange.transcript or "-", "cyan"))


def _answered(answer: Answer) -> Text:
    heard, unheard = answer.heard_and_unheard
    if answer.cut_s is None:
        return Text(heard, style="green")
    cut = f" | cut at {answer.cut_s:.2f} s, {answer.heard_ms / 1000:.1f} s heard | "
    return Text.assemble((heard, "green"), (cut, "bold red"), (textwrap.shorten(unheard, 100, placeholder=" …"), "dim"))


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
