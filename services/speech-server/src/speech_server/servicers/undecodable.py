"""What meets a request whose bytes are no message? INVALID_ARGUMENT; gRPC's own answer would blame the server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from speech_server.errors import BadRequest

_OURS = "/nvidia.riva."
_SENTENCE = "The bytes of the request are no message of this method; use stubs made from Riva's .proto files."
_BROKEN = object()


class Undecodable(grpc.aio.ServerInterceptor):
    """Around every method of the Riva services."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method's handler, with a decoder that does not raise."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(_OURS):
            return handler
        decoder = _lenient(handler.request_deserializer)
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                _streaming(handler.stream_stream), decoder, handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(_unary(handler.unary_unary), decoder, handler.response_serializer)


def _lenient(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def decoded(message: bytes) -> Any:
        try:
            return decode(message)
        except DecodeError:
            return _BROKEN

    return decoded


def _unary(serve: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def served(request: Any, context: Any) -> Any:
        if request is _BROKEN:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _SENTENCE)
        return await serve(request, context)

    return served


def _streaming(serve: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def served(requests: AsyncIterator[Any], context: Any) -> Any:
        return await serve(_whole(requests), context)

    return served


async def _whole(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        if request is _BROKEN:
            raise BadRequest(_SENTENCE)
        yield request
