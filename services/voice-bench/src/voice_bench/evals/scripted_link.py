"""How do a caller's messages travel where no network is? Late by as long as the scenario says, in order, or not at all.

The gateway's side of one stream looks like gRPC's context of a server.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb


class ScriptedLink:  # size: the caller's side and the methods of gRPC's context
    """One stream: what the gateway calls on its context, and the caller's side."""

    def __init__(self, delay_s: float, on_message: Callable[[pb.ServerMessage], None]) -> None:
        self._delay_s = delay_s
        self._on_message = on_message
        # Bounded by what a scenario sends.
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._held: deque[Callable[[], None]] | None = None
        """What waits while the link stands still; None = it does not."""
        self._under_way: deque[Callable[[], None]] = deque()
        self._is_down = False
        self.refusal = ""
        """The sentence that the stream ended with, where the gateway refused it."""

    # ------------------------------------------------------------------------------- the caller's side

    def send(self, message: pb.ClientMessage) -> None:
        """To the gateway."""
        self._travel(lambda: self._inbox.put_nowait(message))

    def stall(self) -> None:
        """Nothing gets through any more."""
        self._held = deque()

    def go_on(self) -> None:
        """All that waited gets through."""
        held, self._held = self._held or deque(), None
        for arrive in held:
            self._travel(arrive)

    def break_off(self) -> None:
        """The stream is gone, and with it what was on its way."""
        self._is_down = True

    def _travel(self, arrive: Callable[[], None]) -> None:
        if self._held is not None:
            self._held.append(arrive)
        elif self._delay_s:
            self._under_way.append(arrive)
            self._loop.call_later(self._delay_s, self._arrive)
        elif not self._is_down:
            arrive()

    def _arrive(self) -> None:
        """The oldest of what is under way: timers of the same moment come in any order."""
        arrive = self._under_way.popleft()
        if not self._is_down:
            arrive()

    # ------------------------------------------------------------------------------ the gateway's side

    async def read(self) -> Any:
        """As gRPC's."""
        return await self._inbox.get()

    async def write(self, message: pb.ServerMessage) -> None:
        """As gRPC's."""
        sent = pb.ServerMessage()
        sent.CopyFrom(message)
        self._travel(lambda: self._on_message(sent))

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """As gRPC's."""
        return ()

    def peer(self) -> str:
        """As gRPC's."""
        return "scenario"

    def auth_context(self) -> dict[str, list[bytes]]:
        """As gRPC's: no certificate was shown."""
        return {}

    def set_code(self, code: grpc.StatusCode) -> None:
        """As gRPC's."""

    def set_details(self, details: str) -> None:
        """As gRPC's."""
        self.refusal = details

    def set_trailing_metadata(self, trailer: Any) -> None:
        """As gRPC's."""
