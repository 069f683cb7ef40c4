"""What does the screen look like? A pure function of a frozen state, a width and a height.

    voice talk  gateway:50050  ● connected 0:42
    mic      ███████░░░░░  -31 dBFS
    speaker  ████░░░░░░░░  -44 dBFS
    ─────────────────────────────────
    you    what time is it
    reply  It is noon. ▸ The sun is high.
           heard after 0.84 s: turn end 0.35 · first token 0.12 · …
    ─────────────────────────────────
    i interrupt · m mute · t type · h half-duplex · q quit

What was heard of a reply stands before the mark ▸, what was not stands behind it and is dim: no colour is needed.
"""

import io
from dataclasses import dataclass

from pcm.level import FLOOR_DBFS
from rich.console import Console, Group
from rich.text import Text

from voice_client.cli.key_commands import shown_keys
from voice_client.cli.latency_text import latency_text
from voice_client.live.screen_state import (
    AudioState,
    CallerLine,
    Connection,
    Line,
    NoteLine,
    Phase,
    ReplyLine,
    ScreenState,
)

METER_COLUMNS = 30
MARK = "▸"
_LABEL = 7
_METER_LABEL = 9
_STYLES = {
    Connection.CONNECTING: ("○", "yellow"),
    Connection.CONNECTED: ("●", "green"),
    Connection.RECONNECTING: ("◌", "bold yellow"),
    Connection.RESUMED: ("●", "bold green"),
    Connection.ENDED: ("○", "dim"),
}
_MEASURE = Console(file=io.StringIO(), force_terminal=False)
"""Wraps text; it is never printed to."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a terminal, in cells."""

    width: int
    height: int


def render(state: ScreenState, size: Size) -> Group:
    """The whole screen, not higher than `size.height`: the newest lines of the call are kept."""
    head = [_header(state), *_audio(state, size.width)]
    foot = _foot(state, size.width)
    room = size.height - len(head) - len(foot) - 2
    rule = Text("─" * size.width, "dim")
    shown = _newest(state.lines, size.width, room)
    shown += [Text("")] * max(0, min(room, 1) - len(shown))
    whole = [*head, rule, *shown, rule, *foot]
    return Group(*(_cropped(line, size.width) for line in whole[-max(1, size.height) :]))


def _newest(lines: tuple[Line, ...], width: int, room: int) -> list[Text]:
    """As many rows of the newest lines as there is room for; older lines are not even wrapped."""
    rows: list[Text] = []
    for line in reversed(lines):
        if len(rows) >= room:
            break
        rows = conversation_line(line, width) + rows
    return rows[-room:] if room > 0 else []


def _header(state: ScreenState) -> Text:
    sign, style = _STYLES[state.connection]
    since = state.connection_since
    if state.connection in (Connection.CONNECTED, Connection.RESUMED) and state.call_since is not None:
        since = state.call_since
    minutes, seconds = divmod(max(0, int(state.now - since)), 60)
    canceller = "  echo cancelled" if state.audio.echo_cancelled else ""
    return Text.assemble(
        (f"{sign} {state.connection.value}", style), f" {minutes}:{seconds:02d}  ", (state.target + canceller, "dim")
    )


def _audio(state: ScreenState, width: int) -> list[Text]:
    audio = state.audio
    return [
        _meter("mic", audio.input_dbfs, microphone_state(state), audio.input_name, width),
        _meter("speaker", audio.output_dbfs, "", audio.output_name, width),
    ]


def _meter(label: str, level_dbfs: float, note: str, device: str, width: int) -> Text:
    columns = max(4, min(METER_COLUMNS, width - _METER_LABEL - len(" -96 dBFS  ") - len(note)))
    filled = min(columns, max(0, round((level_dbfs - FLOOR_DBFS) / -FLOOR_DBFS * columns)))
    line = Text.assemble(
        (f"{label:<{_METER_LABEL}}", "bold"),
        ("█" * filled, "yellow" if note else "green"),
        ("░" * (columns - filled), "dim"),
        f" {level_dbfs:4.0f} dBFS  ",
        (note, "bold yellow"),
    )
    room = width - line.cell_len - 2
    if device and room >= len(device):
        line.append(("  " if note else "") + device, "dim")
    return line


def microphone_state(state: ScreenState) -> str:
    """Why the microphone is silent, or how it hears; "" = it hears everything."""
    audio: AudioState = state.audio
    if audio.is_muted:
        return "muted"
    if state.push_to_talk:
        return "talking" if audio.is_talking else "silent: press space to talk"
    if audio.half_duplex:
        return "silent: reply" if audio.is_gated else "half-duplex"
    return ""


def conversation_line(line: Line, width: int) -> list[Text]:
    """One line of the call, wrapped."""
    match line:
        case CallerLine():
            if not (line.words or line.partial):
                return []
            return _labelled("you", "bold cyan", _caller_text(line), width)
        case ReplyLine():
            rows = _labelled("reply", "bold green", _reply_text(line), width) if line.text.strip() else []
            if line.latency and (text := latency_text(line.latency)):
                rows += _labelled("", "", Text(text, "dim"), width)
            return rows
        case NoteLine():
            style = "yellow" if line.is_trouble else "dim"
            return _labelled("!" if line.is_trouble else "·", style, Text(line.text, style), width)


def _caller_text(line: CallerLine) -> Text:
    gap = " " if line.words and line.partial else ""
    return Text.assemble(line.words, gap, (f"{line.partial} …" if line.partial else "", "dim italic"))


def _reply_text(line: ReplyLine) -> Text:
    text = line.text.strip()
    heard, rest = text[: line.heard_chars].rstrip(), text[line.heard_chars :].strip()
    match line.phase:
        case Phase.ENDED:
            return Text.assemble(text)
        case Phase.INTERRUPTED:
            return Text.assemble(heard, (" — interrupted", "yellow"), (f" (not heard: {rest})" if rest else "", "dim"))
        case Phase.HELD:
            return Text.assemble(heard, (f" {MARK} paused ", "yellow"), (rest, "dim"))
    return Text.assemble(heard, (f" {MARK} " if heard else f"{MARK} ", "bold green"), (rest, "dim"))


def _labelled(label: str, style: str, text: Text, width: int) -> list[Text]:
    wrapped = text.wrap(_MEASURE, max(8, width - _LABEL))
    labels = [f"{label:<{_LABEL}}", *[" " * _LABEL] * (len(wrapped) - 1)]
    return [Text.assemble((name, style), row) for name, row in zip(labels, wrapped, strict=True)]


def _foot(state: ScreenState, width: int) -> list[Text]:
    keys = shown_keys(push_to_talk=state.push_to_talk, typing=state.typing is not None)
    text = Text(" · ").join(Text.assemble((key, "bold"), f" {what}") for key, what in keys)
    rows = list(text.wrap(_MEASURE, max(8, width)))
    if state.audio.frames_dropped:
        rows.insert(0, Text(f"{state.audio.frames_dropped} microphone frames dropped: machine too busy", "yellow"))
    if state.typing is not None:
        # The end is what is being typed.
        typed = state.typing[-max(1, width - len("type > ") - 1) :]
        rows.insert(0, Text.assemble(("type > ", "bold cyan"), typed, ("█", "blink")))
    return rows


def _cropped(line: Text, width: int) -> Text:
    line = line.copy()
    line.truncate(width, overflow="ellipsis")
    line.no_wrap = True
    return line
