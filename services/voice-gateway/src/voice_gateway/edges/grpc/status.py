"""Which gRPC status is an error? One table."""

import grpc

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

_REFUSALS = {
    RefusalKind.BUSY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    RefusalKind.TOKEN_BUSY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    RefusalKind.DRAINING: grpc.StatusCode.UNAVAILABLE,
    RefusalKind.BACKEND_DOWN: grpc.StatusCode.UNAVAILABLE,
    RefusalKind.ELSEWHERE: grpc.StatusCode.UNAVAILABLE,
}


def status(error: VoiceError) -> tuple[grpc.StatusCode, tuple[tuple[str, str], ...]]:
    """The code and the trailer of an error that ends an RPC."""
    match error:
        case Refused(refusal=refusal):
            trailer = (("retry-after-ms", str(round(refusal.retry_after_s * 1000))),)
            return _REFUSALS[refusal.kind], trailer
        case Unauthorised():
            return grpc.StatusCode.UNAUTHENTICATED, ()
        case BadRequest():
            return grpc.StatusCode.INVALID_ARGUMENT, ()
        case Forbidden():
            return grpc.StatusCode.PERMISSION_DENIED, ()
        case Unsupported():
            return grpc.StatusCode.UNIMPLEMENTED, ()
        case NotFound():
            return grpc.StatusCode.NOT_FOUND, ()
        case StreamReplaced():
            return grpc.StatusCode.ABORTED, ()
    return grpc.StatusCode.INTERNAL, ()
