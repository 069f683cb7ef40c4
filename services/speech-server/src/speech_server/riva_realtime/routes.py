"""Which endpoints has the realtime interface of the Speech NIM? Two that open a session, the voices, and the socket.

OpenAI's realtime interface has the same path. A client speaks NVIDIA's when it offers the secret of its session as a
subprotocol, as `riva.client` does, or asks for synthesis, which OpenAI's transcription sessions have not.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from speech_server.core.requests.request_stats import OK
from speech_server.core.tts.voices import list_voices
from speech_server.drain import LEAVE, leaving
from speech_server.errors import BadRequest, EngineError, NotServing, SpeechError
from speech_server.http_guard import SESSION_SECRETS, SESSION_SUBPROTOCOL
from speech_server.metrics import RequestStats
from speech_server.openai_audio.endpoint_context import Answer, EndpointContext
from speech_server.openai_audio.realtime import MOST_MESSAGE_BYTES
from speech_server.openai_audio.transcriber import new_id
from speech_server.riva.synthesis import SynthesisContext
from speech_server.riva_realtime.connection import Connection
from speech_server.riva_realtime.session import synthesis_defaults, transcription_defaults
from speech_server.riva_realtime.synthesis import SynthesisSession
from speech_server.riva_realtime.transcription import TranscriptionSession

TRANSCRIPTION_SESSIONS = "/v1/realtime/transcription_sessions"
SYNTHESIS_SESSIONS = "/v1/realtime/synthesis_sessions"
VOICES = "/v1/audio/list_voices"
_ROUTE = "/v1/realtime"
_SECRET_LIFE_S = 300
_PING_S = 30.0
_RESTART, _TRY_AGAIN = 1012, 1013


def add_routes(application: web.Application, context: EndpointContext, synthesis: SynthesisContext) -> None:
    """The endpoints but for the socket, whose path is OpenAI's as well."""

    async def open_transcription(request: web.Request, stats: RequestStats) -> web.StreamResponse:
        return _minted(request, transcription_defaults(context.recognition.recogniser.models))

    async def open_synthesis(request: web.Request, stats: RequestStats) -> web.StreamResponse:
        return _minted(request, synthesis_defaults(synthesis.synthesiser.voices))

    async def voices(request: web.Request, stats: RequestStats) -> web.StreamResponse:
        listed: dict[str, dict[str, list[str]]] = {}
        for name, language, _, subvoices in list_voices(synthesis.synthesiser.voices):
            listed.setdefault(language, {"voices": []})["voices"] += [f"{name}.{subvoice}" for subvoice in subvoices]
        return web.json_response(dict(sorted(listed.items())))

    application.add_routes(
        [
            web.post(TRANSCRIPTION_SESSIONS, context.endpoint(TRANSCRIPTION_SESSIONS, open_transcription)),
            web.post(SYNTHESIS_SESSIONS, context.endpoint(SYNTHESIS_SESSIONS, open_synthesis)),
            web.get(VOICES, context.endpoint(VOICES, voices)),
        ]
    )


def by_dialect(context: EndpointContext, synthesis: SynthesisContext, openai: Answer) -> Answer:
    """The socket's endpoint: NVIDIA's sessions, or `openai`."""

    async def answer(request: web.Request, stats: RequestStats) -> web.StreamResponse:
        intent = request.query.get("intent", "")
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if intent == "synthesize":
            return await _serve(context, request, stats, lambda it: _synthesise(context, synthesis, stats, it))
        if SESSION_SUBPROTOCOL in offered:
            return await _serve(context, request, stats, lambda it: _transcribe(context, stats, it))
        return await openai(request, stats)

    return answer


async def _transcribe(context: EndpointContext, stats: RequestStats, connection: Connection) -> None:
    with context.streams.admit(), context.metrics.serving("asr"):
        await TranscriptionSession(context.recognition, context.metrics, stats, connection).serve()


async def _synthesise(
    context: EndpointContext, synthesis: SynthesisContext, stats: RequestStats, connection: Connection
) -> None:
    with context.syntheses.admit(), context.metrics.serving("tts"):
        await SynthesisSession(synthesis, context.metrics, stats, connection).serve()


async def _serve(
    context: EndpointContext,
    request: web.Request,
    stats: RequestStats,
    session: Callable[[Connection], Awaitable[None]],
) -> web.StreamResponse:
    """One session on its socket; an error that ends it is told before the close."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise BadRequest("This is a WebSocket; connect to it with ws:// or wss://.")
    socket = web.WebSocketResponse(
        max_msg_size=MOST_MESSAGE_BYTES, heartbeat=_PING_S, protocols=("realtime",), compress=False
    )
    stats.begun = True
    await socket.prepare(request)
    connection = Connection(context, socket, _ROUTE)

    async def leave() -> None:
        stats.status = "UNAVAILABLE"
        await connection.end(NotServing(LEAVE), _RESTART)

    try:
        async with leaving(context.recognition.drain, lambda: connection.is_paused, leave):
            await session(connection)
        await socket.close()
    except* ConnectionError:
        stats.status = "CANCELLED" if stats.status == OK else stats.status
    except* (SpeechError, EngineError) as errors:
        stats.status = context.error_response(errors, _ROUTE).status
        await connection.end(errors, _RESTART if errors.subgroup(NotServing) is not None else _TRY_AGAIN)
    return socket


def _minted(request: web.Request, session: dict[str, Any]) -> web.Response:
    """A fresh session with the secret its socket is opened with: made of the caller's token, if it has one."""
    expires_at = int(time.time() + _SECRET_LIFE_S)
    made_for_caller = request.get(SESSION_SECRETS)
    value = made_for_caller.made(expires_at) if made_for_caller else secrets.token_urlsafe(24)
    secret = {"value": value, "expires_at": expires_at}
    return web.json_response({**session, "id": new_id("sess"), "client_secret": secret})
