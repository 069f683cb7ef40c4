"""How does a call come in? Its token first, then its messages, each decoded without an exception inside gRPC.

On the wire every method is a stream each way. Served so, nothing of a call is read before it may be: until then a peer
can make the server hold no more than a window of HTTP/2 flow control, 64 KiB a stream.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from speech_server.callers import Callers
from speech_server.core.requests.error_text import bounded
from speech_server.errors import BadRequest, Busy, SpeechError, Unauthorised
from speech_server.metrics import Metrics
from speech_server.riva.bounded_writes import BoundedWrites
from speech_server.riva.errors import RETRY_AFTER, CallEnded, status_of
from speech_server.riva.first_message_limit import FirstMessages

_OPEN = "/grpc.health.v1.Health/"
"""Probes have no token."""
_SENTENCE = "The bytes of the request are no message of this method; use stubs made from Riva's .proto files."
_NOTHING = "The call brought no message; send the request before half-closing it."
_log = logging.getLogger(__name__)
_Handler = Any
"""grpc's RpcMethodHandler, which has no type."""


class DecodeInterceptor(grpc.aio.ServerInterceptor):
    """Around every method of the server."""

    def __init__(self, callers: Callers | None, first: FirstMessages, unread_s: float, metrics: Metrics) -> None:
        """`unread_s`: a client that reads nothing for so long is let go."""
        self._callers = callers
        self._unread_s = unread_s
        self._metrics = metrics
        self._first = first
        self._bound: dict[str, _Handler] = {}
        """By method, as many as there are."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """The method's handler, found before any of its messages is read."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        if method not in self._bound:
            self._bound[method] = self._guarded(method, handler)
        return self._bound[method]

    def _guarded(self, method: str, handler: _Handler) -> _Handler:
        callers = None if method.startswith(_OPEN) else self._callers

        async def serve(_: object, context: Any) -> None:
            try:
                if callers is not None:
                    await _hold(callers, method, context)
                await self._serve(handler, BoundedWrites(context, self._unread_s))
            except CallEnded:
                return
            except SpeechError as error:
                rpc = method.rpartition("/")[2]
                self._metrics.refused(rpc, _end(rpc, context, error))

        return grpc.stream_stream_rpc_method_handler(serve, response_serializer=handler.response_serializer)

    async def _serve(self, handler: _Handler, context: Any) -> None:
        messages = self._messages(context, handler.request_deserializer)
        if handler.stream_stream is not None:
            answers = handler.stream_stream(messages, context)
            if isinstance(answers, AsyncIterator):
                async for answer in answers:
                    await context.write(answer)
            else:
                await answers
            return
        if hasattr(handler.unary_unary, READS_ITSELF):
            await context.write(await handler.unary_unary(lambda: _one(messages), context))
            return
        request = await _one(messages)
        if handler.unary_stream is not None:
            await handler.unary_stream(request, context)
        else:
            await context.write(await handler.unary_unary(request, context))

    async def _messages(self, context: Any, decode: Callable[[bytes], object]) -> AsyncIterator[object]:
        """Raises BadRequest for one that is none; TooQuiet and Busy instead of the first."""
        data = await self._first.read(context)
        while isinstance(data, bytes):
            try:
                message = decode(data)
            except DecodeError:
                raise BadRequest(_SENTENCE) from None
            del data
            yield message
            del message
            data = await context.read()


async def _hold(callers: Callers, method: str, context: Any) -> None:
    """Count the call as its caller's until gRPC has let go of it: an answer that is not read outlives its handler.

    Raises Unauthorised, Forbidden, Busy.
    """
    identity = await callers.identify(context.invocation_metadata() or (), method)
    held = ExitStack()
    held.enter_context(callers.holding(identity))
    context.add_done_callback(lambda _: held.close())


READS_ITSELF = "reads_itself"


def reads_itself(method: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a unary method that is given a reader in place of its request, to read it when it has a place."""
    setattr(method, READS_ITSELF, True)
    return method


async def _one(messages: AsyncIterator[Any]) -> Any:
    async for message in messages:
        return message
    raise BadRequest(_NOTHING)


def _end(rpc: str, context: Any, error: SpeechError) -> str:
    """Set the status; its name. Not `abort`: gRPC keeps its exception, and with it the call's frames."""
    code = status_of(error)
    sentence = bounded(str(error))
    level = logging.DEBUG if isinstance(error, Unauthorised) else logging.INFO
    _log.log(level, "%s refused: %s: %s", rpc, code.name, sentence)
    context.set_code(code)
    context.set_details(sentence)
    if isinstance(error, Busy):
        context.set_trailing_metadata(((RETRY_AFTER, str(error.retry_after_ms)),))
    return code.name
