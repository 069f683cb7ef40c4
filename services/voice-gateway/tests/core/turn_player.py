"""How a story is played: facts at their seconds, ticks at the deadlines between, orders out.

The stories take the player as an argument, so that the mutants can be told the same stories.
"""

from collections.abc import Sequence
from math import inf
from typing import Protocol

from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Idle, State
from voice_gateway.core.turn_types import Action, Event, Heard, SpeechStarted, SpeechStopped, Tick

STARTED = SpeechStarted()
STOPPED = SpeechStopped()
DEFAULT = Policy()
Script = Sequence[tuple[float, Event]]
Told = list[tuple[float, Action]]
RESTS_AFTER = 200
"""Ticks after the last fact; a story that needs more never comes to rest."""


class Machine(Protocol):
    """The turn machine or a mutant of it."""

    def step(self, state: State, event: Event, now: float, policy: Policy) -> tuple[State, tuple[Action, ...]]: ...

    def deadline(self, state: State, policy: Policy) -> float | None: ...


class Play(Protocol):
    """Facts with their seconds in, orders with their seconds out."""

    def __call__(self, script: Script, policy: Policy = DEFAULT) -> Told: ...


def saying(text: str, stability: float = 0.0, until: float = inf) -> Heard:
    """A partial."""
    return Heard(text, False, stability, until)


def said(text: str, until: float = inf) -> Heard:
    """A final."""
    return Heard(text, True, 0.0, until)


def progress(until: float) -> Heard:
    """The recogniser has come this far and has no words."""
    return Heard("", False, 0.0, until)


def player(machine: Machine) -> Play:
    """A player of stories on `machine`; seconds are rounded to microseconds."""

    def play(script: Script, policy: Policy = DEFAULT) -> Told:
        state: State = Idle(Call(), 0.0)
        told: Told = []
        ticks = 0
        for at, event in [*script, (inf, Tick())]:
            while (due := machine.deadline(state, policy)) is not None and due < at:
                state, actions = machine.step(state, Tick(), due, policy)
                told += [(round(due, 6), action) for action in actions]
                ticks += 1
                assert ticks < RESTS_AFTER, f"the machine never comes to rest: {state}"
            if at < inf:
                state, actions = machine.step(state, event, at, policy)
                told += [(round(at, 6), action) for action in actions]
        return told

    return play
