"""When is a client's next message read? When it may have been spoken and the recogniser keeps up; until then it waits.

What is not read fills the buffers of the connection, and TCP holds the client back. One that is held back for a while
is warned; one that is held back for far too long is told why, and its stream ends.
"""

import asyncio
from collections.abc import Callable

from voice_gateway.core.audio_pace import AudioPace
from voice_gateway.core.events import Failed, Failure
from voice_gateway.edges.held_transcription import HeldTranscription

_LOOK_AGAIN_S = 0.1
_WARN_AFTER_S, _WARN_EVERY_S = 1.0, 10.0
TOO_FAST, BEHIND = "too fast", "recognition is behind"


class BackPressure:
    """One stream's reader waits here."""

    def __init__(self, stream: HeldTranscription, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._pace = AudioPace(stream.limits.max_ahead_s, clock())
        self._held_since: float | None = None
        """Since when each message has had to wait."""
        self._warned_at: float | None = None

    def taken(self, length_s: float) -> None:
        """So much audio was taken."""
        self._pace.take(length_s)

    async def message(self, size_bytes: int) -> None:
        """Return when a message of this size may be taken."""
        limits, session = self._stream.limits, self._stream.session
        while wait_s := self._stream.messages.take(session.age_s, 1 + size_bytes // limits.message_unit_bytes):
            sentence = (
                f"more than {limits.messages_per_s:g} messages a second came, or too large ones; the gateway reads on "
                "at that rate, send fewer"
            )
            self._stream.refusals.report(Failed(Failure.OVERLOADED, sentence, True, wait_s))
            await asyncio.sleep(wait_s)

    async def ready(self) -> bool:
        """Return when more audio may be read; False = the stream was ended, for it was held back for too long."""
        wait_s, reason = self._wait()
        if not wait_s:
            self._held_since = None
            return True
        now = self._clock()
        self._held_since = now if self._held_since is None else self._held_since
        self._stream.session.hold(True)
        try:
            while wait_s:
                if self._is_too_long(reason):
                    return False
                self._warn(reason)
                await asyncio.sleep(min(wait_s, _LOOK_AGAIN_S))
                wait_s, reason = self._wait()
        finally:
            self._stream.session.hold(False)
        return True

    def _wait(self) -> tuple[float, str]:
        """How long to wait at least, and why; 0 = not at all."""
        if self._stream.session.behind_s > self._stream.limits.max_behind_s:
            return _LOOK_AGAIN_S, BEHIND
        return self._pace.wait_s(self._clock()), TOO_FAST

    def _held_s(self) -> float:
        return 0.0 if self._held_since is None else self._clock() - self._held_since

    def _is_too_long(self, reason: str) -> bool:
        limits = self._stream.limits
        limit_s = limits.max_behind_for_s if reason == BEHIND else limits.max_held_back_s
        if self._held_s() < limit_s:
            return False
        sentence = f"{self._cause(reason)} for {limit_s:g} s; the stream is ended"
        failure = Failure.ASR_TIMEOUT if reason == BEHIND else Failure.OVERLOADED
        self._stream.session.held_back(reason, Failed(failure, sentence, retryable=reason == BEHIND, fatal=True))
        return True

    def _warn(self, reason: str) -> None:
        now = self._clock()
        if self._held_s() < _WARN_AFTER_S or (self._warned_at is not None and now - self._warned_at < _WARN_EVERY_S):
            return
        self._warned_at = now
        sentence = f"{self._cause(reason)}; the gateway reads on as fast as it can take it"
        self._stream.session.held_back(reason, Failed(Failure.OVERLOADED, sentence, retryable=True))

    def _cause(self, reason: str) -> str:
        if reason == BEHIND:
            return f"recognition is more than {self._stream.limits.max_behind_s:g} s behind the audio"
        rate_hz = self._stream.request.input.rate_hz
        return f"audio comes faster than it can be spoken (is it really {rate_hz} Hz?)"
