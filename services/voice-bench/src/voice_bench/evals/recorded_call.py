"""How does a recorded call become a scenario? Its turn log says when the caller did what, and what the recogniser told.

The log holds no audio and no reply. So the caller makes sounds without words, the recogniser tells what it told, at
those times, and the model's answers are as long as the replies were. What must be true is what happened: change it to
what should have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import inf
from typing import Any

import yaml
from voice_gateway.config import Settings
from voice_gateway.core import turn_log
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Action,
    Cause,
    Committed,
    Heard,
    Interrupted,
    InterruptReply,
    ReleaseReply,
    ReplyEnded,
    RetractReply,
    SpeechStarted,
    SpeechStopped,
    StartReply,
    Typed,
)

from voice_bench.evals.replaying import LoggedCall, read_log
from voice_bench.evals.speech_timing import timed

_ONSET_S, _HANGOVER_S, _OVERLAP_HANGOVER_S = 0.064, 0.25, 0.1
"""The detector's defaults: how long after a sound begins and ends it says so."""
_FIRST_AUDIO_S = 0.08
_OVERHEAD_S = 0.03
_SLACK_S = 0.3
_NAMES = {
    "drafts": "TURN_PREEMPTIVE",
    "draft_tries": "TURN_PREEMPTIVE_TRIES",
    "draft_max_speech": "TURN_PREEMPTIVE_MAX_SPEECH_S",
    "max_turn": "TURN_MAX_S",
    "protects_greeting": "TURN_GREETING_PROTECTED",
}
"""Settings that are called otherwise than the field of the policy."""


def scenario_text(lines: Sequence[str], name: str) -> str:
    """The scenario of a turn log, as YAML. Raises ValueError with a sentence."""
    call = read_log(lines)
    orders = turn_log.replay(lines)
    content: dict[str, Any] = {
        "title": f"What happened in {name}",
        "settings": _settings(call.policy),
        "client": {"patience": 3.0},
        "recogniser": {"delay": 0, "results": list(_results(call))},
        "model": {"answers": list(_answers(call, orders))},
        "voice": {"first_audio": _FIRST_AUDIO_S},
        "caller": sorted(_steps(call, orders), key=lambda step: step["at"]) or [{"wait": 1.0}],
        "expect": {"events": list(_events(orders))},
    }
    if not call.policy.decides:
        content["session"] = {"push_to_talk": True}
    if not content["model"]["answers"]:
        del content["model"]
    head = f"# Made of {name} by voice-bench evals from-log. Give it a title, and expect what should have happened.\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _settings(policy: Policy) -> dict[str, Any]:
    """The settings that make this policy."""
    found: dict[str, Any] = {"ASR_STOP_HISTORY_EOU_MS": 0}
    for one in fields(Policy):
        value = getattr(policy, one.name)
        names = (_NAMES.get(one.name, ""), f"TURN_{one.name.upper()}_S", f"TURN_{one.name.upper()}")
        setting = next((name for name in names if name.lower() in Settings.model_fields), None)
        if setting:
            found[setting] = 0 if value == inf else value
    if policy.greets:
        found["GREETING"] = "Hello."
    if not policy.detects:
        found["VAD"] = "none"
    return found


def _results(call: LoggedCall) -> Iterator[dict[str, Any]]:
    for at, fact in call.facts:
        if isinstance(fact, Heard):
            result: dict[str, Any] = {"at": round(at, 3), "text": fact.text}
            if fact.final:
                result["final"] = True
            elif fact.stability:
                result["stability"] = fact.stability
            if fact.until < inf:
                result["until"] = round(max(0.0, fact.until), 3)
            yield result


def _steps(call: LoggedCall, orders: Sequence[tuple[float, Action]]) -> Iterator[dict[str, Any]]:
    """A sound is told when it is over: what was typed in the midst of it began later."""
    began: float | None = None
    for at, fact in call.facts:
        match fact:
            case SpeechStarted():
                began = max(0.0, at - _ONSET_S)
            case SpeechStopped() if began is not None:
                hangover_s = _OVERLAP_HANGOVER_S if _has_reply(call, orders, at) else _HANGOVER_S
                length_s = max(_ONSET_S, at - hangover_s - began)
                yield {"at": round(began, 3), "noise": round(length_s, 3), "meanwhile": True}
                began = None
            case Typed(text) if text.strip():
                yield {"at": round(at, 3), "type": text}
            case Committed():
                yield {"at": round(at, 3), "commit": True}
            case Interrupted():
                yield {"at": round(at, 3), "interrupt": True}
            case _:
                pass
    if began is not None:  # the call ended in mid-speech
        ended = max((at for at, _ in call.facts), default=began)
        yield {"at": round(began, 3), "noise": round(max(_ONSET_S, ended - began), 3), "meanwhile": True}


def _has_reply(call: LoggedCall, orders: Sequence[tuple[float, Action]], at: float) -> bool:
    """Whether a reply had the floor then."""
    begun = {order.n for when, order in orders if when < at and isinstance(order, ReleaseReply)}
    begun |= {order.n for when, order in orders if when < at and isinstance(order, StartReply) and not order.draft}
    over = {order.n for when, order in orders if when < at and isinstance(order, InterruptReply | RetractReply)}
    over |= {fact.n for when, fact in call.facts if when < at and isinstance(fact, ReplyEnded)}
    return bool(begun - over)


def _answers(call: LoggedCall, orders: Sequence[tuple[float, Action]]) -> Iterator[dict[str, Any]]:
    """One for each turn that was answered, as long as the reply was."""
    word_s = timed("word")[0].end_s
    timings = {began: (until_heard, length) for began, until_heard, length in call.replies}
    begun = {order.n: at for at, order in orders if isinstance(order, StartReply)}
    for _, order in _decided(orders):
        until_heard, length = timings.get(begun[order.n], (0.5, 1.0))
        first_token = max(0.0, until_heard - _FIRST_AUDIO_S - _OVERHEAD_S)
        words = " ".join(["word"] * max(1, round(length / word_s)))
        yield {"say": f"{words}.", "first_token": round(first_token, 3), "tokens_per_second": 1000}


def _events(orders: Sequence[tuple[float, Action]]) -> Iterator[dict[str, Any]]:
    before = 0.0
    decided = {id(order) for _, order in _decided(orders)}
    for at, order in orders:
        event: dict[str, Any] = {}
        if id(order) in decided and isinstance(order, StartReply | ReleaseReply):
            event = {"event": "turn ended", "text": order.words}
        elif isinstance(order, InterruptReply):
            event = {"event": "reply interrupted"}
        if event:
            yield {**event, "within": round(at - before + _SLACK_S, 2)}
            before = at


def _decided(orders: Sequence[tuple[float, Action]]) -> Iterator[tuple[float, StartReply | ReleaseReply]]:
    """The orders by which a turn of the caller's was ended."""
    for at, order in orders:
        if isinstance(order, ReleaseReply) or (
            isinstance(order, StartReply) and not order.draft and order.cause is Cause.WORDS
        ):
            yield at, order
