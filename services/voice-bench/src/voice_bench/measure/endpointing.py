"""Which endpointing cuts callers off, and which keeps them waiting? The gateway's turn machine on virtual time.

A timeline becomes the facts of a call: the gateway's own speech gate on Silero's scores, a recogniser whose first pass
comes 0.16 s and whose final 0.4 s after the last sound, and the model's score. Only the policy differs between the ways
to judge; what they are told is the same.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, inf

from voice_gateway.config import Settings
from voice_gateway.config_calls import gate_policies, turn_policy
from voice_gateway.config_languages import built_in
from voice_gateway.core.endings import ending
from voice_gateway.core.speech_gate import GateChange, SpeechGate, gate
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Idle, State, finals
from voice_gateway.core.turn_types import (
    Ending,
    Event,
    Heard,
    ReleaseReply,
    SpeechStarted,
    SpeechStopped,
    StartReply,
    Tick,
    TurnScored,
)
from voice_gateway.core.turns import deadline, step

ENGLISH = built_in().find("en-US")
FRAME_S = 0.032
_FIRST_PASS_S, _FINAL_S, _SCORED_S = 0.16, 0.4, 0.192
_PASS_TAKES_S, _FINAL_TAKES_S, _SCORE_TAKES_S = 0.03, 0.02, 0.06
"""Measured with Moonshine and Smart Turn on one core."""
_PARTIAL_EVERY_S = 0.3
_HEARD_AFTER_S = 0.15
"""From a decision to a reply that the caller hears: what is taken back before was cut off for nobody."""

Hear = Callable[[float, float], Awaitable[str]]
"""The words between two moments of the audio, seconds."""
Score = Callable[[float, float], float]
"""The model's probability that the turn between two moments is over."""


@dataclass(frozen=True, slots=True)
class Judge:
    """One way to decide that a turn is over."""

    name: str
    policy: Policy
    words: bool = True
    """It is told how the words end."""
    first_pass: bool = True
    model: bool = False


def judges(*, model: bool) -> list[Judge]:
    """The gateway as it was, with a silence as others have it, as it is, and with the model."""
    now = replace(turn_policy(Settings(), ENGLISH), drafts=False, greets=False)
    fixed = replace(now, learned_silence_max=0.0)
    patient = replace(fixed, end_silence=0.35)
    found = [
        Judge("fixed silence of 0.4 s (as before)", fixed, words=False, first_pass=False),
        Judge("fixed silence of 0.6 s", patient, words=False, first_pass=False),
        Judge("rules (the default)", now),
    ]
    return [*found, Judge("rules and Smart Turn", now, model=True)] if model else found


@dataclass(frozen=True, slots=True)
class Told:
    """A fact and when it comes; `of` says which judges are told it."""

    at: float
    fact: Event
    of: str = ""


@dataclass(slots=True)
class Cost:
    """CPU seconds of each judgement."""

    words: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge made of one turn."""

    cuts: int
    """Decisions before the caller had finished."""
    heard_cuts: int
    """Those whose reply the caller heard before they went on."""
    delay_s: float | None
    """From the last sound to the last decision; None = the turn never ended."""


def speech(scores: Sequence[float]) -> list[tuple[float, float]]:
    """From and until when somebody speaks, by the gate's own rules with a hangover of two frames."""
    policy = gate_policies(Settings()).turn
    found: list[tuple[float, float]] = []
    state = SpeechGate()
    for number, score in enumerate(scores, 1):
        state, change = gate(state, score, number * FRAME_S, FRAME_S, replace(policy, hangover_s=2 * FRAME_S))
        if change is GateChange.STARTED:
            found.append((state.first_at, state.last_at))
        if found and state.last_at > found[-1][1]:
            found[-1] = (found[-1][0], state.last_at)
    return found


async def facts(stretches: Sequence[tuple[float, float]], hear: Hear, score: Score | None, cost: Cost) -> list[Told]:
    """What a call is told of this speech, in order."""
    hangover_s = gate_policies(Settings()).turn.hangover_s
    told: list[Told] = []
    utterance_s, turn_s, speaking = stretches[0][0], stretches[0][0], False
    for number, (began, ended) in enumerate(stretches):
        following = stretches[number + 1][0] if number + 1 < len(stretches) else inf
        if not speaking:
            told.append(Told(began + 2 * FRAME_S, SpeechStarted()))
        for at in _times(began + _PARTIAL_EVERY_S, ended):
            told.append(Told(at + _PASS_TAKES_S, Heard(await hear(utterance_s, at), False, 0.5, at)))
        if following - ended >= _FIRST_PASS_S:
            words, at = await hear(utterance_s, ended + _FIRST_PASS_S), ended + _FIRST_PASS_S
            told.append(Told(at + _PASS_TAKES_S, Heard(words, False, 1.0, at), "first pass"))
        if score and following - ended >= _SCORED_S:
            at, before = ended + _SCORED_S, time.process_time()
            probability = score(turn_s, at)
            cost.scores.append(time.process_time() - before)
            told.append(Told(at + _SCORE_TAKES_S, TurnScored(probability, at), "model"))
        speaking = following - ended < hangover_s
        if not speaking:
            told.append(Told(ended + hangover_s, SpeechStopped()))
        if following - ended >= _FINAL_S:
            at = ended + _FINAL_S
            told.append(Told(at + _FINAL_TAKES_S, Heard(await hear(utterance_s, at), True, 0.0, at)))
            utterance_s = following
    return sorted(told, key=lambda one: one.at)


def decide(judge: Judge, told: Sequence[Told], stretches: Sequence[tuple[float, float]], cost: Cost) -> Outcome:
    """What this judge decides when it is told so."""
    state: State = Idle(Call(), 0.0)
    decided: list[float] = []

    def take(fact: Event, now: float) -> None:
        nonlocal state
        state, orders = step(state, fact, now, judge.policy)
        decided.extend(now for order in orders if isinstance(order, StartReply | ReleaseReply))

    known = {"": True, "first pass": judge.first_pass, "model": judge.model}
    end_of_time = Told(stretches[-1][1] + 30.0, Tick())
    for one in [*(one for one in told if known[one.of]), end_of_time]:
        while (due := deadline(state, judge.policy)) is not None and due < one.at:
            take(Tick(), due)
        take(_judged(one.fact, state, judge, cost), one.at)
    last_s = stretches[-1][1]
    cuts = [at for at in decided if at < last_s]
    # Cut off in the midst of the last speech, it goes on at once.
    goes_on = [next((began for began, _ in stretches if began > at - 2 * FRAME_S), at) for at in cuts]
    heard = sum(goes - at > _HEARD_AFTER_S for at, goes in zip(cuts, goes_on, strict=True))
    ends = [at for at in decided if at >= last_s]
    return Outcome(len(cuts), heard, ends[-1] - last_s if ends else None)


def _judged(fact: Event, state: State, judge: Judge, cost: Cost) -> Event:
    if not isinstance(fact, Heard) or not judge.words:
        return fact
    before = time.process_time()
    found: Ending = ending(f"{finals(state)} {fact.text}", ENGLISH)
    cost.words.append(time.process_time() - before)
    return replace(fact, ending=found)


def _times(first: float, until: float) -> list[float]:
    """Every so often from `first` on."""
    return [first + n * _PARTIAL_EVERY_S for n in range(ceil((until - first) / _PARTIAL_EVERY_S))]
