"""How does a test wait? Until something is true, woken by whoever changed something, never longer than a deadline."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

LIMIT_S = 30.0
"""Generous: only a test that fails reaches it. A gateway process starts in 1.3 s, and in 10 on a busy machine."""

T = TypeVar("T")


class Changes:
    """Wakes everybody who waits."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Something changed."""
        self._changed.set()

    async def until(self, look: Callable[[], T | None], wanted: str | Callable[[], str], limit_s: float = LIMIT_S) -> T:
        """What `look` finds, as soon as it finds something true. Raises AssertionError with what is `wanted`."""
        try:
            async with asyncio.timeout(limit_s):
                while not (found := look()):
                    self._changed.clear()
                    await self._changed.wait()
                return found
        except TimeoutError:
            wanted = wanted if isinstance(wanted, str) else wanted()
            raise AssertionError(f"{wanted}: not within {limit_s:g} s") from None
