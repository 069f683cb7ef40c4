"""How does a client get a session? A WebSocket at /v1/realtime: who calls, which model, what is configured first."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from time import time
from typing import Any

from aiohttp import WSMsgType, web
from serving.identity.identity import Identity

from voice_gateway.core.events import Caller
from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.callers import Callers
from voice_gateway.edges.contract.trace import trace_id
from voice_gateway.edges.held_call import CallRequest, HeldCall
from voice_gateway.edges.open_stream_limit import OpenStreamLimit
from voice_gateway.edges.realtime.call import RealtimeCall
from voice_gateway.edges.realtime.client_events import SessionUpdate, checked, read
from voice_gateway.edges.realtime.connection import RealtimeConnection, Sender
from voice_gateway.edges.realtime.items import new_id
from voice_gateway.edges.realtime.refusals import EventRefused, error_event, invalid
from voice_gateway.edges.realtime.session_config import Kind, SessionConfig, Terms, model_named, opened, updated
from voice_gateway.edges.realtime.session_shape import shown
from voice_gateway.edges.web.certificate_name import certificate_name
from voice_gateway.edges.web.kernel_buffer import bound_kernel_buffer
from voice_gateway.errors import BadRequest, Refused, VoiceError

log = logging.getLogger(__name__)

PATH = "/v1/realtime"
MAX_MESSAGE_BYTES = 1024 * 1024
"""16 s of PCM16 at 24 kHz in base64."""
_CONFIGURE_S = 2.0
"""A session begins with the first event that is no session.update, or so long after its connection: until then its
language and hotwords can be chosen."""
_BETA_PROTOCOL = "openai-beta.realtime-v1"
_REFUSED, _LATER = 1008, 1013
_PING_EVERY_S = 20.0
"""A connection that answers no ping within half of that is broken."""
_LAST_WORDS_S = 2.0
"""For the client's side of the close."""


class RealtimeEdge:
    """The edge, in front of the registry."""

    def __init__(self, registry: CallRegistry, callers: Callers) -> None:
        self._registry = registry
        self._callers = callers
        self._configuring = OpenStreamLimit(registry.limits.max_waiting_streams, "sessions that have not begun")

    @property
    def route(self) -> web.RouteDef:
        """For the web port."""
        return web.get(PATH, self._serve)

    def describe(self, session: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a session with these fields is in full: for whoever asks for a client secret. Raises BadRequest."""
        terms = self._terms()
        try:
            config = _with_fields(opened(_kind(session), terms), session, terms)
        except EventRefused as refused:
            raise BadRequest(str(refused)) from None
        return shown(config, "", 0, terms)

    def _terms(self) -> Terms:
        return Terms(self._registry.limits, self._registry.server_info, self._registry.defaults)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        identity = await self._callers.identify(request.headers.items(), certificate=certificate_name(request))
        if refusal := self._registry.refusal():
            raise Refused(refusal)
        socket = web.WebSocketResponse(
            protocols=("realtime",),
            compress=False,
            max_msg_size=MAX_MESSAGE_BYTES,
            timeout=_LAST_WORDS_S,
            heartbeat=_PING_EVERY_S,
        )
        if not socket.can_prepare(request):
            raise BadRequest("/v1/realtime is a WebSocket; open it as one")
        await socket.prepare(request)
        bound_kernel_buffer(request)
        sender = Sender(socket, self._registry.limits.max_unread_s)
        code, reason = _REFUSED, ""
        try:
            code, reason = await self._session(request, socket, sender, identity)
        except EventRefused as refused:
            reason = str(refused)
            await _tell(sender, refused)
        except Refused as error:
            code, reason = _LATER, str(error)
            await _tell(sender, EventRefused("rate_limit_exceeded", reason, kind="rate_limit_error"))
        except VoiceError as error:
            reason = str(error)
            await _tell(sender, EventRefused("invalid_value", reason))
        except TimeoutError:
            reason = "nothing was read from this connection"
        except ConnectionError:
            log.info("a client of %s left before its session began", request.remote)
        except Exception:
            code, reason = 1011, "the gateway failed; connect again"
            log.exception("a session of %s failed", request.remote)
        await socket.close(code=code, message=reason.encode()[:120])
        return socket

    async def _session(
        self, request: web.Request, socket: web.WebSocketResponse, sender: Sender, identity: Identity
    ) -> tuple[int, str]:
        """One session; the close code, and why. Raises EventRefused or VoiceError."""
        terms = self._terms()
        config = _with_fields(_asked_for(request, terms, identity.session), identity.session, terms)
        session_id, expires_at = new_id("sess"), round(time() + terms.server_info.max_session_s)
        created = {"type": "session.created", "session": shown(config, session_id, expires_at, terms)}
        await sender.send([created])

        async def configure(config: SessionConfig) -> tuple[SessionConfig, str | None]:
            return await _configured(socket, sender, config, terms, (session_id, expires_at))

        async with self._configuring:
            config, first = await configure(config)
        if first is None and socket.closed:
            return 1000, ""
        trace = trace_id([("traceparent", request.headers.get("traceparent", ""))])
        caller = Caller(identity.name, trace, limits=identity.limits)
        held = self._registry.open(CallRequest(config.options, config.input, config.output), caller)
        call = RealtimeCall(held, config, held_terms(terms, held), session_id, expires_at)
        return await RealtimeConnection(held, call, socket, sender).carry(first)


def held_terms(terms: Terms, held: HeldCall) -> Terms:
    """What held when the call began."""
    return replace(terms, limits=held.limits, server_info=held.server_info)


async def _configured(
    socket: web.WebSocketResponse,
    sender: Sender,
    config: SessionConfig,
    terms: Terms,
    identity: tuple[str, int],
) -> tuple[SessionConfig, str | None]:
    """The configuration with which the call begins, and the event it begins with (None = none came in time)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _CONFIGURE_S
    while True:
        try:
            async with asyncio.timeout_at(until):
                message = await socket.receive()
        except TimeoutError:
            return config, None
        if message.type is not WSMsgType.TEXT:
            return config, None
        event_id = None
        try:
            event_id, raw = read(message.data)
            event = checked(raw)
            if not isinstance(event, SessionUpdate):
                return config, message.data
            config = updated(config, event.session, terms, has_begun=False)
            await sender.send([{"type": "session.updated", "session": shown(config, *identity, terms)}])
        except EventRefused as refused:
            await sender.send([error_event(refused, event_id)])


def _kind(session: Mapping[str, Any]) -> Kind:
    return "transcription" if session.get("type") == "transcription" else "realtime"


def _with_fields(config: SessionConfig, session: Mapping[str, Any], terms: Terms) -> SessionConfig:
    """The configuration with the fields that a client secret brings. Raises EventRefused."""
    if not session:
        return config
    event = checked({"type": "session.update", "session": {"type": config.kind, **session}})
    assert isinstance(event, SessionUpdate), "its type says so"
    return updated(config, event.session, terms, has_begun=False)


def _asked_for(request: web.Request, terms: Terms, session: Mapping[str, Any]) -> SessionConfig:
    """The configuration that the connection itself asks for. Raises EventRefused."""
    if "realtime=v1" in request.headers.get("OpenAI-Beta", "") or _BETA_PROTOCOL in _protocols(request):
        raise EventRefused(
            "unknown_parameter",
            "the beta shapes of this protocol are not served; connect without OpenAI-Beta: realtime=v1",
            "OpenAI-Beta",
        )
    query = request.query
    if unknown := next((name for name in query if name not in ("model", "intent", "language")), ""):
        raise EventRefused("unknown_parameter", f"Unknown parameter: {unknown[:64]!r}.", unknown[:64])
    intent = query.get("intent", "")
    if intent not in ("", "transcription"):
        raise invalid("intent", "send transcription, or leave it out")
    kind: Kind = "transcription" if intent else _kind(session)
    config = opened(kind, terms, query.get("language", ""))
    if kind == "transcription":
        return config
    llm = replace(config.options.llm, model=model_named(query.get("model", ""), config.options, terms, "model"))
    return replace(config, options=replace(config.options, llm=llm))


def _protocols(request: web.Request) -> list[str]:
    return [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]


async def _tell(sender: Sender, refused: EventRefused) -> None:
    """Why the connection ends, if anybody reads."""
    try:
        await sender.send([error_event(refused, None)])
    except (TimeoutError, ConnectionError):
        log.info("a client that was refused did not read why")
