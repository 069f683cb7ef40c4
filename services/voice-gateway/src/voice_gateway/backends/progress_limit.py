"""How long may a backend go on without progress? Messages that bring nothing are none, so they extend no limit."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from voice_gateway.backends.errors import deadline
from voice_gateway.errors import Service

T = TypeVar("T")


class ProgressLimit:
    """`first_s` from the request to the first of `what`, `next_s` from one to the next. Only waiting for the backend
    counts: what the one who asked does in between is none of its fault."""

    def __init__(self, service: Service, what: str, first_s: float, next_s: float) -> None:
        self._service = service
        self._what = what
        self._first_s = first_s
        self._next_s = next_s
        self._limit_s = self._left_s = first_s

    @property
    def left_s(self) -> float:
        """Seconds until the limit."""
        return self._left_s

    def progressed(self) -> None:
        """It came: the limit is that for the next one."""
        self._limit_s = self._left_s = self._next_s

    def restart(self) -> None:
        """It is asked again, with the limit for a first one."""
        self._limit_s = self._left_s = self._first_s

    async def wait(self, work: Awaitable[T]) -> T:
        """What `work` brings. Raises TooSlow at the limit."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with deadline(self._service, self._limit_s, self._what):
            try:
                # Not wait_for: for each message it would make a task.
                async with asyncio.timeout(max(0.0, self._left_s)):
                    return await work
            finally:
                self._left_s -= loop.time() - began
