"""How is a caller told what can't be used? Each time, but a flood of it in a few lines."""

from dataclasses import replace
from typing import Protocol

from voice_gateway.core.events import Failed
from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.limits import Limits


class ToldSession(Protocol):
    """Whose caller is told."""

    @property
    def age_s(self) -> float:
        """Seconds since it began."""

    def send(self, event: Failed) -> None:
        """Something the caller should know."""


class RefusalReports:
    """One session's."""

    def __init__(self, session: ToldSession, limits: Limits) -> None:
        self._session = session
        self._errors = TokenBucket(limits.errors_per_s, limits.errors_burst)
        self._unreported = 0

    def report(self, failed: Failed) -> None:
        """Something that was sent is not taken."""
        if not failed.fatal and self._errors.take(self._session.age_s):
            self._unreported += 1
            return
        more = f" ({self._unreported} messages before it were not taken either)" if self._unreported else ""
        self._unreported = 0
        self._session.send(replace(failed, sentence=failed.sentence + more))
