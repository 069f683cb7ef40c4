"""What happens at WS /v1/transcribe? Who calls is asked before anything is accepted; the first message opens the
stream."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import WSMessage, WSMsgType, web
from multidict import MultiMapping

from voice_gateway.core.events import Caller
from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.callers import Action, Callers
from voice_gateway.edges.contract.trace import trace_id
from voice_gateway.edges.open_stream_limit import OpenStreamLimit
from voice_gateway.edges.transcribe_ws.agreement import agreed
from voice_gateway.edges.transcribe_ws.client_messages import (
    StartMessage,
    StreamOptions,
    merged,
    options_of,
    read_message,
)
from voice_gateway.edges.transcribe_ws.connection import TranscriptionConnection
from voice_gateway.edges.transcribe_ws.refusal import code_of, refused
from voice_gateway.edges.web.certificate_name import certificate_name
from voice_gateway.errors import BadRequest, Refused, VoiceError
from voice_gateway.metrics import Metrics

PATH = "/v1/transcribe"
SUBPROTOCOL = "transcribe"
"""A browser, which can set no header, offers its token as another one beside it."""
_FIRST = 'send {"type": "start"} with the options, or audio'
_CLOSE_WITHIN_S = 2.0
"""For the client's own close."""


class TranscriptionEndpoint:
    """The endpoint, in front of the registry."""

    def __init__(self, registry: CallRegistry, callers: Callers, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._callers = callers
        self._metrics = metrics
        self._clock = clock
        self._waiting = OpenStreamLimit(
            registry.limits.max_waiting_streams, "transcription streams that have sent nothing yet"
        )

    @property
    def route(self) -> web.RouteDef:
        """For the web port."""
        return web.get(PATH, self._serve, allow_head=False)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        """One WebSocket. Raises VoiceError: why it is not accepted."""
        try:
            identity = await self._callers.identify(
                request.headers.items(), Action.TRANSCRIBE, certificate=certificate_name(request)
            )
            asked = options_of(_single(request.query))
            if refusal := self._registry.transcription_refusal():
                raise Refused(refusal)
            socket = web.WebSocketResponse(
                protocols=(SUBPROTOCOL,),
                timeout=_CLOSE_WITHIN_S,
                max_msg_size=self._registry.limits.max_message_bytes,
                compress=False,
            )
            if not socket.can_prepare(request).ok:
                raise BadRequest("this is a WebSocket; connect with ws:// or wss://")
        except VoiceError as error:
            self._metrics.transcriptions_refused.labels(code_of(error)).inc()
            raise
        await socket.prepare(request)
        try:
            trace = trace_id([("traceparent", request.headers.get("traceparent", ""))])
            await self._open(socket, asked, Caller(identity.name, trace, limits=identity.limits))
        except VoiceError as error:
            self._metrics.transcriptions_refused.labels(code_of(error)).inc()
            message, code = refused(error)
            await _tell(socket, message.model_dump_json(), code)
        return socket

    async def _open(self, socket: web.WebSocketResponse, asked: StreamOptions, caller: Caller) -> None:
        """Raises VoiceError: why there is no stream."""
        first = await self._first(socket)
        if first.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        if first.type is WSMsgType.TEXT:
            message = read_message(first.data)
            if isinstance(message, StartMessage):
                asked = merged(asked, message)
        request = agreed(asked, self._registry.transcription_defaults, self._registry.limits)
        stream = self._registry.transcribe(request, caller)
        is_start = first.type is WSMsgType.TEXT and isinstance(message, StartMessage)
        await TranscriptionConnection(socket, stream, self._clock).carry(None if is_start else first)

    async def _first(self, socket: web.WebSocketResponse) -> WSMessage:
        limit_s = self._registry.server_info.start_timeout_s
        async with self._waiting:
            try:
                async with asyncio.timeout(limit_s):
                    return await socket.receive()
            except TimeoutError:
                raise BadRequest(f"nothing came within {limit_s:g} s; {_FIRST}") from None


def _single(query: MultiMapping[str]) -> Mapping[str, str]:
    """Raises BadRequest where a name stands there twice."""
    for name in query:
        if len(query.getall(name)) > 1:
            raise BadRequest(f"{name[:60]!r} stands twice in the address; send it once")
    return dict(query)


async def _tell(socket: web.WebSocketResponse, text: str, code: int) -> None:
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await socket.send_str(text)
        await socket.close(code=code)
    except (ConnectionError, TimeoutError):
        return  # nobody is there to be told
