"""A WebSocket with the contract on it, seen like a call of gRPC's, so that the same stories run over every wire."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import grpc
from google.protobuf.json_format import MessageToJson, Parse
from voice_workflow.v1 import voice_workflow_pb2 as pb

_STATUS = {status.value[0]: status for status in grpc.StatusCode}


class WebSocketCall:
    """What `Caller` uses of a call: `write`, the messages that come, and how it ended."""

    def __init__(
        self,
        port: int,
        form: str,
        metadata: Sequence[tuple[str, str]],
        protocols: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1/converse"
        self._tls = tls
        self._form = form
        self._headers = dict(metadata)
        self._protocols = protocols or (f"voice_workflow.v1.{form}",)
        self._http: aiohttp.ClientSession | None = None
        self._opening: asyncio.Task[aiohttp.ClientWebSocketResponse] | None = None
        self.ws: aiohttp.ClientWebSocketResponse | None = None
        self._last_error: pb.Error | None = None
        self._cancelled = False

    async def open(self) -> aiohttp.ClientWebSocketResponse:
        """The WebSocket, once it is accepted."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect(), name="caller opens")
        return await asyncio.shield(self._opening)

    async def write(self, message: pb.ClientMessage) -> None:
        """Send a message."""
        ws = await self.open()
        with suppress(ConnectionError):
            if self._form == "json":
                await ws.send_str(MessageToJson(message))
            else:
                await ws.send_bytes(message.SerializeToString())

    async def write_bytes(self, data: bytes) -> None:
        """Send a frame that may hold no message at all."""
        ws = await self.open()
        with suppress(ConnectionError):
            await (ws.send_str(data.decode("latin-1")) if self._form == "json" else ws.send_bytes(data))

    async def done_writing(self) -> None:
        """Close in order; a WebSocket has no half of it."""
        await (await self.open()).close()

    def cancel(self) -> None:
        """Break the link: no close frame."""
        self._cancelled = True
        if self.ws is not None and (connection := self.ws._conn) is not None and connection.transport is not None:
            connection.transport.abort()

    async def __aiter__(self) -> AsyncIterator[pb.ServerMessage]:
        ws = await self.open()
        async for frame in ws:
            if frame.type is aiohttp.WSMsgType.TEXT:
                assert self._form == "json"
                message = Parse(frame.data, pb.ServerMessage())
            else:
                message = pb.ServerMessage.FromString(frame.data)
            if message.HasField("error"):
                self._last_error = message.error
            yield message

    async def code(self) -> grpc.StatusCode:
        """The status that the close code stands for."""
        code = self.ws.close_code if self.ws is not None else None
        if self._cancelled or code is None:
            return grpc.StatusCode.CANCELLED
        if code == aiohttp.WSCloseCode.OK:
            return grpc.StatusCode.OK
        return _STATUS.get(code - 4000, grpc.StatusCode.UNKNOWN)

    async def details(self) -> str:
        """The sentence of the last error, where the WebSocket ended with one."""
        refused = await self.code() not in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED)
        return self._last_error.message if refused and self._last_error else ""

    async def trailing_metadata(self) -> tuple[tuple[str, Any], ...]:
        """When to come back, as gRPC's trailer says it."""
        error = self._last_error
        return (("retry-after-ms", str(round(error.retry_after_s * 1000))),) if error and error.retryable else ()

    async def close(self) -> None:
        """Be gone."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._http is not None:
            await self._http.close()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        self._http = aiohttp.ClientSession(headers=self._headers)
        self.ws = await self._http.ws_connect(
            self._url, protocols=self._protocols, max_msg_size=0, ssl=self._tls or True
        )
        return self.ws
