"""May a page of this origin use the web port? Asked of every WebSocket and everything but reading, in one place.

A page may be read by anybody: what it then asks for is what matters. A request without Origin comes from no browser.
"""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from serving.identity.origins import is_allowed

from voice_gateway.errors import Forbidden

_READING = ("GET", "HEAD")
_MAX_AGE_S = "600"
_HEADERS = "Authorization, Content-Type, X-Api-Key"


def checked(allowed: Sequence[str]) -> Middleware:
    """Refuses pages of other origins than `allowed` and the gateway's own; answers the browser's question before a
    request to another origin (CORS) for those."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        is_known = is_allowed(origin, allowed, request.host, request.remote or "")
        if not is_known and (request.method not in _READING or "Upgrade" in request.headers):
            raise Forbidden(
                "pages of this origin may not call here; the operator lists them in GATEWAY_ALLOWED_ORIGINS"
            )
        if origin and is_known and request.method == "OPTIONS":
            return web.Response(status=204, headers={**_readable_by(origin), **_preflight()})
        response = await handler(request)
        if origin and is_known and not response.prepared:
            response.headers.update(_readable_by(origin))
        return response

    return check


def _readable_by(origin: str) -> dict[str, str]:
    exposed = "Retry-After, retry-after-ms"
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": exposed, "Vary": "Origin"}


def _preflight() -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _MAX_AGE_S,
    }
