"""The server of the OpenAI endpoints' tests, and a client of NVIDIA's realtime sessions."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from openai_audio.conftest import Call, call, start_server

__all__ = ["Call", "Talk", "call", "start_server", "talking"]

TRANSCRIBE = "/v1/realtime?intent=transcription"
SPEAK = "/v1/realtime?intent=synthesize"


class Talk:
    """A session as a client sees it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, kind: str, **more: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **more}))

    async def append(self, pcm16: bytes, **more: Any) -> None:
        await self.say("input_audio_buffer.append", audio=base64.b64encode(pcm16).decode(), **more)
        await self.say("input_audio_buffer.commit")

    async def hear(self, until: str) -> list[dict[str, Any]]:
        """Events up to the first of this type."""
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != until:
            message = await self.socket.receive(timeout=5)
            assert message.type is aiohttp.WSMsgType.TEXT, (message, events)
            events.append(json.loads(message.data))
        return events

    async def refused(self) -> dict[str, Any]:
        error = (await self.hear("error"))[-1]["error"]
        assert isinstance(error, dict)
        return error


@asynccontextmanager
async def talking(session: aiohttp.ClientSession, path: str) -> AsyncIterator[Talk]:
    """As NVIDIA's client does: open a session, then its socket with the secret."""
    kind = "synthesis" if path == SPEAK else "transcription"
    async with session.post(f"/v1/realtime/{kind}_sessions", json={}) as opened:
        secret = (await opened.json())["client_secret"]["value"]
    async with session.ws_connect(path, protocols=("realtime", f"realtime-token.{secret}")) as socket:
        assert socket.protocol == "realtime"
        talk = Talk(socket)
        await talk.hear("conversation.created")
        yield talk
