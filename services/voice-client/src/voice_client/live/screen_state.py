"""What does a person at the terminal see of a call? One frozen state; every event makes the next one.

Pure: events and moments in, the next state out. How it looks is another matter (`cli.screen`, `cli.plain_lines`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, TypeVar, cast

from pcm.level import FLOOR_DBFS

from voice_client.call_record import ended_by_gateway, go_away_sentence
from voice_client.events import (
    Dropped,
    Ended,
    Error,
    Event,
    GoAway,
    Latency,
    ReplyText,
    Started,
    ToolCall,
    Transcript,
    Turn,
    TurnEvent,
)
from voice_client.live.heard_text import LETTERS_PER_S, heard_chars, letters_per_s

LINES_KEPT = 200
"""Older lines are forgotten, the oldest first."""
RESUMED_SHOWN_S = 5.0
"""How long the screen says that the call was resumed."""


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Connection(Enum):
    """How the caller is connected to the gateway."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallerLine:
    """What the caller said in one turn: finals by utterance, and the partial after them."""

    turn: int
    finals: tuple[tuple[int, str], ...] = ()
    partial: str = ""
    is_over: bool = False

    @property
    def words(self) -> str:
        """What will not change any more."""
        return " ".join(text for _, text in self.finals if text)


class Phase(Enum):
    """How far a reply is."""

    SPEAKING = "speaking"
    HELD = "held"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One reply: its text, how many characters of it were heard so far, and what its turn took."""

    reply: int
    turn: int = 0
    text: str = ""
    heard_chars: int = 0
    phase: Phase = Phase.SPEAKING
    latency: Latency | None = None


@dataclass(frozen=True, slots=True)
class NoteLine:
    """Something that the caller should know; `is_trouble`: it is not as it should be."""

    text: str
    is_trouble: bool = False


Line = CallerLine | ReplyLine | NoteLine


@dataclass(frozen=True, slots=True)
class AudioState:
    """Microphone and loudspeaker: levels in dBFS, names of the devices, and why the microphone may be silent."""

    input_dbfs: float = FLOOR_DBFS
    output_dbfs: float = FLOOR_DBFS
    input_name: str = ""
    output_name: str = ""
    is_muted: bool = False
    is_talking: bool = True
    """False: push-to-talk, and the caller does not talk now."""
    is_gated: bool = False
    """Half-duplex: a reply is heard, so the microphone is silent."""
    half_duplex: bool = False
    echo_cancelled: bool = False
    frames_dropped: int = 0


@dataclass(frozen=True, slots=True)
class ScreenState:
    """Everything that the screen shows. Moments are seconds on the clock that `now` is read from."""

    target: str
    push_to_talk: bool = False
    connection: Connection = Connection.CONNECTING
    connection_since: float = 0.0
    call_since: float | None = None
    now: float = 0.0
    lines: tuple[Line, ...] = ()
    call_begins_at: int = 0
    """Index of the first line of the call that runs: turns are numbered anew in each call."""
    audio: AudioState = AudioState()
    typing: str | None = None
    """The turn that is being typed; None = none is."""
    reply_letters_per_s: float = LETTERS_PER_S

    @property
    def open_reply(self) -> ReplyLine | None:
        """The reply that is spoken or held now."""
        for line in reversed(self.lines[self.call_begins_at :]):
            if isinstance(line, ReplyLine) and line.phase in (Phase.SPEAKING, Phase.HELD):
                return line
        return None


def observe(state: ScreenState, event: Event) -> ScreenState:
    """An event of the call. Control characters in its texts become spaces: a terminal would obey them."""
    event = _printable(event)
    match event:
        case Started():
            return _started(state, event)
        case Transcript():
            return _change_line(state, CallerLine(event.turn), lambda line: _transcribed(line, event))
        case TurnEvent():
            return _turn(state, event)
        case ReplyText():
            return _change_line(state, ReplyLine(event.reply), lambda line: replace(line, text=line.text + event.delta))
        case Latency():
            return _change_line(state, ReplyLine(event.reply), lambda line: replace(line, latency=event))
        case ToolCall():
            return with_note(state, f"tool {event.name} is called")
        case Dropped():
            state = _connected(state, Connection.RECONNECTING)
            return with_note(state, f"connection lost: {event.reason}; reconnecting", is_trouble=True)
        case GoAway():
            return with_note(state, f"the gateway leaves: {go_away_sentence(event)}", is_trouble=True)
        case Error():
            return with_note(state, event.message, is_trouble=True)
        case Ended():
            state = _connected(state, Connection.ENDED)
            if event.reason == "caller_ended":
                return state
            return with_note(state, ended_by_gateway(event), is_trouble=True)
        case _:
            return state


def at(state: ScreenState, now: float) -> ScreenState:
    """Time has passed."""
    if state.connection is Connection.RESUMED and now - state.connection_since >= RESUMED_SHOWN_S:
        state = replace(state, connection=Connection.CONNECTED, connection_since=now)
    return replace(state, now=now)


def connecting(state: ScreenState) -> ScreenState:
    """A call is being begun, or begun anew."""
    return _connected(state, Connection.CONNECTING)


def with_note(state: ScreenState, text: str, *, is_trouble: bool = False) -> ScreenState:
    """Tell the caller something."""
    return _with_lines(state, (*state.lines, NoteLine(text, is_trouble)))


def reply_heard(state: ScreenState, reply: int, played_s: float, *, final: bool = False) -> ScreenState:
    """So much of `reply` was heard, as the loudspeaker counts; `final`: no more of it will be."""
    line = _find(state, ReplyLine(reply))
    if not isinstance(line, ReplyLine) or line.phase is Phase.INTERRUPTED:
        return state
    if final and line.phase is Phase.ENDED:
        state = replace(state, reply_letters_per_s=letters_per_s(line.text, played_s, state.reply_letters_per_s))
        return _change_line(state, line, lambda line: replace(line, heard_chars=len(line.text)))
    heard = max(line.heard_chars, heard_chars(line.text, played_s, state.reply_letters_per_s))
    if heard == line.heard_chars:
        return state
    return _change_line(state, line, lambda line: replace(line, heard_chars=heard))


def _printable(event: Event) -> Event:
    texts: dict[str, Any] = {
        one.name: _CONTROLS.sub(" ", text) for one in fields(event) if isinstance(text := getattr(event, one.name), str)
    }
    return replace(event, **texts)


def _started(state: ScreenState, event: Started) -> ScreenState:
    if event.resumed:
        return with_note(_connected(state, Connection.RESUMED), "connected again; the call goes on")
    state = replace(_connected(state, Connection.CONNECTED), call_since=state.now)
    return replace(state, call_begins_at=len(state.lines))


def _connected(state: ScreenState, connection: Connection) -> ScreenState:
    return replace(state, connection=connection, connection_since=state.now)


def _transcribed(line: CallerLine, event: Transcript) -> CallerLine:
    if line.is_over:
        return line  # the turn's own words came already
    if not event.final:
        return replace(line, partial=event.text)
    finals = tuple(sorted({**dict(line.finals), event.utterance: event.text}.items()))
    return replace(line, finals=finals, partial="")


def _turn(state: ScreenState, event: TurnEvent) -> ScreenState:
    reply = ReplyLine(event.reply, event.turn)
    match event.kind:
        case Turn.TURN_ENDED:
            over = CallerLine(event.turn, ((0, event.text),), is_over=True)
            return _change_line(state, over, lambda _: over)
        case Turn.REPLY_STARTED:
            return _change_line(state, reply, lambda line: replace(line, turn=event.turn))
        case Turn.REPLY_HELD:
            return _change_line(state, reply, lambda line: replace(line, phase=Phase.HELD))
        case Turn.REPLY_RESUMED:
            return _change_line(state, reply, lambda line: replace(line, phase=Phase.SPEAKING))
        case Turn.REPLY_INTERRUPTED | Turn.REPLY_TRUNCATED:
            return _change_line(state, reply, lambda line: _cut(line, event.heard_text))
        case Turn.REPLY_ENDED:
            return _change_line(state, reply, lambda line: _reply_over(line, event.text))
        case Turn.REPLY_RETRACTED:
            state = _change_line(state, CallerLine(event.turn), lambda line: replace(line, is_over=False))
            kept = tuple(line for line in state.lines[state.call_begins_at :] if not _same(line, reply))
            return _with_lines(state, state.lines[: state.call_begins_at] + kept)
        case _:
            return state


def _cut(line: ReplyLine, heard_text: str) -> ReplyLine:
    """The gateway knows what was heard. What was not is kept behind it where the text goes on from there."""
    heard = heard_text.strip()
    written = line.text.lstrip()
    rest = written[len(heard) :] if written.startswith(heard) else ""
    return replace(line, text=heard + rest, heard_chars=len(heard), phase=Phase.INTERRUPTED)


def _reply_over(line: ReplyLine, spoken: str) -> ReplyLine:
    """Of a reply that could not be spoken to its end, the text that came before says more."""
    written = line.text.strip()
    return replace(line, text=spoken if len(spoken) >= len(written) else written, phase=Phase.ENDED)


_Kind = TypeVar("_Kind", bound=CallerLine | ReplyLine)


def _change_line(state: ScreenState, like: _Kind, change: Callable[[_Kind], _Kind]) -> ScreenState:
    """Changes the line of the same turn or reply; `like` itself is added and changed where there is none."""
    lines, begins_at = state.lines, state.call_begins_at
    found = next((at for at in reversed(range(begins_at, len(lines))) if _same(lines[at], like)), None)
    if found is None:
        return _with_lines(state, (*lines, change(like)))
    return replace(state, lines=(*lines[:found], change(cast(_Kind, lines[found])), *lines[found + 1 :]))


def _find(state: ScreenState, like: Line) -> Line | None:
    return next((line for line in reversed(state.lines[state.call_begins_at :]) if _same(line, like)), None)


def _same(one: Line, other: Line) -> bool:
    if isinstance(one, CallerLine) and isinstance(other, CallerLine):
        return one.turn == other.turn
    return isinstance(one, ReplyLine) and isinstance(other, ReplyLine) and one.reply == other.reply


def _with_lines(state: ScreenState, lines: tuple[Line, ...]) -> ScreenState:
    over = max(0, len(lines) - LINES_KEPT)
    return replace(state, lines=lines[over:], call_begins_at=max(0, state.call_begins_at - over))
