"""When would the turns of recorded calls have ended under another policy? Their facts are decided once more.

What the caller did and what the recogniser said comes at the times of the recording. Replies are made up: each is heard
and ends as long after its start as the recorded one that began next to it. So only the ends of turns are compared: a
caller who had been answered sooner, or later, would have gone on otherwise.
"""

import heapq
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import SequenceMatcher
from itertools import count
from math import inf
from pathlib import Path
from typing import Any, get_type_hints

from voice_gateway.core import turn_log
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import State
from voice_gateway.core.turn_types import (
    Action,
    Cause,
    Event,
    HoldReply,
    InterruptReply,
    ReleaseReply,
    ReplyAudible,
    ReplyEnded,
    ResumeReply,
    RetractReply,
    StartReply,
    Tick,
)
from voice_gateway.core.turns import deadline, step

from voice_bench.evals.moments import words_of

_SETTLES_AFTER_S = 20.0
"""After the last fact: the last turn may still end."""
_USUAL = (0.5, 3.0)
"""From the start of a reply to its first sound, and from there to its end, where a call has no reply."""
_MORE_S = 1.0
"""A reply that was cut off or taken back would have been heard, or would have begun, so much later at least."""
_AT_ONCE_S = 0.05
_SAME_S = 0.01
_MOST_TICKS = 10_000


@dataclass(frozen=True, slots=True)
class DecidedTurn:
    """A turn of the caller's that ended."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class TurnDifference:
    """What another policy makes of a turn. `was` or `now` is None where it has no counterpart."""

    words: str
    was: float | None
    now: float | None
    kind: str
    """same, earlier, later, cut (one turn became several), joined (several became one), other words."""

    @property
    def won_s(self) -> float:
        """Seconds by which the turn ends earlier."""
        return self.was - self.now if self.was is not None and self.now is not None else 0.0


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A turn log, read."""

    state: State
    facts: tuple[tuple[float, Event | Policy], ...]
    policy: Policy
    replies: tuple[tuple[float, float, float], ...]
    """Of each recorded reply: when it began, how long until its first sound, and how long it was."""


def log_lines(file: Path) -> list[str]:
    """The lines of a turn log, but for a last one that was cut off: a gateway that is killed may leave half a line.
    Raises ValueError and OSError."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError("this is no turn log, which is text") from None
    if not text.strip():
        raise ValueError("the turn log is empty")
    lines = text.splitlines()
    return lines if text.endswith("\n") or len(lines) < 2 or _is_json(lines[-1]) else lines[:-1]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def read_log(lines: Iterable[str]) -> LoggedCall:
    """Raises ValueError with a sentence that names the line."""
    lines = list(lines)
    orders = turn_log.replay(lines)  # checks every line
    policy, state = turn_log.decode_header(lines[0])
    facts = tuple(turn_log.decode(line) for line in lines[1:])
    return LoggedCall(state, facts, policy, tuple(_replies(facts, orders)))


def _replies(
    facts: Sequence[tuple[float, Event | Policy]], orders: Sequence[tuple[float, Action]]
) -> Iterable[tuple[float, float, float]]:
    heard = {fact.n: at for at, fact in facts if isinstance(fact, ReplyAudible)}
    ended = {fact.n: at for at, fact in facts if isinstance(fact, ReplyEnded)}
    cut = {order.n: at for at, order in orders if isinstance(order, InterruptReply)}
    taken_back = {order.n: at for at, order in orders if isinstance(order, RetractReply)}
    released = {order.n: at for at, order in orders if isinstance(order, ReleaseReply)}
    for at, order in orders:
        if isinstance(order, StartReply) and order.n in heard:
            heard_at, over = heard[order.n], ended.get(order.n, cut.get(order.n, inf) + _MORE_S)
            waited = heard_at - released.get(order.n, -inf) < _AT_ONCE_S  # it was ready before its turn was decided
            yield at, min(heard_at - at, _USUAL[0] if waited else inf), over - heard_at if over < inf else _USUAL[1]
        elif isinstance(order, StartReply) and order.n in taken_back and (order.n in released or not order.draft):
            yield at, taken_back[order.n] - at + _MORE_S, _USUAL[1]


def policy_with(policy: Policy, changes: Mapping[str, str]) -> Policy:
    """The policy with other values. Raises ValueError naming the field."""
    hints = get_type_hints(Policy)
    known = [one.name for one in fields(Policy)]
    chosen: dict[str, Any] = {}
    for name, text in changes.items():
        if name not in hints:
            raise ValueError(f"{name} is nothing of the policy; it has {', '.join(known)}")
        try:
            chosen[name] = _value(hints[name], text)
        except ValueError:
            raise ValueError(f"{name} needs a value like {getattr(policy, name)}, not {text!r}") from None
    return replace(policy, **chosen)


def _value(kind: type, text: str) -> float | int | bool:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError
        return text.lower() == "true"
    return int(text) if kind is int else float(text)


def decided_turns(call: LoggedCall, changes: Mapping[str, str]) -> list[DecidedTurn]:
    """The turns of a call, as the machine decides them with these changes of its policy."""
    return _Simulation(call, changes).run()


@dataclass(slots=True)
class _Simulation:
    call: LoggedCall
    changes: Mapping[str, str]
    turns: dict[int, DecidedTurn] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)
    """When each reply began."""
    due: list[tuple[float, int, Event]] = field(default_factory=list)
    """Facts of made-up replies that are still to come."""
    held: list[tuple[float, Event]] = field(default_factory=list)
    numbers: Iterable[int] = field(default_factory=count)

    def run(self) -> list[DecidedTurn]:
        """All turns, in order."""
        state, policy, ticks = self.call.state, policy_with(self.call.policy, self.changes), 0
        facts = [(at, fact) for at, fact in self.call.facts if not isinstance(fact, Tick | ReplyAudible | ReplyEnded)]
        ends_at = (self.call.facts[-1][0] if self.call.facts else 0.0) + _SETTLES_AFTER_S
        place = 0
        while True:
            fact_at = facts[place][0] if place < len(facts) else inf
            reply_at = self.due[0][0] if self.due else inf
            tick_at = deadline(state, policy)
            tick_at = inf if tick_at is None else tick_at
            at = min(fact_at, reply_at, tick_at)
            if at > ends_at or ticks > _MOST_TICKS:
                return sorted(self.turns.values(), key=lambda turn: turn.at)
            if tick_at <= min(fact_at, reply_at):
                event: Event | Policy = Tick()
                ticks += 1
            elif reply_at <= fact_at:
                event = heapq.heappop(self.due)[2]
            else:
                event, place = facts[place][1], place + 1
            if isinstance(event, Policy):
                policy = policy_with(event, self.changes)
                continue
            state, actions = step(state, event, at, policy)
            for action in actions:
                self._perform(action, at)

    def _perform(self, action: Action, now: float) -> None:
        match action:
            case StartReply(n, words, draft, cause):
                self.began[n] = now
                if not draft:
                    self._decided(n, words if cause is Cause.WORDS else "", now)
            case ReleaseReply(n, words):
                self._decided(n, words, now)
            case RetractReply(n):
                self.turns.pop(n, None)
                self.due, self.held = [], []
            case InterruptReply():
                self.due, self.held = [], []
            case HoldReply():
                self.held = [(at - now, event) for at, _, event in self.due]
                self.due = []
            case ResumeReply():
                for after, event in self.held:
                    self._push(now + after, event)
                self.held = []
            case _:
                pass

    def _decided(self, n: int, words: str, now: float) -> None:
        if words:
            self.turns[n] = DecidedTurn(now, words)
        until_heard, length = self._timing(self.began.get(n, now))
        heard_at = max(now, self.began.get(n, now) + until_heard)
        self._push(heard_at, ReplyAudible(n))
        self._push(heard_at + length, ReplyEnded(n))

    def _timing(self, began: float) -> tuple[float, float]:
        """Of the recorded reply that began next to this one."""
        if not self.call.replies:
            return _USUAL
        _, until_heard, length = min(self.call.replies, key=lambda reply: abs(reply[0] - began))
        return until_heard, length

    def _push(self, at: float, event: Event) -> None:
        heapq.heappush(self.due, (at, next(iter(self.numbers)), event))


def differences(was: Sequence[DecidedTurn], now: Sequence[DecidedTurn]) -> list[TurnDifference]:
    """Turn by turn."""
    old, new = [" ".join(words_of(turn.words)) for turn in was], [" ".join(words_of(turn.words)) for turn in now]
    found: list[TurnDifference] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [_moved(one, other) for one, other in zip(was[a:b], now[c:d], strict=True)]
        else:
            found += _reshaped(was[a:b], now[c:d])
    return found


def _moved(was: DecidedTurn, now: DecidedTurn) -> TurnDifference:
    kind = "same" if abs(was.at - now.at) < _SAME_S else "earlier" if now.at < was.at else "later"
    return TurnDifference(was.words, was.at, now.at, kind)


def _reshaped(was: Sequence[DecidedTurn], now: Sequence[DecidedTurn]) -> list[TurnDifference]:
    """Turns that have no counterpart of the same words."""
    whole, parts = " ".join(turn.words for turn in was), " ".join(turn.words for turn in now)
    kind = "other words"
    if words_of(whole) == words_of(parts):
        kind = "cut" if len(now) > len(was) else "joined"
    found = [TurnDifference(turn.words, turn.at, None, kind) for turn in was]
    return found + [TurnDifference(turn.words, None, turn.at, kind) for turn in now]


def parsed_changes(texts: Sequence[str]) -> dict[str, str]:
    """What was asked for as NAME=VALUE. Raises ValueError."""
    found: dict[str, str] = {}
    for text in texts:
        match = re.fullmatch(r"\s*([a-z_]+)\s*=\s*(\S+)\s*", text)
        if match is None:
            raise ValueError(f"{text!r} is no NAME=VALUE, such as end_silence=0.3")
        found[match[1]] = match[2]
    return found
