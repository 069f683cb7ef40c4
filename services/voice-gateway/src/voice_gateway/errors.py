"""What can go wrong, as a caller sees it.

    VoiceError
     ├─ Refused            no call now: all taken, draining, a backend down
     ├─ Unauthorised       no call without an accepted token
     ├─ BadRequest         the caller's message can't be served as it is
     ├─ Forbidden          ... and the operator does not let callers choose that
     ├─ RateLimited        ... now, and may be sent again later
     ├─ Unsupported        ... and never will be by this gateway
     ├─ NotFound           no call waits under this resume token
     ├─ StreamReplaced     this stream ends, the call may go on on another
     └─ Upstream           a backend failed
         ├─ Unavailable    it can't be reached, or refuses
         ├─ TooSlow        it missed a deadline
         └─ Broken         it answered nonsense, or nothing
             └─ ChatTooLong    the language model takes a shorter chat only

Each message is a sentence that says what to do. Edges map the tree to their wire; nothing else leaves a backend.
"""

from typing import Literal

from voice_gateway.core.admission import Refusal
from voice_gateway.core.events import Failed, Failure

Service = Literal["asr", "llm", "tts"]


class VoiceError(Exception):
    """Anything a caller may be told."""


class Refused(VoiceError):
    """No call can start now."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


class Unauthorised(VoiceError):
    """The caller's token is missing or not accepted."""


class BadRequest(VoiceError):
    """The message can't be served; the sentence says what to send instead."""


class Forbidden(VoiceError):
    """The operator does not let callers choose what this one asked for."""


class RateLimited(VoiceError):
    """More than one call may ask for at a time; after `retry_after_s` it can be sent again."""

    def __init__(self, sentence: str, retry_after_s: float) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class Unsupported(VoiceError):
    """What was asked for is in the contract and not served here."""


class NotFound(VoiceError):
    """No call waits under this token."""


class StreamReplaced(VoiceError):
    """The stream is given up; the call goes on on another one, or may."""


class Upstream(VoiceError):
    """A backend failed."""

    kind = "broken"

    def __init__(
        self,
        service: Service,
        sentence: str,
        *,
        retryable: bool = True,
        retry_after_s: float = 0.0,
        overloaded: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.service = service
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        """When the backend wants to be asked again; 0 = it does not say."""
        self.overloaded = overloaded
        """It has more to do than it can: fewer requests would help it."""


class Unavailable(Upstream):
    """The backend can't be reached, or refuses."""

    kind = "unavailable"


class TooSlow(Upstream):
    """The backend missed a deadline."""

    kind = "timeout"


class Broken(Upstream):
    """The backend answered what can't be used, or nothing."""


class ChatTooLong(Broken):
    """The language model takes a shorter chat only: at most `limit_tokens` with its answer. 0 = it does not say."""

    def __init__(self, sentence: str, limit_tokens: int = 0) -> None:
        super().__init__("llm", sentence, retryable=False)
        self.limit_tokens = limit_tokens


class ToolFailed(Exception):
    """A tool can't be used, or says that it failed. The language model is told the sentence, not the caller."""


def no_text() -> Broken:
    """The model answered, and there is nothing to say."""
    return Broken("llm", "the language model answered with no text; ask again")


def failed(error: Upstream, *, fatal: bool = False) -> Failed:
    """What the caller is told of a backend's failure."""
    failure = Failure(f"{error.service}_{error.kind}")
    return Failed(failure, str(error), error.retryable, error.retry_after_s, fatal)
