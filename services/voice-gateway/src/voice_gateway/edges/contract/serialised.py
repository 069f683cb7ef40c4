"""What came as serialised bytes? A message, or bytes that are none: then a sentence, not an exception inside a wire."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from voice_gateway.edges.contract.stream import Undecodable

M = TypeVar("M", bound=Message)


def decoder(type_: type[M]) -> Callable[[bytes], M | Undecodable]:
    """A deserialiser that never raises."""

    def decode(data: bytes) -> M | Undecodable:
        try:
            return type_.FromString(data)
        except DecodeError:
            sentence = (
                f"{len(data)} bytes came that are no {type_.DESCRIPTOR.full_name}; send messages made by the contract "
                "voice_workflow/v1/voice_workflow.proto"
            )
            return Undecodable(sentence, len(data))

    return decode
