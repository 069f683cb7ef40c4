"""A client of the transcription WebSocket that a test plays: it keeps every message."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from lab import Lab
from waiting import Changes

PATH = "/v1/transcribe"


class Transcriber:
    """One WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self._changes = Changes()
        self._reader: asyncio.Task[None] | None = None

    async def start(self, **options: Any) -> dict[str, Any]:
        """Begin; gives `started`."""
        await self.say(type="start", **options)
        return await self.expect("started")

    async def say(self, **message: Any) -> None:
        """A message of text."""
        await self.socket.send_str(json.dumps(message))

    async def audio(self, data: bytes) -> None:
        """A binary message."""
        await self.socket.send_bytes(data)

    async def expect(self, type_: str, n: int = 1) -> dict[str, Any]:
        """The nth message of a type, once it has come."""
        await self._changes.until(
            lambda: len(self.of(type_)) >= n, lambda: f"message {n} of type {type_} among {self.messages}"
        )
        return self.of(type_)[n - 1]

    async def ended(self) -> tuple[dict[str, Any], int]:
        """The last message and the close code."""
        await self._changes.until(lambda: self.socket.closed, lambda: f"the close after {self.messages}")
        return self.messages[-1] if self.messages else {}, self.socket.close_code or 0

    def of(self, type_: str) -> list[dict[str, Any]]:
        """All messages of a type."""
        return [message for message in self.messages if message["type"] == type_]

    def listen(self) -> None:
        """Read from now on."""
        self._reader = asyncio.create_task(self._read(), name="transcriber")

    async def close(self) -> None:
        """Be gone."""
        await self.socket.close()
        if self._reader:
            await self._reader

    async def _read(self) -> None:
        async for message in self.socket:
            self.messages.append(json.loads(message.data))
            self._changes.tell()
        self._changes.tell()


@asynccontextmanager
async def transcriber(
    there: Lab,
    *,
    query: str = "",
    token: str = "",
    tls: ssl.SSLContext | None = None,
    reads: bool = True,
    protocols: tuple[str, ...] = (),
) -> AsyncGenerator[Transcriber, None]:
    """A WebSocket that was accepted. Raises aiohttp.WSServerHandshakeError otherwise."""
    scheme = "wss" if tls else "ws"
    host = "localhost" if tls else "127.0.0.1"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as http:
        socket = await http.ws_connect(
            f"{scheme}://{host}:{there.web_port}{PATH}{query}", ssl=tls or True, protocols=protocols
        )
        client = Transcriber(socket)
        if reads:
            client.listen()
        try:
            yield client
        finally:
            await client.close()


async def refusal(there: Lab, *, query: str = "", token: str = "") -> tuple[int, str]:
    """Status and sentence of a WebSocket that is not accepted."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    if token:
        headers["Authorization"] = f"Bearer {token}"
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{there.web_port}{PATH}{query}", headers=headers) as answer,
    ):
        if answer.status == 101:
            answer.close()
            return 101, ""
        return answer.status, (await answer.json())["error"]["message"]
