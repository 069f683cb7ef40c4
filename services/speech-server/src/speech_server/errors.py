"""Why was a request not served? Every sentence is for the caller.

SpeechError
  BadRequest   the caller can do better; says how          INVALID_ARGUMENT
  NotFound     asked for something that isn't here         NOT_FOUND
  Unauthorised without one of the operator's tokens        UNAUTHENTICATED
  Forbidden    with one that does not allow this           PERMISSION_DENIED
  Busy         full now; says when to come back            RESOURCE_EXHAUSTED
  NotServing   starting or draining; go elsewhere          UNAVAILABLE
  TooQuiet     nothing came for too long                   DEADLINE_EXCEEDED
  NotRead      the answer was not read for too long        DEADLINE_EXCEEDED
  WaitedTooLong  no place came free in time                DEADLINE_EXCEEDED
  TooLarge     more than is taken in one request           INVALID_ARGUMENT

EngineError
  EngineUnavailable  the engine can't run here, or died  UNAVAILABLE
  EngineBusy         no more streams fit now             RESOURCE_EXHAUSTED
"""


class SpeechError(Exception):
    """A request that is not served."""


class BadRequest(SpeechError):
    """The request is wrong; the sentence says what to send instead."""


class NotFound(SpeechError):
    """The request names something that isn't here."""


class Unauthorised(SpeechError):
    """The request carries no token, or one that is not accepted."""


class Forbidden(SpeechError):
    """The request's token does not allow this, or its web page may not ask."""


class Busy(SpeechError):
    """No room now; `retry_after_ms` says when it may be worth another try."""

    def __init__(self, sentence: str, retry_after_ms: int) -> None:
        super().__init__(sentence)
        self.retry_after_ms = retry_after_ms


class NotServing(SpeechError):
    """The server is starting or draining."""


class TooQuiet(SpeechError):
    """The client sent nothing for longer than the idle limit."""


class NotRead(SpeechError):
    """The client read nothing of its answer for longer than the limit."""


class WaitedTooLong(SpeechError):
    """The request stood in line until waiting made no sense any more."""


class TooLarge(BadRequest):
    """The request carries more bytes, or more seconds of audio, than the server takes at once."""


class EngineError(Exception):
    """An engine could not do its work; the message is a sentence for the caller."""


class EngineUnavailable(EngineError):
    """The engine can't run here, or died."""


class EngineBusy(EngineError):
    """No more streams fit now."""


def first_known(error: BaseException) -> BaseException:
    """The error itself; of a group, the first known one inside."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [first_known(one) for one in error.exceptions]
    return next((one for one in inner if isinstance(one, SpeechError | EngineError)), inner[0])


def first_line(error: Exception) -> str:
    """What an error says, in one line of at most 300 letters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
