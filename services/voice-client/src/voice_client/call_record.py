"""What was said, answered and measured during a call?"""

from dataclasses import dataclass, field
from typing import Any

from voice_client.events import (
    Ended,
    Error,
    Event,
    GoAway,
    Latency,
    ReplyAudio,
    ReplyText,
    Transcript,
    Turn,
    TurnEvent,
)
from voice_client.playout import Played

LATENCIES = (
    "asr_final_latency",
    "endpointing_delay",
    "llm_ttft",
    "first_phrase_delay",
    "tts_ttfb",
    "gateway_response_latency",
    "voice_to_voice",
    "barge_in_stop",
)
"""Names of the latencies, as every service uses them, in the order of a turn."""


@dataclass(slots=True)
class CallRecord:
    """Fills up while a call lasts; `speech_sent` and `played` carry the caller's own clock."""

    finals: list[Transcript] = field(default_factory=list)
    replies: dict[int, str] = field(default_factory=dict)
    latencies: list[Latency] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    ended: Ended | None = None
    """How the gateway ended the call, if it did."""
    audio: bytearray = field(default_factory=bytearray)
    """Reply audio that was heard, without the silence between replies."""
    voice_to_voice: dict[int, float] = field(default_factory=dict)
    """Reply -> seconds from the last speech sample sent to the first audible sample heard."""
    _speech_at: float | None = None
    _turn_t0: dict[int, float] = field(default_factory=dict)
    _turn_of: dict[int, int] = field(default_factory=dict)

    def speech_sent(self, now: float) -> None:
        """A frame with the caller's speech left at `now`."""
        self._speech_at = now

    def observe(self, event: Event) -> None:
        """Learns from an event of the call."""
        match event:
            case Transcript(final=True) if event.text:
                self.finals.append(event)
            case ReplyText():
                self.replies[event.reply] = self.replies.get(event.reply, "") + event.delta
            case Latency():
                self.latencies.append(event)
            case Error():
                self.errors.append(event)
            case Ended():
                self.ended = event
            case TurnEvent(kind=Turn.TURN_ENDED) if self._speech_at is not None:
                # T0 is what was sent before the turn ended: later speech belongs to the next turn.
                self._turn_t0[event.turn] = self._speech_at
            case TurnEvent(kind=Turn.REPLY_STARTED):
                self._turn_of[event.reply] = event.turn
            case TurnEvent(kind=Turn.REPLY_ENDED) if len(event.text) >= len(self.replies.get(event.reply, "").strip()):
                # Of a reply that could not be spoken to its end, the text that came before says more.
                self.replies[event.reply] = event.text
            case TurnEvent(kind=Turn.REPLY_RETRACTED):
                self.replies.pop(event.reply, None)
            case _:
                pass

    def played(self, played: Played) -> None:
        """A device made `played` heard."""
        self.audio += played.pcm16[: played.heard_bytes]
        for reply, at in played.audible:
            t0 = self._turn_t0.get(self._turn_of.get(reply, 0))
            if t0 is not None:
                self.voice_to_voice[reply] = at - t0

    @property
    def transcript(self) -> str:
        """All final words."""
        return " ".join(final.text for final in self.finals)

    @property
    def reply(self) -> str:
        """All replies, one after another."""
        return " ".join(text.strip() for _, text in sorted(self.replies.items()) if text.strip())

    def missing(self, *, typed: bool) -> str:
        """What a call that went well would have; "" = nothing."""
        if not typed and not self.finals:
            return "no transcript came from the gateway"
        if not self.reply:
            return "no reply came from the gateway"
        if not self.audio:
            return "no audio of the reply came from the gateway"
        return "the gateway reported an error" if self.errors else ""

    @property
    def troubles(self) -> list[str]:
        """Why something may be missing, in the gateway's words."""
        by_us = self.ended is None or self.ended.reason == "caller_ended"
        last = [] if by_us or self.ended is None else [ended_by_gateway(self.ended)]
        return [*(error.message for error in self.errors), *last]

    @property
    def turns(self) -> list[dict[str, float | int]]:
        """Latencies of every answered turn in seconds, the caller's own voice_to_voice in place of the reported."""
        rows: list[dict[str, float | int]] = []
        for latency in self.latencies:
            row: dict[str, float | int] = {"turn": latency.turn, "reply": latency.reply}
            for name in LATENCIES:
                value = getattr(latency, name)
                if value is not None:
                    row[name] = value
            if latency.reply in self.voice_to_voice:
                row["voice_to_voice"] = self.voice_to_voice[latency.reply]
            rows.append(row)
        told = {latency.reply for latency in self.latencies}
        for reply, seconds in self.voice_to_voice.items():
            if reply not in told:
                rows.append({"turn": self._turn_of[reply], "reply": reply, "voice_to_voice": seconds})
        return rows


def ended_by_gateway(ended: Ended) -> str:
    """One sentence for a call that somebody else ended."""
    return f"the gateway ended the call ({ended.reason.replace('_', ' ')}): {ended.message or 'it gave no reason'}"


_GO_AWAY_REASONS = {
    "draining": "the gateway shuts down",
    "max_duration": "the call reached the longest duration that is allowed",
    "rebalance": "calls are distributed again",
}


def go_away_sentence(away: GoAway) -> str:
    """What GoAway means to a person."""
    why = _GO_AWAY_REASONS.get(away.reason, away.reason)
    if away.followed:
        return f"{why}; the call moves to {away.target or 'another gateway at the same address'}"
    return f"{why}: this call ends within {away.deadline_s:g} s; call again then"


def event_fields(event: Event) -> dict[str, Any]:
    """`event` for machines: "event" names it; audio is told by its length, not carried."""
    if isinstance(event, ReplyAudio):
        return {"event": "reply_audio", "reply": event.reply, "offset": event.offset, "bytes": len(event.pcm16)}
    return {"event": _NAMES.get(type(event).__name__, type(event).__name__.lower()), **_fields(event)}


_NAMES = {"TurnEvent": "turn", "ReplyText": "reply_text", "ToolCall": "tool_call", "GoAway": "go_away"} | {
    "ToolCallCancelled": "tool_call_cancelled"
}


def _fields(value: Any) -> dict[str, Any]:
    return {name: _plain_value(getattr(value, name)) for name in value.__dataclass_fields__}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Turn):
        return value.name.lower()
    if hasattr(value, "encoding"):
        return {"encoding": value.encoding.value, "rate_hz": value.rate_hz}
    if isinstance(value, tuple):
        return [_fields(item) for item in value]
    return value
