"""What is a client told whose stream does not begin? An error with its code, and the close code."""

from voice_gateway.edges.transcribe_ws.server_messages import ErrorMessage
from voice_gateway.errors import (
    BadRequest,
    Forbidden,
    RateLimited,
    Refused,
    Unauthorised,
    Unsupported,
    VoiceError,
)

_CODES: dict[type[VoiceError], str] = {
    BadRequest: "bad_request",
    Forbidden: "forbidden",
    Unauthorised: "unauthorised",
    Unsupported: "unsupported",
    RateLimited: "overloaded",
    Refused: "refused",
}
_TRY_LATER, _POLICY, _INTERNAL = 1013, 1008, 1011


def code_of(error: VoiceError) -> str:
    """One word for the wire and the metrics."""
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), "internal")


def refused(error: VoiceError) -> tuple[ErrorMessage, int]:
    """The message, and the close code."""
    code = code_of(error)
    wait_s = error.refusal.retry_after_s if isinstance(error, Refused) else getattr(error, "retry_after_s", 0.0)
    later = isinstance(error, Refused | RateLimited)
    message = ErrorMessage(code=code, message=str(error), retryable=later, retry_after_s=wait_s)
    return message, _TRY_LATER if later else _POLICY if code != "internal" else _INTERNAL
