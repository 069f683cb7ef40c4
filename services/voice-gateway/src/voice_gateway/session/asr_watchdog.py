"""Is the recogniser stuck? After a second of speech, or when asked for a final, it owes a word."""

import asyncio
from typing import Protocol

_CERTAINLY_WORDS_S = 1.0
"""A recogniser may pass over less than this much sound without a word."""
_SLOW_AFTER_S = 1.0
"""So long after a word is owed, a recogniser that is known to be quick stands still."""
_SLOWER = 3.0
"""A recogniser that has taken a while before may take so many times as long before it is given up."""


class WatchdogListener(Protocol):
    """Who does something about it."""

    def recogniser_slow(self) -> None:
        """A word is owed: another server may be better, if one is known to serve."""

    def recogniser_stuck(self) -> None:
        """No word came in time: this recogniser is lost."""


class AsrWatchdog:
    """Tells its listener soon after a word is owed and none comes, and once more when none has come for `limit_s`."""

    def __init__(self, limit_s: float, listener: WatchdogListener) -> None:
        self._limit_s = limit_s
        self._listener = listener
        self._slow_after_s = _SLOW_AFTER_S
        self._unanswered_s = 0.0
        """Speech since the recogniser last said something."""
        self._owes_final = False
        self._owed = asyncio.Event()
        self._answer = asyncio.Event()

    def spoken(self, seconds: float) -> None:
        """The caller has spoken for so much longer."""
        self._unanswered_s += seconds
        if self._unanswered_s > _CERTAINLY_WORDS_S:
            self._owe()

    def asked(self) -> None:
        """The recogniser was asked for a final."""
        self._owes_final = True
        self._owe()

    def _owe(self) -> None:
        if not self._owed.is_set():
            self._answer.clear()
            self._owed.set()

    def answered(self, *, settles: bool = True) -> None:
        """It said something new. What `settles`, a final or being through with all audio, pays for a final that was
        asked for; anything else only shows that it is at work."""
        self._unanswered_s = 0.0
        self._owes_final = self._owes_final and not settles
        self._answer.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._owed.wait()
            owed_at = clock()
            soon_s = min(self._slow_after_s, self._limit_s)
            answered = await self._answered_within(soon_s)
            if not answered:
                self._listener.recogniser_slow()
                answered = await self._answered_within(self._limit_s - soon_s)
            if answered:
                self._slow_after_s = max(self._slow_after_s, _SLOWER * (clock() - owed_at))
                self._answer.clear()
            else:
                self._listener.recogniser_stuck()
                self._owes_final = False
            if not self._owes_final:
                self._unanswered_s = 0.0
                self._owed.clear()

    async def _answered_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._answer.wait()
        except TimeoutError:
            return False
        return True
