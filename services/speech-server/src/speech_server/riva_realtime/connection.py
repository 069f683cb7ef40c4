"""How do events come and go on a realtime socket? One JSON object a message, each read within a deadline."""

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from speech_server.errors import BadRequest, SpeechError, TooQuiet
from speech_server.openai_audio.edge import Edge
from speech_server.openai_audio.transcriber import new_id

MOST_MESSAGE_BYTES = 16 << 20


class Connection:
    """One client's socket."""

    def __init__(self, edge: Edge, socket: web.WebSocketResponse, route: str) -> None:
        self._edge = edge
        self._socket = socket
        self._route = route
        self.is_paused = True
        """Would a session elsewhere lack nothing?"""

    async def receive(self) -> dict[str, Any]:
        """The next event; one that can't be read is told, and passed over. Raises ConnectionResetError, TooQuiet."""
        limit_s = self._edge.listening.limits.idle_s
        while True:
            try:
                async with asyncio.timeout(limit_s):
                    message = await self._socket.receive()
            except TimeoutError:
                raise TooQuiet(f"No message came for {limit_s:g} s; send audio or text, or close.") from None
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                raise ConnectionResetError("the client closed the connection")
            try:
                return _event(message.data)
            except SpeechError as error:
                await self.tell_error(error)

    async def tell(self, kind: str, **more: Any) -> None:
        """Send an event. Raises ConnectionError when the client is gone."""
        await self._socket.send_str(json.dumps({"event_id": new_id("event"), "type": kind, **more}))

    async def tell_error(self, error: BaseException) -> None:
        """Send an error event; the client may be gone."""
        if not self._socket.closed:
            await self.tell("error", **self._edge.refusal(error, self._route).body())

    async def end(self, error: BaseException, code: int) -> None:
        """Say why, and close."""
        await self.tell_error(error)
        await self._socket.close(code=code, message=b"the session has ended with an error")

    async def tell_created(self) -> None:
        """The first event of every session."""
        await self.tell("conversation.created", conversation={"id": new_id("conv"), "object": "realtime.conversation"})


def _event(data: str | bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The message is not JSON; send one event a message.") from error
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise BadRequest("The message is not an event; send an object with a type.")
    return event
