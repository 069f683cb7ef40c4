"""What happened in a call, line by line, so that the turn machine can decide it once more.

A turn log is JSON lines. The first is the `header`: version, policy, state at the start. Each further line is one call
of `turns.step`: when, and with which fact (ticks included); or a policy that holds from then on. Because the machine is
pure, `replay` gives the orders of the call bit for bit; with another policy, what that policy would have ordered.
"""

import json
from collections.abc import Iterable
from math import inf, isfinite
from typing import Any

from voice_gateway.core.state_codec import (
    Unreadable,
    pack,
    pack_named,
    pack_number,
    pack_state,
    unpack,
    unpack_field,
    unpack_named,
    unpack_state,
)
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Idle, State
from voice_gateway.core.turn_types import (
    Action,
    Committed,
    Discarded,
    Event,
    Heard,
    Interrupted,
    RecogniserLost,
    ReplyAsked,
    ReplyAudible,
    ReplyEnded,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeLow,
    TurnScored,
    Typed,
    WordsLost,
)
from voice_gateway.core.turns import step

VERSION = 1
FACTS: tuple[type[Event], ...] = (
    SpeechStarted,
    SpeechStopped,
    Heard,
    TurnScored,
    ReplyAudible,
    ReplyEnded,
    Tick,
    Committed,
    Interrupted,
    Typed,
    TimeLow,
    WordsLost,
    RecogniserLost,
    ReplyAsked,
    Discarded,
)
START: State = Idle(Call(), 0.0)


class UnreadableTurnLog(ValueError):
    """A line is not what `header` or `encode` writes; the text says which line and why."""


def header(policy: Policy, state: State = START) -> str:
    """The first line of a turn log, without line end."""
    return json.dumps({"version": VERSION, "policy": pack(policy), "state": pack_state(state)})


def encode(now: float, event: Event) -> str:
    """The line of one call of `step`, without line end."""
    return json.dumps({"at": pack_number(now), **pack_named("fact", event)})


def encode_policy(now: float, policy: Policy) -> str:
    """The line that says which policy holds from now on, without line end."""
    return json.dumps({"at": pack_number(now), "policy": pack(policy)})


def decode(line: str) -> tuple[float, Event | Policy]:
    """What `encode` or `encode_policy` was given. Raises `Unreadable`."""
    raw = _object(line)
    at = unpack_field(raw.pop("at", None), float, "at")
    if not isfinite(at):
        raise Unreadable("at must be a finite number of seconds")
    if raw.keys() == {"policy"}:
        return at, unpack(raw["policy"], Policy)
    return at, unpack_named(raw, "fact", FACTS)


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
                own, state = decode_header(line)
                holds = policy or own
                continue
            now, said = decode(line)
            if now < last:
                raise Unreadable(f"time runs backwards, from {last!r} to {now!r}")
        except Unreadable as broken:
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


def decode_header(line: str) -> tuple[Policy, State]:
    """What `header` was given. Raises `Unreadable`."""
    raw = _object(line)
    if raw.get("version") != VERSION:
        raise Unreadable(f"this is no header of turn log version {VERSION}")
    return unpack(raw.get("policy"), Policy), unpack_state(raw.get("state"))


def _object(line: str) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise Unreadable("not a JSON object")
    return raw
