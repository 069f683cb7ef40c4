"""What does a session's turn detection mean for the turn machine? Values of the wire to a policy, and back."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from voice_gateway.core.turn_policy import Policy
from voice_gateway.edges.realtime.refusals import invalid
from voice_gateway.edges.realtime.session_models import Detection, ServerVad

Eagerness = Literal["low", "medium", "high", "auto"]
_PARAM = "session.audio.input.turn_detection"
_PATIENCE: dict[Eagerness, float] = {"low": 2.0, "medium": 1.0, "auto": 1.0, "high": 0.5}
"""Times the operator's silences."""
_LONGEST_S: dict[Eagerness, float] = {"low": 8.0, "medium": 4.0, "auto": 4.0, "high": 2.0}
"""The longest silence that ends a turn, whatever its words: OpenAI's own."""
_FOR_EVER = 1_000_000
"""Idle prompts: a session that asks for them is not hung up."""
DEFAULT_PREFIX_MS = 300


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How turns end in a session."""

    kind: Literal["server_vad", "semantic_vad", "none"] = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = DEFAULT_PREFIX_MS
    silence_duration_ms: int | None = None
    """None = the operator's silences, which depend on the words."""
    idle_timeout_ms: int | None = None
    eagerness: Eagerness = "auto"
    create_response: bool = True
    interrupt_response: bool = True


def asked(wire: Detection | None, operators: TurnDetection, policy: Policy) -> TurnDetection:
    """What the client asks for; None = it says itself when a turn is over. Raises EventRefused."""
    if wire is None:
        return TurnDetection("none", operators.threshold, create_response=False, interrupt_response=False)
    creates = wire.create_response is not False
    interrupts = wire.interrupt_response is not False
    if not isinstance(wire, ServerVad):
        eagerness = wire.eagerness or "auto"
        return replace(
            operators, kind="semantic_vad", eagerness=eagerness, create_response=creates, interrupt_response=interrupts
        )
    threshold = operators.threshold if wire.threshold is None else wire.threshold
    if not policy.detects and threshold not in (0.5, operators.threshold):
        raise invalid(f"{_PARAM}.threshold", "this gateway has no voice activity detector (VAD); leave it out")
    if wire.idle_timeout_ms is not None and not policy.idle_tries:
        raise invalid(
            f"{_PARAM}.idle_timeout_ms", "this gateway has no idle prompt in the session's language; send null"
        )
    prefix = DEFAULT_PREFIX_MS if wire.prefix_padding_ms is None else wire.prefix_padding_ms
    return TurnDetection(
        "server_vad",
        threshold,
        prefix,
        wire.silence_duration_ms,
        wire.idle_timeout_ms,
        create_response=creates,
        interrupt_response=interrupts,
    )


def policy_of(detection: TurnDetection, operators: Policy) -> Policy:
    """What the turn machine goes by."""
    if detection.kind == "none":
        return replace(operators, decides=False, protects_replies=True, drafts=False, greets=False)
    changes: dict[str, Any] = {
        "decides": True,
        "protects_replies": not detection.interrupt_response,
        "drafts": operators.drafts and detection.create_response,
        "greets": False,
    }
    if detection.kind == "semantic_vad":
        changes |= _silences(detection.eagerness, operators)
    if detection.silence_duration_ms is not None:
        silence_s = detection.silence_duration_ms / 1000
        changes |= {"end_silence": silence_s, "complete_silence": silence_s}
        changes["max_silence"] = max(operators.max_silence, silence_s)
    if detection.idle_timeout_ms is not None:
        changes |= {"idle_after": detection.idle_timeout_ms / 1000, "idle_tries": _FOR_EVER}
    return replace(operators, **changes)


def _silences(eagerness: Eagerness, operators: Policy) -> dict[str, float]:
    """The operator's silences, longer or shorter.

    Example, end_silence = 0.15, incomplete_silence = 1.25: with "low" 0.3 and 2.5, with "high" 0.075 and 0.625."""
    factor, longest_s = _PATIENCE[eagerness], _LONGEST_S[eagerness]
    names = ("end_silence", "complete_silence", "incomplete_silence", "reading_silence", "max_silence")
    return {name: min(longest_s, factor * float(getattr(operators, name))) for name in names}


def shown(detection: TurnDetection, policy: Policy) -> dict[str, Any] | None:
    """As session.created and session.updated tell it; null = the client says itself when a turn is over."""
    answers = {
        "create_response": detection.create_response,
        "interrupt_response": detection.interrupt_response,
    }
    if detection.kind == "none":
        return None
    if detection.kind == "semantic_vad":
        return {"type": "semantic_vad", "eagerness": detection.eagerness, **answers}
    return {
        "type": "server_vad",
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "silence_duration_ms": round(policy.end_silence * 1000),
        "idle_timeout_ms": detection.idle_timeout_ms,
        **answers,
    }
