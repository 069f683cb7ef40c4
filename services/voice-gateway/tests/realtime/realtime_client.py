"""A client of OpenAI's Realtime protocol made of a bare WebSocket, so that a test can send what no good client would.

Every event that comes is checked against the types of the `openai` package: what its users read must be there.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import aiohttp
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from waiting import Changes

Event = dict[str, Any]
_SERVER_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
OWN = "voice_workflow."


class RealtimeClient:
    """One connection. Reads everything at once."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.events: list[Event] = []
        self.changes = Changes()
        self.close_code: int | None = None
        self.socket = socket
        self._http = http
        self._sent = 0
        self._reader = asyncio.create_task(self._read(), name="realtime client")

    @classmethod
    async def connect(cls, port: int, query: str = "", **how: Any) -> "RealtimeClient":
        """Raises aiohttp.WSServerHandshakeError where no WebSocket is given."""
        http = aiohttp.ClientSession()
        try:
            socket = await http.ws_connect(f"http://127.0.0.1:{port}/v1/realtime{query}", **how)
        except BaseException:
            await http.close()
            raise
        return cls(http, socket)

    async def send(self, type_: str, **fields: Any) -> str:
        """An event; its id."""
        self._sent += 1
        event_id = f"client-{self._sent}"
        await self.socket.send_str(json.dumps({"type": type_, "event_id": event_id, **fields}))
        return event_id

    async def update(self, type_: str = "realtime", **session: Any) -> Event:
        """Change the session; what holds then."""
        before = len(self.of("session.updated"))
        await self.send("session.update", session={"type": type_, **session})
        await self.changes.until(lambda: len(self.of("session.updated")) > before, lambda: f"an update: {self.told()}")
        session_now: Event = self.of("session.updated")[-1]["session"]
        return session_now

    async def append(self, data: bytes, frame_bytes: int = 4_800) -> None:
        """Audio, frame by frame, as fast as it goes."""
        for first in range(0, len(data), frame_bytes):
            audio = base64.b64encode(data[first : first + frame_bytes]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def say_in_text(self, text: str) -> str:
        """A user message; its id."""
        await self.send("conversation.item.create", item=user_message(text))
        done = await self.expect("conversation.item.done", lambda event: _text(event["item"]) == text)
        item_id: str = done["item"]["id"]
        return item_id

    async def ask(self, **response: Any) -> None:
        """A response."""
        await self.send("response.create", **({"response": response} if response else {}))

    def of(self, type_: str) -> list[Event]:
        """All events of a type that came."""
        return [event for event in self.events if event["type"] == type_]

    def told(self) -> list[str]:
        """The types of all that came, in their order."""
        return [event["type"] for event in self.events]

    async def expect(self, type_: str, where: Callable[[Event], bool] = lambda event: True) -> Event:
        """The first event of this type that fits. Fails at once when the connection ends without it."""

        def look() -> list[Event]:
            found = [event for event in self.of(type_) if where(event)]
            assert found or self.close_code is None, f"no {type_}; closed with {self.close_code} after {self.told()}"
            return found

        return (await self.changes.until(look, lambda: f"{type_} after {self.told()}: {self.of('error')}"))[0]

    async def error(self, event_id: str) -> Event:
        """The error that answers the event of this id; its sentence says more than what went wrong."""
        event = await self.expect("error", lambda event: event["error"]["event_id"] == event_id)
        error: Event = event["error"]
        assert error["message"]
        return error

    async def done(self, n: int = 1) -> Event:
        """The nth response, once it is over."""
        await self.changes.until(lambda: len(self.of("response.done")) >= n, lambda: f"response {n}: {self.told()}")
        response: Event = self.of("response.done")[n - 1]["response"]
        return response

    def audio(self, response_id: str) -> bytes:
        """The audio of a response that came."""
        deltas = [event for event in self.of("response.output_audio.delta") if event["response_id"] == response_id]
        return b"".join(base64.b64decode(event["delta"]) for event in deltas)

    def transcript(self, response_id: str) -> str:
        """The text of a response that came."""
        kinds = ("response.output_audio_transcript.delta", "response.output_text.delta")
        return "".join(
            event["delta"] for event in self.events if event["type"] in kinds and event["response_id"] == response_id
        )

    async def closed(self) -> int:
        """The close code."""
        await self.changes.until(lambda: self.close_code is not None, lambda: f"the end after {self.told()}")
        assert self.close_code is not None
        return self.close_code

    async def closed_by_client(self) -> int:
        """Close politely; the code that the gateway answers with."""
        await self.socket.close()
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def close(self) -> None:
        """Be gone."""
        await self.socket.close()
        await asyncio.wait([self._reader])
        await self._http.close()

    async def _read(self) -> None:
        async for message in self.socket:
            event = json.loads(message.data)
            if not event["type"].startswith(OWN):
                _SERVER_EVENT.validate_python(event)
            self.events.append(event)
            self.changes.tell()
        self.close_code = self.socket.close_code
        self.changes.tell()


def user_message(text: str) -> Event:
    """An item."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def _text(item: Event) -> str:
    return "\n".join(part.get("text", "") for part in item.get("content", []))
