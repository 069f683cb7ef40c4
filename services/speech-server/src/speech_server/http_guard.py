"""Who may ask over HTTP, from which web pages? Certificates, tokens and CORS, around every route but the probes'."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict
from serving.certificates import TlsFiles
from serving.identity.errors import NotIdentified
from serving.identity.identity import Identity
from serving.identity.origins import is_allowed
from serving.identity.sent_tokens import sent_token

from speech_server.callers import Callers, SessionSecrets
from speech_server.errors import Forbidden, SpeechError
from speech_server.health_http import OPEN_PATHS
from speech_server.openai_audio.errors import error_response

SESSION_SUBPROTOCOL = "realtime-token."
"""How `riva.client.realtime` sends the secret of its session."""
SESSION_SECRETS = web.RequestKey("session_secrets", SessionSecrets)
"""Where a request of a known caller has what makes the secret of a session."""
_METHODS = "GET, POST, OPTIONS"
_READING = ("GET", "HEAD", "OPTIONS")
_OTHER_ORIGIN = "Pages of this origin may not call here; the operator lists those that may in SPEECH_CORS_ORIGINS."
_MOST_HEADERS_BYTES = 1024
_EXPOSED = "Retry-After, retry-after-ms"
_MAX_AGE_S = "600"
_NO_CERTIFICATE = "A client certificate is needed here; send one that SPEECH_TLS_CLIENT_CA_FILE signed."


def certified(files: TlsFiles) -> Middleware:
    """Lets requests without a client certificate reach the probes' paths only."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        tunnel = request.transport.get_extra_info("ssl_object") if request.transport else None
        known = tunnel is not None and tunnel.getpeercert()
        if files.client_ca is not None and not known and request.path not in OPEN_PATHS:
            return web.json_response(
                {"error": {"message": _NO_CERTIFICATE, "type": "authentication_error"}}, status=401
            )
        return await handler(request)

    return check


def authorised(callers: Callers, retry_after_ms: int) -> Middleware:
    """Lets requests without an accepted token reach the probes' paths only."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        try:
            identity = await _holder(callers, request)
            with callers.holding(identity):
                request[SESSION_SECRETS] = SessionSecrets(callers, identity, _token(request))
                return await handler(request)
        except SpeechError as error:
            refused = error_response(error, request.path[:100], retry_after_ms).response()
            if refused.status == 401:
                refused.headers["WWW-Authenticate"] = "Bearer"
            return refused

    return check


async def _holder(callers: Callers, request: web.Request) -> Identity:
    """By the headers, or by the secret of its session that NVIDIA's client offers as a subprotocol.

    Raises Unauthorised, Forbidden, NotServing."""
    route = f"{request.path}?intent=synthesize" if request.query.get("intent") == "synthesize" else request.path
    offered = request.headers.get("Sec-WebSocket-Protocol", "") if "Authorization" not in request.headers else ""
    for protocol in (one.strip() for one in offered.split(",")):
        if protocol.startswith(SESSION_SUBPROTOCOL):
            return await callers.of_session(protocol.removeprefix(SESSION_SUBPROTOCOL), route)
    return await callers.identify(request.headers.items(), route)


def _token(request: web.Request) -> str:
    """The one that was accepted; "" = it came as the secret of a session."""
    try:
        return sent_token(request.headers.items())
    except NotIdentified:
        return ""


def own_origin(allowed: Sequence[str]) -> Middleware:
    """Refuses what web pages of other origins than `allowed` and the server's own ask for, but for reading: CORS keeps
    them from answers, not from sockets, and not from making work."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        reads = request.method in _READING and "Upgrade" not in request.headers
        origin = request.headers.get("Origin", "")
        if reads or is_allowed(origin, allowed, request.host, request.remote or ""):
            return await handler(request)
        return error_response(Forbidden(_OTHER_ORIGIN), request.path[:100], 0).response()

    return check


def cross_origin(origins: Sequence[str]) -> Middleware:
    """Lets web pages of these origins ask; "*" is every one. Preflights are answered here, without a token."""
    all_of_them = "*" in origins

    @web.middleware
    async def allow(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        if not origin or not (all_of_them or origin in origins):
            return await handler(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return web.Response(status=204, headers=_preflight(request))
        return await handler(request)

    return allow


def allowed_origin(origins: Sequence[str], request: web.Request) -> CIMultiDict[str]:
    """The headers of an answer, streamed ones included; empty for an origin that may not read it."""
    origin = request.headers.get("Origin", "")
    headers: CIMultiDict[str] = CIMultiDict()
    if not origins or not origin:
        return headers
    if "*" in origins:
        headers["Access-Control-Allow-Origin"] = "*"
    elif origin in origins:
        headers["Access-Control-Allow-Origin"] = origin
    else:
        return headers
    headers["Access-Control-Expose-Headers"] = _EXPOSED
    headers["Vary"] = "Origin"
    return headers


def _preflight(request: web.Request) -> dict[str, str]:
    requested = request.headers.get("Access-Control-Request-Headers", "")[:_MOST_HEADERS_BYTES]
    return {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": requested or "Authorization, Content-Type",
        "Access-Control-Max-Age": _MAX_AGE_S,
    }
