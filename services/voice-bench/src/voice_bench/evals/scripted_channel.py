"""What does gRPC look like to the gateway where no network is? A channel whose server is a script, in the same loop."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health_pb2


class CallScript(Protocol):
    """The server's side of one call."""

    def take(self, request: Any) -> None:
        """A message of the gateway's."""

    def half_closed(self) -> None:
        """No more will come."""

    def over(self) -> None:
        """The call has ended, whoever ended it."""


class ScriptedServer(Protocol):
    """One server."""

    @property
    def trouble(self) -> "grpc.StatusCode | None":
        """What new calls and questions for its health end with; None = it serves."""

    async def well(self) -> None:
        """Return while it answers at all."""

    def begin(self, call: "ScriptedCall") -> CallScript:
        """A new call."""


class ScriptedCall:  # size: the methods of grpc.aio.StreamStreamCall that the gateway calls
    """The gateway's side of one call, as `grpc.aio.StreamStreamCall`."""

    def __init__(self, server: ScriptedServer) -> None:
        # Bounded by the script's length.
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._status: grpc.StatusCode | None = None
        self._listeners: list[Callable[[Any], None]] = []
        self._script: CallScript | None = None
        self._ended = asyncio.Event()
        if server.trouble:
            self.fail(server.trouble)
        else:
            self._script = server.begin(self)

    # ------------------------------------------------------------------------------- the script's side

    def answer(self, message: Any) -> None:
        """A message for the gateway."""
        if self._status is None:
            self._answers.put_nowait(message)

    def end(self) -> None:
        """All was said."""
        self._finish(grpc.StatusCode.OK, grpc.aio.EOF)

    def fail(self, code: grpc.StatusCode, details: str = "by the script") -> None:
        """The call breaks."""
        empty = grpc.aio.Metadata()
        self._finish(code, grpc.aio.AioRpcError(code, empty, empty, details))

    def _finish(self, code: grpc.StatusCode, last: Any) -> None:
        if self._status is not None:
            return
        self._status = code
        self._answers.put_nowait(last)
        self._ended.set()
        if self._script:
            self._script.over()
        for listener in self._listeners:
            asyncio.get_running_loop().call_soon(listener, self)

    # ------------------------------------------------------------------------------ the gateway's side

    async def write(self, request: Any) -> None:
        """As gRPC's."""
        if self._status is not None or self._script is None:
            raise asyncio.InvalidStateError("the call is over")
        self._script.take(request)

    async def done_writing(self) -> None:
        """As gRPC's."""
        if self._status is None and self._script is not None:
            self._script.half_closed()

    async def read(self) -> Any:
        """As gRPC's: a message or EOF; raises AioRpcError."""
        answer = await self._answers.get()
        if answer is grpc.aio.EOF or isinstance(answer, BaseException):
            self._answers.put_nowait(answer)  # whoever reads again gets the same
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def __aiter__(self) -> "ScriptedCall":
        return self

    async def __anext__(self) -> Any:
        message = await self.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message

    def cancel(self) -> bool:
        """As gRPC's."""
        was_open = self._status is None
        self._finish(grpc.StatusCode.CANCELLED, asyncio.CancelledError())
        return was_open

    def done(self) -> bool:
        """As gRPC's."""
        return self._status is not None

    def add_done_callback(self, listener: Callable[[Any], None]) -> None:
        """As gRPC's."""
        self._listeners.append(listener)
        if self._status is not None:
            asyncio.get_running_loop().call_soon(listener, self)

    async def code(self) -> grpc.StatusCode:
        """As gRPC's."""
        await self._ended.wait()
        assert self._status is not None, "it has ended"
        return self._status


class ScriptedChannel:
    """As `grpc.aio.Channel`, to one server."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    def stream_stream(self, method: str, **how: Any) -> Callable[[], ScriptedCall]:
        """As gRPC's."""
        return lambda: ScriptedCall(self._server)

    def unary_unary(self, method: str, **how: Any) -> Callable[..., Any]:
        """As gRPC's: only health is asked so."""

        async def ask(request: Any, **how: Any) -> health_pb2.HealthCheckResponse:
            await self._server.well()
            if self._server.trouble:
                empty = grpc.aio.Metadata()
                raise grpc.aio.AioRpcError(self._server.trouble, empty, empty, "by the script")
            return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

        return ask

    def unary_stream(self, method: str, **how: Any) -> None:
        """Calls of a stub that nobody makes here."""

    def stream_unary(self, method: str, **how: Any) -> None:
        """Calls of a stub that nobody makes here."""

    async def close(self) -> None:
        """Nothing is open."""
