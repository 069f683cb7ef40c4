"""Which RPCs need no token, and what may they hold? Health and reflection: few at once, for a bounded time each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from voice_gateway.edges.grpc.status_reporter import StatusReporter
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.open_stream_limit import OpenStreamLimit
from voice_gateway.errors import BadRequest, VoiceError

_Handler = Any
"""grpc's RpcMethodHandler, which has no type."""


class UnauthenticatedMethods(grpc.aio.ServerInterceptor):
    """Bounds every RPC but those of `own_service`, which looks after itself."""

    def __init__(self, own_service: str, limits: Limits, start_timeout_s: float) -> None:
        self._own = f"/{own_service}/"
        self._limits = limits
        self._ending = StatusReporter()
        self._start_timeout_s = start_timeout_s
        self._checks = OpenStreamLimit(limits.max_checks, "health checks")
        self._watches = OpenStreamLimit(limits.max_watches, "streams of the health and reflection services")
        self._bounded: dict[str, _Handler] = {}
        """By method, as many as there are."""

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[_Handler]], handler_call_details: Any
    ) -> _Handler:
        """The handler of this RPC, found before any of its messages is read."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(self._own):
            return handler
        if method not in self._bounded:
            self._bounded[method] = self._bound(handler)
        return self._bounded[method]

    def _bound(self, handler: _Handler) -> _Handler:
        """On the wire every RPC is a stream each way: so none of its messages is read before its time."""
        is_stream = handler.request_streaming or handler.response_streaming
        places = self._watches if is_stream else self._checks

        async def serve(_: object, context: Any) -> None:
            try:
                async with places:
                    await self._serve(handler, context)
            except VoiceError as error:
                self._ending.end(context, error)

        return grpc.stream_stream_rpc_method_handler(serve, response_serializer=handler.response_serializer)

    async def _serve(self, handler: _Handler, context: Any) -> None:
        messages = self._messages(context, handler.request_deserializer)
        if handler.request_streaming:
            async for reply in handler.stream_stream(messages, context):
                await context.write(reply)
            return
        async for request in messages:
            if handler.response_streaming:
                await handler.unary_stream(request, context)
            else:
                await context.write(await handler.unary_unary(request, context))
            return

    async def _messages(self, context: Any, decode: Callable[[bytes], object]) -> AsyncIterator[object]:
        """Raises BadRequest for one that does not come in time, or is none."""
        while True:
            try:
                async with asyncio.timeout(self._start_timeout_s):
                    data = await context.read()
            except TimeoutError:
                raise BadRequest(f"nothing came within {self._start_timeout_s:g} s; send a request at once") from None
            if not isinstance(data, bytes):
                return
            try:
                message = decode(data)
            except DecodeError:
                raise BadRequest(f"{len(data)} bytes came that are no request of this method") from None
            yield message
