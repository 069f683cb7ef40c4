"""What does a fuzzer send to a gateway? What is valid, broken, or out of order; a seed always gives the same."""

import base64
import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from voice_workflow.v1 import voice_workflow_pb2 as pb

_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 7, 1e308, 10**40, "", "x", "a" * 2000, "\x00", "\u202e", [], {}, [[]], [None], {"a": {"b": []}},
    "realtime", "audio/pcm", "server_vad", "semantic_vad", "message", "user", "function_call_output", "item_1", "inf",
)  # fmt: skip
_IDS = ("item_1", "item_2", "call_1", "tool-1", "tool-2", "resp_x", "", "x" * 200)
_TRANSCRIPTION: tuple[dict[str, Any], ...] = (
    {"type": "audio", "audio": base64.b64encode(bytes(640)).decode()},
    {"type": "flush"},
    {"type": "flush"},
    {"type": "audio", "audio": ""},
)
_FORMATS = ({"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}, {"type": "opus"})
_DETECTIONS: tuple[Any, ...] = (
    None, {"type": "server_vad"}, {"type": "semantic_vad", "eagerness": "high"}, {"type": "server_vad", "threshold": 3},
    {"type": "server_vad", "create_response": False}, {"type": "server_vad", "interrupt_response": False},
)  # fmt: skip


def realtime_event(rng: random.Random) -> str:
    """One message of a Realtime client; one in five has a field that is wrong, one in ten is broken text."""
    event = deepcopy(rng.choice(_EVENTS)(rng))
    if rng.random() < 0.2:
        _spoil(event, rng)
    text = json.dumps(event)
    if rng.random() < 0.1:
        at = rng.randrange(len(text))
        text = rng.choice((text[:at], text[at:], text[:at] + "\\ud800" + text[at:], text + text, "[" * 3000))
    return text


def transcription_message(rng: random.Random) -> str | bytes:
    """One message of a client of the transcription WebSocket, which ends with the first bad one: 19 of 20 are none."""
    if rng.random() < 0.6:
        return _audio(rng)
    event = deepcopy(rng.choice(_TRANSCRIPTION))
    if rng.random() < 0.1:
        _spoil(event, rng)
    text = json.dumps(event)
    return text[: rng.randrange(len(text))] if rng.random() < 0.02 else text


def contract_message(rng: random.Random) -> bytes:
    """One serialised message of voice_workflow.v1 after the first; one in ten is broken."""
    message = rng.choice(_MESSAGES)(rng)
    if rng.random() < 0.3:
        message.seq, message.ack = rng.choice((1, 2, 7, 10**9, 2**63)), rng.choice((0, 1, 10**9))
    data: bytes = message.SerializeToString()
    if rng.random() < 0.1:
        at = rng.randrange(len(data) + 1)
        data = rng.choice((data[:at], data[at:] + data[:at], rng.randbytes(rng.randrange(1, 60))))
    return data


def _spoil(value: Any, rng: random.Random) -> None:
    """Put something else in place of a part, at any depth."""
    while isinstance(value, dict | list) and value:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if rng.random() < 0.4 or not isinstance(value[key], dict | list) or not value[key]:
            if isinstance(value, dict) and rng.random() < 0.3:
                value[rng.choice(("nonsense", "type", "id", "item"))] = deepcopy(rng.choice(_VALUES))
            else:
                value[key] = deepcopy(rng.choice(_VALUES))
            return
        value = value[key]


def _audio(rng: random.Random) -> bytes:
    size = rng.choice((0, 1, 2, 480, 960, 1920, 4800))
    return rng.randbytes(size) if rng.random() < 0.3 else bytes(size)


def _update(rng: random.Random) -> dict[str, Any]:
    session: dict[str, Any] = {
        "type": rng.choice(("realtime", "realtime", "transcription")),
        "audio": {
            "input": {"format": rng.choice(_FORMATS), "turn_detection": rng.choice(_DETECTIONS)},
            "output": {"format": rng.choice(_FORMATS), "voice": rng.choice(("alloy", "", "x" * 200))},
        },
    }
    if rng.random() < 0.5:
        session["instructions"] = rng.choice(("Be brief.", "", "x" * 20_000))
        session["output_modalities"] = rng.choice((["audio"], ["text"], ["text", "audio"], []))
        session["tools"] = [{"type": "function", "name": rng.choice(("look_up", "", "§"))}] * rng.randrange(3)
        session["tool_choice"] = rng.choice(("auto", "none", "required", {"type": "function", "name": "look_up"}))
    return {"type": "session.update", "session": session}


def _append(rng: random.Random) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(_audio(rng)).decode()}


def _bare(rng: random.Random) -> dict[str, Any]:
    kinds = ("input_audio_buffer.commit", "input_audio_buffer.clear", "response.cancel", "output_audio_buffer.clear")
    return {"type": rng.choice((*kinds, "nonsense", "response.audio.delta"))}


def _create(rng: random.Random) -> dict[str, Any]:
    role = rng.choice(("user", "assistant", "system"))
    kind = {"user": "input_text", "system": "input_text", "assistant": "output_text"}[role]
    items = (
        {"type": "message", "role": role, "content": [{"type": kind, "text": rng.choice(("Hello.", "", "?" * 999))}]},
        {"type": "function_call_output", "call_id": rng.choice(_IDS), "output": "done"},
    )
    event: dict[str, Any] = {"type": "conversation.item.create", "item": dict(rng.choice(items))}
    if rng.random() < 0.3:
        event["item"]["id"] = rng.choice(_IDS)
    if rng.random() < 0.2:
        event["previous_item_id"] = rng.choice((*_IDS, "root"))
    return event


def _item(rng: random.Random) -> dict[str, Any]:
    event = {"type": f"conversation.item.{rng.choice(('delete', 'retrieve', 'truncate'))}", "item_id": rng.choice(_IDS)}
    if event["type"].endswith("truncate"):
        return {**event, "content_index": rng.choice((0, 0, 1)), "audio_end_ms": rng.choice((0, 1, 500, -1, 10**12))}
    return event


def _respond(rng: random.Random) -> dict[str, Any]:
    response: dict[str, Any] = {}
    if rng.random() < 0.5:
        response = {
            "output_modalities": ["text"],
            "metadata": {"a": "b"},
            "max_output_tokens": rng.choice((1, 0, "inf")),
        }
    return {"type": "response.create", "response": response}


def _start(rng: random.Random) -> pb.ClientMessage:
    return pb.ClientMessage(start=pb.SessionStart(language=rng.choice(("", "en-US", "tlh"))))


def _sound(rng: random.Random) -> pb.ClientMessage:
    first = rng.choice((0, 0, 0, 7, 2**40))
    return pb.ClientMessage(audio=pb.Audio(data=_audio(rng), first_sample=first))


def _report(rng: random.Random) -> pb.ClientMessage:
    numbers = (0, 1, 2, 2**31, 2**40)
    report = pb.PlayoutReport(
        reply=rng.choice(numbers[:4]), samples_played=rng.choice(numbers), final=rng.random() < 0.5
    )
    report.input_sample = rng.choice(numbers)
    return pb.ClientMessage(playout=report)


def _order(rng: random.Random) -> pb.ClientMessage:
    return rng.choice(
        (
            pb.ClientMessage(commit=pb.CommitTurn()),
            pb.ClientMessage(interrupt=pb.Interrupt()),
            pb.ClientMessage(text=pb.Text(text=rng.choice(("", " ", "Hello.", "x" * 20_000)))),
            pb.ClientMessage(tool_result=pb.ToolResult(id=rng.choice(_IDS), content="done")),
            pb.ClientMessage(),
        )
    )


def _change(rng: random.Random) -> pb.ClientMessage:
    update = pb.SessionUpdate(system_prompt=rng.choice(("", "Be brief.", "x" * 20_000)))
    update.endpointing.end_silence_s = rng.choice((0.1, -1.0, float("nan"), 99.0))
    return pb.ClientMessage(update=update)


_EVENTS: tuple[Callable[[random.Random], dict[str, Any]], ...] = (
    _update, _append, _append, _append, _bare, _bare, _create, _create, _item, _respond,
)  # fmt: skip
_MESSAGES: tuple[Callable[[random.Random], pb.ClientMessage], ...] = (
    _start, _sound, _sound, _sound, _report, _order, _order, _change,
)  # fmt: skip
