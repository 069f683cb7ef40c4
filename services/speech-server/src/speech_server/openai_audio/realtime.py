"""WS /v1/realtime: a transcription session. Who may have one, and how do its messages come and go?

A message is answered before the next is read, so a slow engine holds its client back through the socket, and nothing
piles up here.
"""

import asyncio
import json
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from speech_server.core.requests.error_text import ascii_only, cut, shown
from speech_server.core.requests.request_stats import LEFT, OK
from speech_server.drain import LEAVE, leaving
from speech_server.errors import BadRequest, EngineError, NotServing, SpeechError, TooQuiet
from speech_server.metrics import RequestStats
from speech_server.openai_audio.endpoint_context import EndpointContext
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.field_checks import MISSING, TYPE, only, text_of
from speech_server.openai_audio.session import Session, updated
from speech_server.openai_audio.transcriber import Transcriber, new_id

ROUTE = "/v1/realtime"
MOST_MESSAGE_BYTES = 2 << 20
"""Half a minute of audio. OpenAI takes 15 MiB at once; as much of every stream would be more memory than there is."""
_PING_S = 30.0
_CLOSE_BYTES = 120
"""Of a close's reason: with its code, a control frame holds 125."""
_RESTART, _TRY_AGAIN = 1012, 1013


class Realtime:
    """The endpoint."""

    def __init__(self, context: EndpointContext) -> None:
        self._context = context

    async def answer(self, request: web.Request, stats: RequestStats) -> web.StreamResponse:
        """One session, from the upgrade to the close. Refused before the upgrade when there is no room."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise BadRequest("This is a WebSocket; connect to it with ws:// or wss://.")
        context = self._context
        with context.streams.admit(), context.metrics.serving("asr"):
            socket = web.WebSocketResponse(
                max_msg_size=MOST_MESSAGE_BYTES, heartbeat=_PING_S, protocols=("realtime",), compress=False
            )
            stats.begun = True
            await socket.prepare(request)
            model = request.query.get("model", "")
            session = Session(new_id("sess"), transcription={"model": model} if model else {})
            connection = _Connection(context, socket, session, stats)
            try:
                async with leaving(context.recognition.drain, connection.is_paused, connection.leave):
                    await connection.serve()
            except* (EngineError, SpeechError) as errors:
                await connection.end(errors, _TRY_AGAIN)
            return socket


class _Connection:
    """One client."""

    def __init__(
        self, context: EndpointContext, socket: web.WebSocketResponse, session: Session, stats: RequestStats
    ) -> None:
        self._context = context
        self._socket = socket
        self._stats = stats
        self._transcriber = Transcriber(context.recognition, context.metrics, stats, session, self._send_event)

    async def serve(self) -> None:
        """Answer message after message until the client closes. Raises EngineError, TooQuiet."""
        transcriber = self._transcriber
        try:
            await self._send_event({"type": "session.created", "session": transcriber.session.described()})
            while (message := await self._next()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._answer(message)
        except ConnectionError:
            self._stats.status = LEFT
        finally:
            if not transcriber.is_between and self._stats.status == OK:
                self._stats.status = LEFT
            await transcriber.close()

    def is_paused(self) -> bool:
        """Would a session elsewhere lack nothing?"""
        return self._transcriber.is_between

    async def leave(self) -> None:
        """The server goes."""
        await self.end(NotServing(LEAVE), _RESTART)

    async def end(self, error: BaseException, code: int) -> None:
        """Say why, and close."""
        refused = self._context.error_response(error, ROUTE)
        self._stats.status = refused.status
        await self.send_error(refused.body()["error"])
        await self._socket.close(code=code, message=ascii_only(refused.sentence, _CLOSE_BYTES).encode())

    async def send_error(self, error: dict[str, Any]) -> None:
        """An error event; the client may be gone."""
        if not self._socket.closed:
            await self._send_event({"type": "error", "error": error})

    async def _next(self) -> WSMessage:
        limit_s = self._context.recognition.limits.idle_s
        try:
            async with asyncio.timeout(limit_s):
                return await self._socket.receive()
        except TimeoutError as error:
            raise TooQuiet(f"No message came for {limit_s:g} s; append audio, silence included.") from error

    async def _answer(self, message: WSMessage) -> None:
        """One client event. What is wrong with it is told, and the session goes on."""
        event_id: str | None = None
        try:
            event = _event(message)
            sent_id = event.get("event_id")
            event_id = cut(sent_id) if isinstance(sent_id, str) else None
            await self._perform(event)
        except SpeechError as error:
            body = self._context.error_response(error, ROUTE).body()["error"]
            await self.send_error({**body, "event_id": event_id})

    async def _perform(self, event: dict[str, Any]) -> None:
        transcriber = self._transcriber
        kind = _kind(event)
        match kind:
            case "session.update" | "transcription_session.update":
                await transcriber.configure(updated(transcriber.session, event.get("session")))
                await self._send_event({"type": f"{kind}d", "session": transcriber.session.described()})
            case "input_audio_buffer.append":
                await transcriber.append(_audio(event))
            case "input_audio_buffer.commit":
                await transcriber.commit()
            case "input_audio_buffer.clear":
                await transcriber.clear()
                await self._send_event({"type": "input_audio_buffer.cleared"})

    async def _send_event(self, event: dict[str, Any]) -> None:
        await self._socket.send_str(json.dumps({"event_id": new_id("event"), **event}))


_EVENTS: dict[str, tuple[str, ...]] = {
    "session.update": ("session",),
    "transcription_session.update": ("session",),
    "input_audio_buffer.append": ("audio",),
    "input_audio_buffer.commit": (),
    "input_audio_buffer.clear": (),
}
"""What a client may send, each with its fields."""


def _event(message: WSMessage) -> dict[str, Any]:
    try:
        event = json.loads(message.data)
    except (ValueError, RecursionError) as error:
        raise BadParameter("The message is not JSON; send one event in each message.", None, "invalid_json") from error
    if not isinstance(event, dict):
        raise BadParameter("The message is not an object; send one event in each message.", None, TYPE)
    return event


def _kind(event: dict[str, Any]) -> str:
    """The type of an event whose fields are known. Raises BadParameter."""
    if "type" not in event:
        raise BadParameter("type is missing; send an event such as input_audio_buffer.append.", "type", MISSING)
    kind = text_of(event["type"], "type")
    if kind not in _EVENTS:
        raise BadParameter(
            f"{shown(kind)} is no event of a transcription session; send session.update, "
            "input_audio_buffer.append, .commit or .clear.",
            "type",
        )
    only(event, ("type", "event_id", *_EVENTS[kind]))
    if not isinstance(event.get("event_id", ""), str):
        raise BadParameter("event_id takes a string.", "event_id", TYPE)
    return kind


def _audio(event: dict[str, Any]) -> str:
    if "audio" not in event:
        raise BadParameter("audio is missing; send the bytes as base64.", "audio", MISSING)
    return text_of(event["audio"], "audio", may_be_empty=True)
