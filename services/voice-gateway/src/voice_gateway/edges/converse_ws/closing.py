"""How does a WebSocket end that is refused? With an Error that says what to do, and a close code of its own."""

from dataclasses import dataclass

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.contract.status import Status, status
from voice_gateway.errors import VoiceError

NORMAL = 1000
_FIRST_OWN_CODE = 4000
"""RFC 6455 leaves 4000 to 4999 to applications: ours is this and the number of gRPC's status."""
_MAX_REASON_BYTES = 123

_CODES = {
    Status.INVALID_ARGUMENT: pb.Error.BAD_REQUEST,
    Status.NOT_FOUND: pb.Error.NOT_FOUND,
    Status.PERMISSION_DENIED: pb.Error.PERMISSION_DENIED,
    Status.RESOURCE_EXHAUSTED: pb.Error.OVERLOADED,
    Status.ABORTED: pb.Error.STREAM_REPLACED,
    Status.UNIMPLEMENTED: pb.Error.UNSUPPORTED,
    Status.INTERNAL: pb.Error.INTERNAL,
    Status.UNAVAILABLE: pb.Error.UNAVAILABLE,
    Status.UNAUTHENTICATED: pb.Error.UNAUTHENTICATED,
}


@dataclass(frozen=True, slots=True)
class Closing:
    """The last two things a caller gets."""

    message: pb.ServerMessage
    code: int
    reason: bytes
    """The sentence, cut to what a close frame takes."""


def closing(error: VoiceError) -> Closing:
    """How a stream ends because of this error."""
    code, retry_after_s = status(error)
    told = pb.Error(
        code=_CODES[code],
        message=str(error),
        retryable=retry_after_s is not None,
        retry_after_s=retry_after_s or 0.0,
        fatal=True,
    )
    return Closing(pb.ServerMessage(error=told), _FIRST_OWN_CODE + code, _cut(str(error)))


def _cut(sentence: str) -> bytes:
    """At most so many bytes, in whole characters."""
    return sentence.encode()[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
