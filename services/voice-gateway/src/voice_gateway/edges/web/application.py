"""What does the web port serve? The routes of the edges on it; every refusal has a status and a sentence."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from http import HTTPStatus

from aiohttp import web

from voice_gateway.edges.web.origins import checked
from voice_gateway.edges.web.status import body, http_status
from voice_gateway.errors import VoiceError

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024


def application(routes: Iterable[web.AbstractRouteDef], allowed_origins: Sequence[str] = ()) -> web.Application:
    """The web port, for its own pages and those of `allowed_origins`."""
    app = web.Application(middlewares=[_with_errors, checked(allowed_origins)], client_max_size=MAX_BODY_BYTES)
    app.add_routes(routes)
    return app


@web.middleware
async def _with_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answers for requests that are refused before a WebSocket is accepted."""
    try:
        return await handler(request)
    except VoiceError as error:
        status, headers = http_status(error)
        return _error(status, str(error), headers)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        status = HTTPStatus(error.status)
        return _error(status, _SENTENCES.get(status, status.phrase), _kept(error))
    except Exception:
        log.exception("a request for %s failed", request.path)
        return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "the gateway failed; try again", {})


_SENTENCES = {
    HTTPStatus.NOT_FOUND: "nothing is served at this path",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path does not take the request's method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"the request's body is larger than {MAX_BODY_BYTES // 1024} KiB",
}


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


def _error(status: HTTPStatus, sentence: str, headers: dict[str, str]) -> web.Response:
    return web.json_response(body(status, sentence), status=status, headers=headers)
