"""How long must a turn take? The simulated backends' own time stamps say; what comes on top, the gateway added.

    last speech frame ─ 200 ms of silence ─▶ asr.silence ─▶ asr.final   llm.request ─▶ token that shows the first
    phrase to be complete   tts.request ─▶ tts.first_chunk

A point may go on ("example.com", "Dr. Smith"): the token after it shows that it ends a phrase.

Turns are matched by their words: the scripted recogniser hears "caller 3 turn 5", the mini LLM says it back, and every
phrase sent to TTS that belongs to the turn holds it.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

TAG = re.compile(r"caller (\d+) turn (\d+)")
_SUMMARY = "Said since:\n"
"""In the gateway's request for a summary of a long call, which belongs to no turn."""


@dataclass(slots=True)
class TurnTimestamps:
    """One turn's time stamps, seconds of the machine's monotonic clock; tokens as (when, text so far)."""

    silence_at: float | None = None
    final_at: float | None = None
    asked_at: float | None = None
    asked: str = ""
    requests: int = 0
    """Chats that ended with this turn."""
    tokens: list[tuple[float, str]] = field(default_factory=list)
    llm_ended_at: float | None = None
    llm_end: str = ""
    phrases: list[tuple[float, str]] = field(default_factory=list)
    first_chunk_at: float | None = None


def tag_of(text: str) -> str | None:
    """The last turn named in a text."""
    found = TAG.findall(text)
    return "caller {} turn {}".format(*found[-1]) if found else None


def timestamps_by_tag(lines: Iterable[str]) -> dict[str, TurnTimestamps]:
    """The events of both simulators' timelines, in any order, by turn. Broken last lines are passed over."""
    timestamps: dict[str, TurnTimestamps] = {}
    tags: dict[int, str] = {}
    events = [event for line in lines if (event := _parsed(line))]
    for event in sorted(events, key=lambda event: float(str(event["t"]))):
        _note(event, timestamps, tags)
    return timestamps


def programmed_s(timestamps: TurnTimestamps, silence_s: float) -> float | None:
    """What the simulators made the turn take, from the last speech frame; None when a stamp is missing."""
    if not timestamps.phrases:
        return None
    spoken_at, phrase = timestamps.phrases[0]
    completed_at = _completed_at(timestamps, phrase)
    stamps = (timestamps.silence_at, timestamps.final_at, timestamps.asked_at, completed_at, timestamps.first_chunk_at)
    if any(stamp is None for stamp in stamps):
        return None
    silent_at, final_at, asked_at, done_at, chunk_at = (stamp for stamp in stamps if stamp is not None)
    return silence_s + (final_at - silent_at) + (done_at - asked_at) + (chunk_at - spoken_at)


def _completed_at(timestamps: TurnTimestamps, phrase: str) -> float | None:
    """When the tokens showed that `phrase` is complete, or the end of the reply did."""
    held = [(at, text) for at, text in timestamps.tokens if holds(text, phrase)]
    if phrase.endswith((".", ":")):
        behind = [at for at, text in held if "".join(text.split()) != "".join(phrase.split())]
        return behind[0] if behind else timestamps.llm_ended_at
    return held[0][0] if held else None


def holds(text: str, phrase: str) -> bool:
    """Does the text so far begin with the whole phrase? Spaces do not count."""
    return "".join(text.split()).startswith("".join(phrase.split()))


def _parsed(line: str) -> dict[str, object] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "t" in event and "event" in event else None


def _note(event: dict[str, object], timestamps: dict[str, TurnTimestamps], tags: dict[int, str]) -> None:
    at, name = float(str(event["t"])), str(event["event"])
    service = name.partition(".")[0]
    if service == "asr":
        tag: str | None = f"caller {event['stream']} turn {event['utterance']}"
    elif name == "llm.request":
        last = str(event["last"])
        tag = None if _SUMMARY in last else tag_of(last)
        if tag:
            tags[int(str(event["request"]))] = tag
    elif service == "llm":
        tag = tags.get(int(str(event["request"])))
    else:
        tag = tag_of(str(event["text"]))
    if tag:
        _stamp(timestamps.setdefault(tag, TurnTimestamps()), name, at, event)


def _stamp(turn: TurnTimestamps, name: str, at: float, event: dict[str, object]) -> None:
    match name:
        case "asr.silence":
            turn.silence_at = at
        case "asr.final":
            turn.final_at = at
        case "llm.request":
            turn.asked_at, turn.asked = at, str(event["last"])
            turn.requests += 1
        case "llm.token":
            turn.tokens.append((at, str(event["text"])))
        case "llm.ended":
            turn.llm_ended_at, turn.llm_end = at, str(event["reason"])
        case "tts.request":
            turn.phrases.append((at, str(event["text"])))
        case "tts.first_chunk" if turn.first_chunk_at is None:
            turn.first_chunk_at = at
