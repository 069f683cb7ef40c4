"""How is a message written to one stream? One at a time, within a limit, and never cut off amid a write."""

import asyncio

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.contract.stream import ContractStream
from voice_gateway.edges.held_call import HeldCall


class StreamWriter:
    """Writes to one stream until another one replaces it. It never stops amid a write: gRPC could send no status."""

    def __init__(self, call: HeldCall, stream: ContractStream) -> None:
        self.task: asyncio.Task[None] | None = None
        """The one that writes what the call tells."""
        self._call = call
        self._stream = stream
        self._turn = asyncio.Lock()
        self._is_replaced = False

    async def write(self, message: pb.ServerMessage, seq: int = 0) -> None:
        """Number and send a message; without `seq` it is no event of the call. Raises TimeoutError when the caller does
        not read, StreamBroken or CancelledError when the stream is broken, CancelledError once it is replaced."""
        async with self._turn:
            message.seq = seq
            message.ack = self._call.last_seq
            message.input_samples_consumed = self._call.audio.input.consumed_samples
            async with asyncio.timeout(self._call.limits.max_unread_s):
                await self._stream.write(message)
        if self._is_replaced:
            self._stop()
            raise asyncio.CancelledError

    def replaced(self) -> None:
        """Another stream carries the call."""
        self._is_replaced = True
        if not self._turn.locked():
            self._stop()

    def _stop(self) -> None:
        if self.task:
            self.task.cancel()
