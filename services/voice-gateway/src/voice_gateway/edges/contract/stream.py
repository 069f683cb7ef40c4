"""What does a wire give voice_workflow.v1? A stream that messages are read from and written to."""

from typing import Protocol

from google.protobuf.message import Message
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.errors import BadRequest


class StreamBroken(Exception):
    """The stream carries nothing any more, and nobody has ended the call: its caller may come back on another one."""


class Undecodable:
    """Something came that is no message of the type that was due."""

    def __init__(self, sentence: str, size: int) -> None:
        self.size = size
        self._sentence = sentence

    @property
    def error(self) -> BadRequest:
        """What its sender is told."""
        return BadRequest(self._sentence)


class ContractStream(Protocol):
    """One stream of a caller's."""

    async def read(self) -> Message | Undecodable | None:
        """The next message; None = the caller sends nothing more, as far as can be told. Raises StreamBroken."""

    async def write(self, message: pb.ServerMessage) -> None:
        """Send a message; returns when the wire takes more. Raises StreamBroken."""
