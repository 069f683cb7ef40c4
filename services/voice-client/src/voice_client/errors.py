"""What can go wrong with a call, in the caller's words?

    VoiceError             every failure of a call; str() is a sentence that says what to do
    ├── Unreachable        nobody answers at the address
    ├── Refused            the gateway answers, but takes no call from us
    │   ├── Busy           not now: `retry_after_s` says when to ask again
    │   └── Unauthorised   not with this token or certificate
    ├── BadRequest         what we asked for is not served; the sentence says what to send instead
    ├── CallLost           the stream dropped and the call could not be resumed
    └── CallFailed         the gateway gave up on the call

Statuses of gRPC stop here: `of_status` is the only place that knows them.
"""

from collections.abc import Mapping

import grpc

from voice_client.unreachable import reason

_REFUSING = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
_BAD = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.FAILED_PRECONDITION,
}
_DROPPED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
}
"""Statuses that a broken connection or a dying gateway leaves behind: the call itself may still be there."""


class VoiceError(Exception):
    """A call failed; `retry_after_s` is set where the gateway said when to try again."""

    def __init__(self, sentence: str, retry_after_s: float | None = None, *, dropped: bool = False) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
        self.dropped = dropped
        """True: only the stream broke; a call with a resume token may go on."""


class Unreachable(VoiceError):
    """Nobody answers at the address."""


class Refused(VoiceError):
    """The gateway answers, but takes no call from us."""


class Busy(Refused):
    """No room now, or draining; ask again after `retry_after_s`."""


class Unauthorised(Refused):
    """The token or certificate is missing or not accepted."""


class BadRequest(VoiceError):
    """The gateway does not serve what was asked."""


class CallLost(VoiceError):
    """The stream dropped and the call could not be resumed."""


class CallFailed(VoiceError):
    """The gateway gave up on the call."""


def of_status(error: grpc.aio.AioRpcError, target: str) -> VoiceError:
    """The error of ours that says what `error` means to a caller of `target`."""
    code, sentence = error.code(), error.details() or error.code().name
    retry_after_s = _retry_after_s(error)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED or (
        code is grpc.StatusCode.UNAVAILABLE and retry_after_s is not None
    ):
        return Busy(sentence, retry_after_s, dropped=code is grpc.StatusCode.UNAVAILABLE)
    if code is grpc.StatusCode.UNAVAILABLE:
        return Unreachable(f"no voice gateway answers at {target}: {reason(sentence)}", dropped=True)
    if code in _REFUSING:
        return Unauthorised(sentence, retry_after_s)
    if code in _BAD:
        return BadRequest(sentence, retry_after_s)
    return CallFailed(sentence, retry_after_s, dropped=code in _DROPPED)


def _retry_after_s(error: grpc.aio.AioRpcError) -> float | None:
    trailers: Mapping[str, str | bytes] = dict(error.trailing_metadata() or ())
    value = trailers.get("retry-after-ms")
    try:
        return None if value is None else float(value) / 1000
    except ValueError:
        return None
