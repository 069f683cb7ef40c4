"""What does a WebSocket give voice_workflow.v1? Its messages, and whether the caller hung up or the link broke."""

import asyncio
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from google.protobuf.message import Message
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.contract.stream import StreamBroken, Undecodable
from voice_gateway.edges.converse_ws.closing import NORMAL, Closing
from voice_gateway.edges.converse_ws.frames import Frames, wrong_type

_LAST_WORDS_S = 2.0
"""For the last frame to leave, and for the caller to close its side."""


class WebSocketStream:
    """One WebSocket. Implements `edges.contract.stream.ContractStream`."""

    def __init__(self, ws: web.WebSocketResponse, frames: Frames) -> None:
        self._ws = ws
        self._frames = frames
        self._hung_up = False

    async def read(self) -> Message | Undecodable | None:
        """The next message; a caller who closes the WebSocket says SessionEnd. Raises StreamBroken."""
        message: WSMessage = await self._ws.receive()
        if message.type is self._frames.type:
            return self._frames.decode(message.data)
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            return wrong_type(self._frames, message.data)
        if message.type is WSMsgType.CLOSE and _is_deliberate(message.data):
            self._hung_up = True
            return pb.ClientMessage(end=pb.SessionEnd())
        raise StreamBroken(f"the WebSocket is closed with code {self._ws.close_code}")

    async def write(self, message: pb.ServerMessage) -> None:
        """Send a message; returns once what waits to be sent is little. Raises StreamBroken."""
        if self._hung_up:
            return
        frame = self._frames.encode(message)
        try:
            await (self._ws.send_str(frame) if isinstance(frame, str) else self._ws.send_bytes(frame))
        except (ConnectionError, RuntimeError) as error:
            raise StreamBroken(str(error)) from None

    async def close(self, why: Closing | None = None) -> None:
        """Say why, close, and wait a moment for the caller to close its side. Never raises."""
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                if why is None:
                    await self._ws.close(code=NORMAL)
                    return
                await self.write(why.message)
                await self._ws.close(code=why.code, message=why.reason)
        except (TimeoutError, StreamBroken, ConnectionError):
            pass


def _is_deliberate(code: Any) -> bool:
    """1000, or a close frame without a code. A page that goes away sends 1001: it may come back with its token."""
    return code in (WSCloseCode.OK, 0, None)
