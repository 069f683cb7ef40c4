"""What does a gRPC stream give voice_workflow.v1? Its messages, and one word for all ways to break."""

from typing import Any

import grpc
from google.protobuf.message import Message
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.contract.stream import StreamBroken, Undecodable


class GrpcStream:
    """The stream of one RPC. Implements `edges.contract.stream.ContractStream`. A stream that breaks ends its RPC's
    task, and reads like one that was half-closed until then."""

    def __init__(self, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        self._context = context

    async def read(self) -> Message | Undecodable | None:
        """The next message; None = half-closed, or broken."""
        message: object = await self._context.read()
        return message if isinstance(message, (Message, Undecodable)) else None

    async def write(self, message: pb.ServerMessage) -> None:
        """Send a message. Raises StreamBroken; never returns on a stream that is broken and reads like half-closed."""
        try:
            await self._context.write(message)
        except grpc.aio.BaseError as error:
            raise StreamBroken(str(error)) from None
