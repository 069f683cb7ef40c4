"""What does a frame hold? A message as text, in protobuf's JSON mapping, or serialised; the subprotocol says which."""

import json
from typing import Protocol

from aiohttp import WSMsgType
from google.protobuf.json_format import MessageToDict, Parse, ParseError
from google.protobuf.message import Message
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.contract.serialised import decoder
from voice_gateway.edges.contract.stream import Undecodable

_MAX_REASON_CHARS = 200


class Frames(Protocol):
    """One of the two forms."""

    subprotocol: str
    type: WSMsgType
    """Of its frames."""

    def decode(self, data: str | bytes) -> Message | Undecodable:
        """The message in a frame of that type. Never raises."""

    def encode(self, message: pb.ServerMessage) -> str | bytes:
        """The frame of a message."""


class JsonFrames:
    """Text frames."""

    subprotocol = "voice_workflow.v1.json"
    type = WSMsgType.TEXT

    def decode(self, data: str | bytes) -> Message | Undecodable:
        """The message in a text frame."""
        try:
            return Parse(data, pb.ClientMessage())
        except (ParseError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())[:_MAX_REASON_CHARS]
            return Undecodable(
                f"a text frame of {len(data)} characters is no {pb.ClientMessage.DESCRIPTOR.full_name} in protobuf's "
                f"JSON mapping: {reason}",
                len(data),
            )

    def encode(self, message: pb.ServerMessage) -> str:
        """A text frame."""
        return json.dumps(MessageToDict(message), ensure_ascii=False, separators=(",", ":"))


class ProtoFrames:
    """Binary frames."""

    subprotocol = "voice_workflow.v1.proto"
    type = WSMsgType.BINARY

    def __init__(self) -> None:
        self._decode = decoder(pb.ClientMessage)

    def decode(self, data: str | bytes) -> Message | Undecodable:
        """The message in a binary frame."""
        assert isinstance(data, bytes), "a frame of its type"
        return self._decode(data)

    def encode(self, message: pb.ServerMessage) -> bytes:
        """A binary frame."""
        return message.SerializeToString()


FORMS: tuple[Frames, ...] = (JsonFrames(), ProtoFrames())
"""The first is that of a client which asks for none."""


def wrong_type(frames: Frames, data: str | bytes) -> Undecodable:
    """A frame of the other type came."""
    wanted, other = ("text", "binary") if frames.type is WSMsgType.TEXT else ("binary", "text")
    names = " or ".join(form.subprotocol for form in FORMS if form is not frames)
    return Undecodable(
        f"a {other} frame came, and this WebSocket speaks {frames.subprotocol}; send {wanted} frames, or open it with "
        f"the subprotocol {names}",
        len(data),
    )
