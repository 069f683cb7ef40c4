"""The client library of the voice gateway and the `voice` command.

async with connect("localhost:50050", CallOptions(language="en-US")) as call:
    await call.say("What can you do?")
    async for event in call:
        ...
"""

from voice_client import quiet_grpc  # noqa: F401  # before grpc is imported
from voice_client.call import Call, connect
from voice_client.errors import BadRequest, Busy, CallFailed, CallLost, Refused, Unauthorised, Unreachable, VoiceError
from voice_client.events import (
    Dropped,
    Ended,
    Error,
    Event,
    GoAway,
    Latency,
    ReplyAudio,
    ReplyText,
    Started,
    ToolCall,
    ToolCallCancelled,
    Transcript,
    Turn,
    TurnEvent,
    Word,
)
from voice_client.info import server_info
from voice_client.options import CallOptions, Endpointing, Llm, Reconnect, Tls, Tool
from voice_client.playout import Played, Playout, Report

__all__ = [
    "BadRequest", "Busy", "Call", "CallFailed", "CallLost", "CallOptions", "Dropped", "Ended", "Endpointing", "Error",
    "Event", "GoAway", "Latency", "Llm", "Played", "Playout", "Reconnect", "Refused", "ReplyAudio", "ReplyText",
    "Report", "Started", "Tls", "Tool", "ToolCall", "ToolCallCancelled", "Transcript", "Turn", "TurnEvent",
    "Unauthorised", "Unreachable", "VoiceError", "Word", "connect", "server_info",
]  # fmt: skip
