"""Who may ask over HTTP, from which web pages? Certificates, tokens and CORS, around every route but the probes'."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict
from serving.certificates import TlsFiles

from speech_server.bearer_tokens import Tokens
from speech_server.errors import SpeechError
from speech_server.health_http import OPEN_PATHS
from speech_server.openai_audio.errors import error_response

SUBPROTOCOL = "openai-insecure-api-key."
"""How a browser sends its key to a WebSocket: it can set no header."""
SESSION_SUBPROTOCOL = "realtime-token."
"""How `riva.client.realtime` sends the secret of its session."""
_METHODS = "GET, POST, OPTIONS"
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


def authorised(tokens: Tokens, retry_after_ms: int) -> Middleware:
    """Lets requests without an accepted token reach the probes' paths only."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        try:
            with tokens.holding(_holder(tokens, request.headers)):
                return await handler(request)
        except SpeechError as error:
            refused = error_response(error, request.path[:100], retry_after_ms).response()
            if refused.status == 401:
                refused.headers["WWW-Authenticate"] = "Bearer"
            return refused

    return check


def _holder(tokens: Tokens, headers: Mapping[str, str]) -> str:
    """By the header, or by what a client that can't set it offers as a subprotocol: a browser its key, NVIDIA's client
    the secret of its session. Raises Unauthorised."""
    given = headers.get("Authorization", "")
    offered = headers.get("Sec-WebSocket-Protocol", "") if not given else ""
    for protocol in (one.strip() for one in offered.split(",")):
        if protocol.startswith(SUBPROTOCOL):
            given = f"Bearer {protocol.removeprefix(SUBPROTOCOL)}"
        elif protocol.startswith(SESSION_SUBPROTOCOL):
            return tokens.check_session(protocol.removeprefix(SESSION_SUBPROTOCOL))
    return tokens.check(given)


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
