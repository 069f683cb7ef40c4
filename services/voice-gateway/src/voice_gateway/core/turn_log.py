"""What happened in a call, line by line, so that the turn machine can decide it once more.

A turn log is JSON lines. The first is the `header`: version, policy, state at the start. Each further line is one call
of `turns.step`: when, and with which fact (ticks included); or a policy that holds from then on. Because the machine is
pure, `replay` gives the orders of the call bit for bit; with another policy, what that policy would have ordered.
Floats are written so that they read back the same, infinity as the text "inf".
"""

import json
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields
from math import inf, isfinite
from typing import Any, TypeVar, get_type_hints

from voice_gateway.core.turn_types import (
    Action,
    Call,
    Committed,
    Ended,
    Event,
    Heard,
    Hearing,
    Idle,
    Interrupted,
    Overlap,
    Pausing,
    Policy,
    ReplyAudible,
    ReplyEnded,
    Speaking,
    SpeechStarted,
    SpeechStopped,
    State,
    Thinking,
    Tick,
    Typed,
)
from voice_gateway.core.turns import step

VERSION = 1
FACTS: tuple[type[Event], ...] = (
    SpeechStarted,
    SpeechStopped,
    Heard,
    ReplyAudible,
    ReplyEnded,
    Tick,
    Committed,
    Interrupted,
    Typed,
)
STATES: tuple[type[State], ...] = (Idle, Hearing, Pausing, Thinking, Speaking, Overlap, Ended)
START: State = Idle(Call(), 0.0)

T = TypeVar("T")


class UnreadableTurnLog(ValueError):
    """A line is not what `header` or `encode` writes; the text says which line and why."""


def header(policy: Policy, state: State = START) -> str:
    """The first line of a turn log, without line end."""
    return json.dumps({"version": VERSION, "policy": _packed(policy), "state": _named("is", state)})


def encode(now: float, event: Event) -> str:
    """The line of one call of `step`, without line end."""
    return json.dumps({"at": _number(now), **_named("fact", event)})


def encode_policy(now: float, policy: Policy) -> str:
    """The line that says which policy holds from now on, without line end."""
    return json.dumps({"at": _number(now), "policy": _packed(policy)})


def decode(line: str) -> tuple[float, Event | Policy]:
    """What `encode` or `encode_policy` was given. Raises `UnreadableTurnLog`."""
    raw = _object(line)
    at = _read(raw.pop("at", None), float, "at")
    if not isfinite(at):
        raise UnreadableTurnLog("at must be a finite number of seconds")
    if raw.keys() == {"policy"}:
        return at, _build(raw["policy"], Policy)
    return at, _choose(raw, "fact", FACTS)


def replay(lines: Iterable[str], policy: Policy | None = None) -> list[tuple[float, Action]]:
    """The orders of a logged call, under its own policies or another. Raises `UnreadableTurnLog` naming the line."""
    orders: list[tuple[float, Action]] = []
    state: State | None = None
    holds = policy
    last = -inf
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            if state is None:
                own, state = _decode_header(line)
                holds = policy or own
                continue
            now, said = decode(line)
            if now < last:
                raise UnreadableTurnLog(f"time runs backwards, from {last!r} to {now!r}")
        except UnreadableTurnLog as broken:
            raise UnreadableTurnLog(f"line {number}: {broken}") from None
        last = now
        if isinstance(said, Policy):
            holds = policy or said
            continue
        assert holds is not None
        state, actions = step(state, said, now, holds)
        orders += [(now, action) for action in actions]
    if not number:
        raise UnreadableTurnLog("line 1: the header is missing")
    return orders


def _decode_header(line: str) -> tuple[Policy, State]:
    raw = _object(line)
    if raw.get("version") != VERSION:
        raise UnreadableTurnLog(f"this is no header of turn log version {VERSION}")
    return _build(raw.get("policy"), Policy), _choose(raw.get("state"), "is", STATES)


def _object(line: str) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise UnreadableTurnLog(f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise UnreadableTurnLog("not a JSON object")
    return raw


def _packed(value: Any) -> dict[str, Any]:
    packed = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: _packed(item) if isinstance(item, Call) else _number(item) for name, item in packed.items()}


def _named(key: str, value: Any) -> dict[str, Any]:
    return {key: type(value).__name__, **_packed(value)}


def _number(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _choose(raw: Any, key: str, kinds: tuple[type[T], ...]) -> T:
    """The value that `_named` packed."""
    if not isinstance(raw, dict):
        raise UnreadableTurnLog(f"an object with {key!r} is missing")
    name = raw.get(key)
    kind = next((kind for kind in kinds if kind.__name__ == name), None)
    if kind is None:
        raise UnreadableTurnLog(f"{key} is {name!r}, not one of {', '.join(kind.__name__ for kind in kinds)}")
    return _build({field: item for field, item in raw.items() if field != key}, kind)


def _build(raw: Any, kind: type[T]) -> T:
    """The dataclass that `_packed` took apart; a field with a default may be missing."""
    if not isinstance(raw, dict):
        raise UnreadableTurnLog(f"the fields of {kind.__name__} are missing")
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if strange := sorted(raw.keys() - known.keys()):
        raise UnreadableTurnLog(f"{kind.__name__} has no field {', '.join(strange)}")
    if missing := sorted(name for name, field in known.items() if field.default is MISSING and name not in raw):
        raise UnreadableTurnLog(f"{kind.__name__} lacks {', '.join(missing)}")
    hints = get_type_hints(kind)
    return kind(**{name: _read(item, hints[name], name) for name, item in raw.items()})


def _read(item: Any, hint: Any, name: str) -> Any:
    if hint is Call:
        return _build(item, Call)
    if item is None and hint in (int | None, float | None):
        return None
    if hint in (float, float | None):
        if item in ("inf", "-inf"):
            return float(item)
        if (type(item) is int and abs(item) < 2**53) or (type(item) is float and item == item):
            return float(item)
    elif type(item) is (int if hint == int | None else hint):
        return item
    raise UnreadableTurnLog(f"{name} is {item!r}, not {getattr(hint, '__name__', hint)}")
