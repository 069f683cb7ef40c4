"""What came over the wire? A message, or bytes that are none: then a sentence, not an exception inside gRPC."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.grpc.status import status
from voice_gateway.errors import BadRequest, VoiceError

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)


class Undecodable:
    """Bytes that are no message of the type that was due."""

    def __init__(self, type_name: str, size: int) -> None:
        self.size = size
        self._sentence = (
            f"{size} bytes came that are no {type_name}; send messages made by the contract "
            "voice_workflow/v1/voice_workflow.proto"
        )

    @property
    def error(self) -> BadRequest:
        """What its sender is told."""
        return BadRequest(self._sentence)


def decoder(type_: type[M]) -> Callable[[bytes], M | Undecodable]:
    """A deserialiser that never raises."""

    def decode(data: bytes) -> M | Undecodable:
        try:
            return type_.FromString(data)
        except DecodeError:
            return Undecodable(type_.DESCRIPTOR.full_name, len(data))

    return decode


class StatusReporter:
    """How RPCs end that are refused: with a status, and a line in the log, of a flood a few."""

    def __init__(self) -> None:
        self._lines = TokenBucket(per_s=2.0, burst=50)

    def end(self, context: "grpc.aio.ServicerContext[Any, Any]", error: VoiceError) -> None:
        """The status the RPC ends with. Not `abort`: gRPC keeps its exception, and with it the call's frames."""
        if not self._lines.take(asyncio.get_running_loop().time()):
            log.info("an RPC ends with an error", extra={"peer": context.peer(), "sentence": str(error)})
        code, trailer = status(error)
        context.set_code(code)
        context.set_details(str(error))
        context.set_trailing_metadata(trailer)
