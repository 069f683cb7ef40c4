"""Is the recogniser stuck? After a second of speech, or when asked for a final, it owes a word."""

import asyncio
from collections.abc import Callable

_CERTAINLY_WORDS_S = 1.0
"""A recogniser may pass over less than this much sound without a word."""


class RecogniserWatch:
    """Calls `stuck` when a word is owed and none comes for `limit_s`."""

    def __init__(self, limit_s: float, stuck: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._stuck = stuck
        self._unanswered_s = 0.0
        """Speech since the recogniser last said something."""
        self._owed = asyncio.Event()
        self._answer = asyncio.Event()

    def spoken(self, seconds: float) -> None:
        """The caller has spoken for so much longer."""
        self._unanswered_s += seconds
        if self._unanswered_s > _CERTAINLY_WORDS_S:
            self.asked()

    def asked(self) -> None:
        """The recogniser was asked for a final."""
        if not self._owed.is_set():
            self._answer.clear()
            self._owed.set()

    def answered(self) -> None:
        """It said something."""
        self._unanswered_s = 0.0
        self._answer.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._owed.wait()
            try:
                async with asyncio.timeout(self._limit_s):
                    await self._answer.wait()
            except TimeoutError:
                self._stuck()
            self._unanswered_s = 0.0
            self._owed.clear()
