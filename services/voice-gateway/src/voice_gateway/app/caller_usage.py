"""How much has each caller used, and may it have more? Calls, audio and typed turns of an identity, on this gateway."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from serving.identity.usage_limits import Exceeded, Usage, UsageLimits

from voice_gateway.core.admission import Refusal, RefusalKind
from voice_gateway.core.events import Caller, EndReason, Failed, Failure
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.edges.held_transcription import HeldTranscription
from voice_gateway.errors import Refused

HeldSession: TypeAlias = HeldCall | HeldTranscription


class CallerUsage:
    """Of every identity. Callers without a name are not counted: nobody was asked who they are."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._usage = Usage()
        self._charged_s: dict[str, float] = {}
        """Audio of each running call that is counted already, by the session's name."""

    def begin(self, caller: Caller, operators: UsageLimits, calls: Iterable[HeldSession]) -> None:
        """A call begins beside `calls`, and is counted. Raises Refused."""
        if not caller.identity:
            return
        limits = operators.overridden(caller.limits)
        if limits.audio_s_per_hour or limits.audio_s_per_day:
            for call in calls:
                self._charge(call, operators)
        if exceeded := self._usage.begin(caller.identity, limits, self._clock()):
            raise Refused(Refusal(RefusalKind.TOKEN_BUSY, exceeded.sentence, exceeded.retry_after_s))

    def give_back(self, caller: Caller) -> None:
        """The call that was counted did not begin after all."""
        if caller.identity:
            self._usage.end(caller.identity, self._clock())

    def end(self, call: HeldSession, operators: UsageLimits) -> None:
        """A call that was counted is over."""
        self._charge(call, operators)
        self._charged_s.pop(call.session.name, None)
        if identity := call.session.caller.identity:
            self._usage.end(identity, self._clock())

    def typed(self, caller: Caller, operators: UsageLimits) -> Exceeded | None:
        """A turn is typed, and is counted; or why it is not taken."""
        if not caller.identity:
            return None
        return self._usage.typed(caller.identity, operators.overridden(caller.limits), self._clock())

    def end_exceeded(self, calls: Iterable[HeldSession], operators: UsageLimits) -> None:
        """Count the audio of `calls`, and end those whose callers have sent all that they may."""
        for call in calls:
            caller = call.session.caller
            self._charge(call, operators)
            limits = operators.overridden(caller.limits)
            exceeded = self._usage.audio_exceeded(caller.identity, limits, self._clock()) if caller.identity else None
            if exceeded:
                sentence, after_s = exceeded.sentence, exceeded.retry_after_s
                call.refusals.report(Failed(Failure.OVERLOADED, sentence, True, after_s, fatal=True))
                call.session.end(EndReason.FAILED, sentence)

    def _charge(self, call: HeldSession, operators: UsageLimits) -> None:
        caller, name, received_s = call.session.caller, call.session.name, call.session.received_s
        if caller.identity:
            more_s = received_s - self._charged_s.get(name, 0.0)
            self._usage.heard(caller.identity, more_s, operators.overridden(caller.limits), self._clock())
            self._charged_s[name] = received_s
