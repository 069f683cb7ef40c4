"""What does an edge keep with a call from stream to stream? Formats, numbering, and how much its caller may still send.

The registry holds it for as long as the call lives, so a stream that takes the call up again finds all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pcm import AudioFormat
from serving.identity.usage_limits import Exceeded

from voice_gateway.core.events import INPUT_RATE_HZ, CallOptions
from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.audio import AudioIn, AudioOut
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.refusal_reports import RefusalReports
from voice_gateway.errors import RateLimited
from voice_gateway.session.session import Session


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What this gateway is."""

    version: str
    asr_model: str
    llm_model: str
    voice: str
    max_session_s: float
    resume_life_s: float
    start_timeout_s: float


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What a caller asked for, after checking."""

    options: CallOptions
    input: AudioFormat
    output: AudioFormat

    @property
    def input_ratio(self) -> float:
        """The rate of the caller's audio over the call's."""
        return self.input.rate_hz / INPUT_RATE_HZ


@dataclass(frozen=True, slots=True)
class CallAudio:
    """Both directions of a call's audio."""

    input: AudioIn
    output: AudioOut


@dataclass(frozen=True, slots=True)
class CallerRates:
    """How much the caller may still send."""

    messages: TokenBucket
    typed_turns: TokenBucket
    typed_in_all: Callable[[], Exceeded | None]
    """Counts a typed turn of the caller in all of its calls, or says why it may not be."""

    def admit_typed_turn(self, age_s: float, limits: Limits) -> None:
        """A typed turn comes `age_s` after the call began. Raises RateLimited."""
        if wait_s := self.typed_turns.take(age_s):
            raise RateLimited(
                f"more than {limits.typed_turns_burst} typed turns at once, or {limits.typed_turns_per_s:g} a "
                f"second after that; this one was not taken, send it again in {wait_s:.1f} s",
                wait_s,
            )
        if exceeded := self.typed_in_all():
            wait_s = exceeded.retry_after_s
            raise RateLimited(f"{exceeded.sentence}; this one was not taken, send it again in {wait_s:.1f} s", wait_s)


class CarryingStream(Protocol):
    """A stream that carries a call."""

    def replaced(self) -> None:
        """Another stream carries the call now."""


class HeldCall:
    """One call, and what its streams have in common."""

    def __init__(
        self,
        session: Session,
        request: CallRequest,
        token: str,
        server_info: ServerInfo,
        limits: Limits,
        typed_in_all: Callable[[], Exceeded | None] = lambda: None,
    ) -> None:
        self.session = session
        self.request = request
        self.token = token
        self.server_info = server_info
        """What held when the call began."""
        self.limits = limits
        self.audio = CallAudio(
            AudioIn(request.input, limits.max_audio_s, limits.max_ahead_s),
            AudioOut(request.output, session.options.output_rate_hz),
        )
        self.last_seq = 0
        """Number of the caller's last message."""
        self.rates = CallerRates(
            TokenBucket(limits.messages_per_s, limits.messages_burst),
            TokenBucket(limits.typed_turns_per_s, limits.typed_turns_burst),
            typed_in_all,
        )
        self.refusals = RefusalReports(session, limits)
        self._stream: CarryingStream | None = None

    def attach(self, stream: CarryingStream) -> None:
        """`stream` carries the call from now on, and one that carried it before does not."""
        if self._stream is not None:
            self._stream.replaced()
        self._stream = stream
        self.session.attach()

    def detach(self, stream: CarryingStream) -> bool:
        """`stream` is gone. False = another one had taken over, and the call goes on there."""
        if self._stream is not stream:
            return False
        self._stream = None
        # A caller who numbers its messages can take the call up again.
        self.session.detach(returns=self.last_seq > 0)
        return True
