"""May one more request start, now or after a wait, and when have all ended? One gate for every wire.

A live stream is taken or refused at once (`admit`): its audio does not wait. A whole recording may queue (`queue_up`):
first come, first served, at most so many, and none longer than it is worth waiting for.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from speech_server.errors import Busy, NotServing, WaitedTooLong

STARTING = "The server is starting; try again in a moment."

Place = asyncio.Future[None]


class Admission:  # size: two ways in and one way out, over one count
    """Counts what is being served of one kind, and refuses what doesn't fit."""

    def __init__(
        self, kind: str, limit: int, retry_after_ms: int, *, queue: int = 0, longest_wait_s: float = 0.0
    ) -> None:
        """`limit` at once; `queue` more may wait, each at most `longest_wait_s`."""
        self.kind = kind
        """What is counted here, as a plural."""
        self.limit = limit
        """How many may hold a place."""
        self._retry_after_ms = retry_after_ms
        self._queue = queue
        self._longest_wait_s = longest_wait_s
        self.active = 0
        """How many hold a place."""
        # Bounded by `queue`: who finds it full is refused.
        self._line: deque[Place] = deque()
        self._is_open = False
        self._why_not = STARTING
        self._idle = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Admission {self.kind}: {self.active}/{self.limit} active, {len(self._line)}/{self._queue} waiting>"

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    def open(self) -> None:
        """Requests are taken from now on."""
        self._is_open = True

    def close(self, why: str) -> None:
        """Requests are refused from now on, with this sentence; those in line may still be served."""
        self._is_open, self._why_not = False, why
        self._note_idle()

    def check(self) -> None:
        """Would a request be taken now, perhaps into the line? Raises Busy or NotServing, before its body is read."""
        if not self._is_open:
            raise NotServing(self._why_not)
        if self.active >= self.limit and len(self._line) >= self._queue:
            raise Busy(self._full(), self._retry_after_ms)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place for the length of the block, without waiting for one. Raises Busy or NotServing."""
        if not self._is_open:
            raise NotServing(self._why_not)
        if self.active >= self.limit or self._line:
            raise Busy(self._full(), self._retry_after_ms)
        self.active += 1
        try:
            yield
        finally:
            self._give_back()

    @asynccontextmanager
    async def queue_up(self) -> AsyncIterator[float]:
        """Hold a place for the length of the block; gives the seconds it was waited for.

        Raises Busy when the line is full, WaitedTooLong when no place came in time, NotServing.
        """
        self.check()
        began = time.monotonic()
        await self._place()
        try:
            yield time.monotonic() - began
        finally:
            self._give_back()

    async def until_idle(self) -> None:
        """Wait, after `close`, for the last request to end."""
        await self._idle.wait()

    async def _place(self) -> None:
        if self.active < self.limit and not self._line:
            self.active += 1
            return
        place: Place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await place
        except BaseException as error:
            self._leave(place)
            if isinstance(error, TimeoutError):
                raise WaitedTooLong(
                    f"No place among the {self.limit} {self.kind} came free within {self._longest_wait_s:g} s; "
                    "try again later, or elsewhere."
                ) from error
            raise

    def _leave(self, place: Place) -> None:
        """Out of the line; a place that came in the same moment goes to the next."""
        if place.done() and not place.cancelled():
            self._give_back()
        elif place in self._line:
            self._line.remove(place)
            self._note_idle()

    def _give_back(self) -> None:
        """The next in line takes the place over; nobody in line, it is free."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.active -= 1
        self._note_idle()

    def _note_idle(self) -> None:
        if not self._is_open and not self.active and not self._line:
            self._idle.set()

    def _full(self) -> str:
        waiting = f" and {self._queue} wait" if self._queue else ""
        return f"All {self.limit} {self.kind} are in use{waiting}; try again after retry-after-ms, or elsewhere."
