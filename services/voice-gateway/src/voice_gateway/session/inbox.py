"""What waits for the turn machine? Facts in order; partials that nobody has looked at yet become one."""

import asyncio
from collections import deque
from dataclasses import replace
from typing import TypeGuard

from voice_gateway.core.events import CallEnded
from voice_gateway.core.floor import Event, Heard

LIMIT = 256
"""Far more than a call brings in a second; a full inbox means the loop is stuck, and the call ends."""


class InboxFull(Exception):
    """The call can't keep up."""


class Inbox:
    """A bounded queue with one reader."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._facts: deque[Event | CallEnded] = deque()
        self._limit = limit
        self._ready = asyncio.Event()

    def put(self, fact: Event | CallEnded) -> None:
        """Queue a fact. Raises InboxFull; the end of the call always fits."""
        facts = self._facts
        if facts and _is_partial(fact) and _is_partial(facts[-1]):
            facts[-1] = _joined(facts[-1], fact)
            return
        if len(facts) >= self._limit and not isinstance(fact, CallEnded):
            raise InboxFull
        facts.append(fact)
        self._ready.set()

    async def get(self) -> Event | CallEnded:
        """The oldest fact."""
        while not self._facts:
            self._ready.clear()
            await self._ready.wait()
        return self._facts.popleft()


def _is_partial(fact: Event | CallEnded) -> TypeGuard[Heard]:
    return isinstance(fact, Heard) and not fact.final and fact.stability < 1.0


def _joined(before: Heard, after: Heard) -> Heard:
    """One fact for two: a partial without words only tells how far the recogniser has come."""
    return after if after.text else replace(before, until=after.until)
