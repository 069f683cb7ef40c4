"""May one more stream start, and when have all ended?"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from speech_server.errors import Busy, NotServing

STARTING = "The server is starting; try again in a moment."


class Admission:
    """Counts what is being served of one kind, and refuses what doesn't fit."""

    def __init__(self, kind: str, limit: int, retry_after_ms: int) -> None:
        self._kind = kind
        self._limit = limit
        self._retry_after_ms = retry_after_ms
        self._active = 0
        self._is_open = False
        self._why_not = STARTING
        self._idle = asyncio.Event()

    def open(self) -> None:
        """Requests are taken from now on."""
        self._is_open = True

    def close(self, why: str) -> None:
        """Requests are refused from now on, with this sentence."""
        self._is_open, self._why_not = False, why
        self._note_idle()

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place for the length of the block. Raises Busy or NotServing."""
        if not self._is_open:
            raise NotServing(self._why_not)
        if self._active >= self._limit:
            raise Busy(
                f"All {self._limit} {self._kind} are in use; try again after retry-after-ms, or elsewhere.",
                self._retry_after_ms,
            )
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1
            self._note_idle()

    async def until_idle(self) -> None:
        """Wait, after `close`, for the last request to end."""
        await self._idle.wait()

    def _note_idle(self) -> None:
        if not self._is_open and not self._active:
            self._idle.set()
