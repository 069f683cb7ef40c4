"""Which status is an error? One table, for every wire: gRPC's codes, and when to come back."""

from enum import IntEnum

from voice_gateway.core.admission import RefusalKind
from voice_gateway.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    Refused,
    StreamReplaced,
    Unauthorised,
    Unsupported,
    VoiceError,
)


class Status(IntEnum):
    """How a stream ends that is refused or given up: gRPC's status codes."""

    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


_REFUSALS = {
    RefusalKind.BUSY: Status.RESOURCE_EXHAUSTED,
    RefusalKind.TOKEN_BUSY: Status.RESOURCE_EXHAUSTED,
    RefusalKind.DRAINING: Status.UNAVAILABLE,
    RefusalKind.BACKEND_DOWN: Status.UNAVAILABLE,
    RefusalKind.ELSEWHERE: Status.UNAVAILABLE,
}


def status(error: VoiceError) -> tuple[Status, float | None]:
    """The status of an error that ends a stream, and in how many seconds to come back (None = not said)."""
    match error:
        case Refused(refusal=refusal):
            return _REFUSALS[refusal.kind], refusal.retry_after_s
        case Unauthorised():
            return Status.UNAUTHENTICATED, None
        case BadRequest():
            return Status.INVALID_ARGUMENT, None
        case Forbidden():
            return Status.PERMISSION_DENIED, None
        case Unsupported():
            return Status.UNIMPLEMENTED, None
        case NotFound():
            return Status.NOT_FOUND, None
        case StreamReplaced():
            return Status.ABORTED, None
    return Status.INTERNAL, None
