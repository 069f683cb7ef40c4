"""Which HTTP status is an error? One table; the body has the shape of OpenAI's errors."""

from http import HTTPStatus
from typing import Any

from voice_gateway.core.admission import RefusalKind
from voice_gateway.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    StreamReplaced,
    Unauthorised,
    Unsupported,
    VoiceError,
)

_REFUSALS = {
    RefusalKind.BUSY: HTTPStatus.TOO_MANY_REQUESTS,
    RefusalKind.TOKEN_BUSY: HTTPStatus.TOO_MANY_REQUESTS,
    RefusalKind.DRAINING: HTTPStatus.SERVICE_UNAVAILABLE,
    RefusalKind.BACKEND_DOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    RefusalKind.ELSEWHERE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


def http_status(error: VoiceError) -> tuple[HTTPStatus, dict[str, str]]:
    """Status and headers of the answer to a request that is refused."""
    match error:
        case Refused(refusal=refusal):
            return _REFUSALS[refusal.kind], _retry_after(refusal.retry_after_s)
        case RateLimited(retry_after_s=seconds):
            return HTTPStatus.TOO_MANY_REQUESTS, _retry_after(seconds)
        case Unauthorised():
            return HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"}
        case Forbidden():
            return HTTPStatus.FORBIDDEN, {}
        case BadRequest():
            return HTTPStatus.BAD_REQUEST, {}
        case Unsupported():
            return HTTPStatus.NOT_IMPLEMENTED, {}
        case NotFound():
            return HTTPStatus.NOT_FOUND, {}
        case StreamReplaced():
            return HTTPStatus.CONFLICT, {}
    return HTTPStatus.INTERNAL_SERVER_ERROR, {}


def body(status: HTTPStatus, sentence: str) -> dict[str, Any]:
    """OpenAI's error object: its clients show the message."""
    other = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    return {"error": {"message": sentence, "type": _TYPES.get(status, other), "param": None, "code": None}}


def _retry_after(seconds: float) -> dict[str, str]:
    """Whole seconds for every client, milliseconds for those of OpenAI."""
    return {"Retry-After": str(max(1, round(seconds))), "retry-after-ms": str(round(seconds * 1000))}
