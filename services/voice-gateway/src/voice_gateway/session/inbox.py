"""What waits for the turn machine? Facts in order; partials that nobody has looked at yet become one."""

import asyncio
from collections import deque
from dataclasses import replace
from typing import TypeGuard

from voice_gateway.core.events import CallEnded
from voice_gateway.core.turn_types import Event, Heard

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
        self._is_paused = False

    @property
    def has_work(self) -> bool:
        """Whether a fact waits that may be given out."""
        return bool(self._facts) and not self._is_paused

    def pause(self) -> None:
        """Give out nothing but the end of the call until `go_on`."""
        self._is_paused = True

    def go_on(self) -> None:
        """Give out what waits."""
        self._is_paused = False
        self._ready.set()

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
        """The oldest fact; while paused, the end of the call."""
        while (fact := self._next()) is None:
            self._ready.clear()
            await self._ready.wait()
        return fact

    def _next(self) -> Event | CallEnded | None:
        if not self._is_paused:
            return self._facts.popleft() if self._facts else None
        return next((fact for fact in self._facts if isinstance(fact, CallEnded)), None)


def _is_partial(fact: Event | CallEnded) -> TypeGuard[Heard]:
    return isinstance(fact, Heard) and not fact.final and fact.stability < 1.0


def _joined(before: Heard, after: Heard) -> Heard:
    """One fact for two: a partial without words only tells how far the recogniser has come."""
    return after if after.text else replace(before, until=max(before.until, after.until))
