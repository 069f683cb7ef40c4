"""How do events come and go on a realtime socket? One JSON object a message, each read within a deadline."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from speech_server.errors import BadRequest, SpeechError, TooQuiet
from speech_server.openai_audio.endpoint_context import EndpointContext
from speech_server.openai_audio.transcriber import new_id

_TOLD = (WSMsgType.TEXT, WSMsgType.BINARY)
_CLOSED = "the client closed the connection"


class Connection:
    """One client's socket."""

    def __init__(self, context: EndpointContext, socket: web.WebSocketResponse, route: str) -> None:
        self._context = context
        self._socket = socket
        self._route = route
        self._ahead: WSMessage | None = None
        self.is_paused = True
        """Would a session elsewhere lack nothing?"""

    async def receive(self) -> dict[str, Any]:
        """The next event; one that can't be read is told, and passed over. Raises ConnectionResetError, TooQuiet."""
        limit_s = self._context.recognition.limits.idle_s
        while True:
            try:
                async with asyncio.timeout(limit_s):
                    message = self._ahead or await self._socket.receive()
            except TimeoutError:
                raise TooQuiet(f"No message came for {limit_s:g} s; send audio or text, or close.") from None
            self._ahead = None
            if message.type not in _TOLD:
                raise ConnectionResetError(_CLOSED)
            try:
                return _event(message.data)
            except SpeechError as error:
                await self.send_error(error)

    async def unless_closed(self, work: Coroutine[None, None, None]) -> None:
        """Do the work, one message read ahead. Raises ConnectionResetError, the work undone, when that is the close."""
        working = asyncio.create_task(work, name="realtime work")
        reading = asyncio.create_task(self._read_ahead(), name="realtime read ahead")
        try:
            await asyncio.wait({working, reading}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done() and self._ahead is not None and self._ahead.type not in _TOLD:
                raise ConnectionResetError(_CLOSED)
            await working
        finally:
            for task in (working, reading):
                task.cancel()
            await asyncio.wait({working, reading})

    async def _read_ahead(self) -> None:
        if self._ahead is None:
            self._ahead = await self._socket.receive()

    async def send_event(self, kind: str, **more: Any) -> None:
        """Send an event. Raises ConnectionError when the client is gone."""
        await self._socket.send_str(json.dumps({"event_id": new_id("event"), "type": kind, **more}))

    async def send_error(self, error: BaseException) -> None:
        """Send an error event; the client may be gone."""
        if not self._socket.closed:
            await self.send_event("error", **self._context.error_response(error, self._route).body())

    async def end(self, error: BaseException, code: int) -> None:
        """Say why, and close."""
        await self.send_error(error)
        await self._socket.close(code=code, message=b"the session has ended with an error")

    async def send_created(self) -> None:
        """The first event of every session."""
        await self.send_event(
            "conversation.created", conversation={"id": new_id("conv"), "object": "realtime.conversation"}
        )


def _event(data: str | bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The message is not JSON; send one event in each message.") from error
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise BadRequest("The message is not an event; send an object with a type.")
    return event
