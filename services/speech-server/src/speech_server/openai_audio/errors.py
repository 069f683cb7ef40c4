"""How does an error look over HTTP? As a status and an object in OpenAI's shape, never a stack trace.

BadRequest 400 · Unauthorised 401 · Forbidden 403 · NotFound 404 · TooQuiet 408 · TooLarge 413 · Busy, EngineBusy 429
WaitedTooLong, NotServing, EngineError 503
"""

import logging
import math
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from speech_server import errors
from speech_server.core.requests.error_text import bounded

_LONGEST_PARAM_BYTES = 200
_log = logging.getLogger(__name__)


class BadParameter(errors.BadRequest):
    """One parameter is wrong; `param` names it, `code` is OpenAI's word for what is wrong with it."""

    def __init__(self, sentence: str, param: str | None, code: str = "invalid_value") -> None:
        super().__init__(sentence)
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error, translated."""

    http: int
    status: str
    """The gRPC status that fits, for metrics and log."""
    kind: str
    code: str | None
    sentence: str
    param: str | None = None
    retry_after_ms: int | None = None

    def body(self) -> dict[str, Any]:
        """OpenAI's error object."""
        return {"error": {"message": self.sentence, "type": self.kind, "param": self.param, "code": self.code}}

    def response(self) -> web.Response:
        """The whole answer; Retry-After where another try makes sense."""
        headers = {}
        if self.retry_after_ms is not None:
            headers["Retry-After"] = str(math.ceil(self.retry_after_ms / 1000))
            headers["retry-after-ms"] = str(self.retry_after_ms)
        return web.json_response(self.body(), status=self.http, headers=headers)


_KINDS: tuple[tuple[type[Exception], int, str, str, str | None], ...] = (
    (errors.TooLarge, 413, "INVALID_ARGUMENT", "invalid_request_error", "too_large"),
    (errors.BadRequest, 400, "INVALID_ARGUMENT", "invalid_request_error", None),
    (errors.Unauthorised, 401, "UNAUTHENTICATED", "authentication_error", "invalid_api_key"),
    (errors.Forbidden, 403, "PERMISSION_DENIED", "permission_error", None),
    (errors.NotFound, 404, "NOT_FOUND", "invalid_request_error", "model_not_found"),
    (errors.Busy, 429, "RESOURCE_EXHAUSTED", "rate_limit_error", "rate_limit_exceeded"),
    (errors.EngineBusy, 429, "RESOURCE_EXHAUSTED", "rate_limit_error", "rate_limit_exceeded"),
    (errors.WaitedTooLong, 503, "DEADLINE_EXCEEDED", "server_error", "waited_too_long"),
    (errors.NotServing, 503, "UNAVAILABLE", "server_error", "not_serving"),
    (errors.TooQuiet, 408, "DEADLINE_EXCEEDED", "invalid_request_error", "too_quiet"),
    (errors.EngineError, 503, "UNAVAILABLE", "server_error", "engine_unavailable"),
)


def error_response(error: BaseException, route: str, retry_after_ms: int) -> ErrorResponse:
    """What the caller is told. An error nobody expected is logged, and told as such."""
    cause = errors.first_known(error)
    if isinstance(cause, web.HTTPException):
        sentence = f"{cause.reason}: see the documentation for paths and methods."
        return ErrorResponse(cause.status, "INVALID_ARGUMENT", "invalid_request_error", None, sentence)
    found = next((kind for kind in _KINDS if isinstance(cause, kind[0])), None)
    if found is None:
        _log.error("%s failed", route, exc_info=cause)
        sentence = "Something went wrong inside the server; its log says what."
        return ErrorResponse(500, "INTERNAL", "server_error", None, sentence)
    _, http, status, kind, code = found
    again_ms = cause.retry_after_ms if isinstance(cause, errors.Busy) else retry_after_ms
    param = None
    if isinstance(cause, BadParameter):
        code = cause.code
        param = bounded(cause.param, _LONGEST_PARAM_BYTES) if cause.param is not None else None
    sentence = bounded(str(cause))
    _log.log(
        logging.DEBUG if isinstance(cause, errors.Unauthorised) else logging.INFO,
        "%s refused: %s: %s",
        route,
        status,
        sentence,
    )
    return ErrorResponse(http, status, kind, code, sentence, param, again_ms if http in (429, 503) else None)
