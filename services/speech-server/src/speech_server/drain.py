"""What do long streams and kept connections hear of a server that is about to stop?

    SIGTERM ─ notice ─▶ GOAWAY ─ half the grace ─▶ streams leave at a pause ─ rest of the grace ─▶ streams leave at once

A call-long stream would hold its client on the dying server until the end. It leaves between two utterances, or two
texts, where nothing is lost: UNAVAILABLE, and its client opens another stream elsewhere. A stream that would end by
itself, such as one that sends a file, has half the grace for it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from speech_server.errors import NotServing

LEAVE = "The server is draining; open the stream again, another server takes it."
LEAVE_WITHIN_S = 1.0
"""Streams that are told to leave at once have so long to tell their clients."""
_LOOK_EVERY_S = 0.05
_T = TypeVar("_T")


class Drain:
    """How far the end of the server has come; it never goes back."""

    def __init__(self) -> None:
        self.has_begun = False
        """Is the server on its way out?"""
        self._at_pause = asyncio.Event()
        self._at_once = asyncio.Event()

    def begin(self) -> None:
        """Connections are not kept from now on."""
        self.has_begun = True

    def leave_at_pause(self) -> None:
        """Long streams end where nothing is lost."""
        self._at_pause.set()

    def leave_at_once(self) -> None:
        """Long streams end."""
        self._at_pause.set()
        self._at_once.set()

    def check(self) -> None:
        """Raises NotServing when streams end wherever they are."""
        if self._at_once.is_set():
            raise NotServing(LEAVE)

    async def until(self, paused: Callable[[], bool]) -> None:
        """Wait until a stream has to end: at a moment when it is `paused`, or at once."""
        await self._at_pause.wait()
        while not paused() and not self._at_once.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._at_once.wait()

    async def unless(self, waiting: Awaitable[_T]) -> _T:
        """What `waiting`, a pause of its stream, gives. Raises NotServing when the stream has to end meanwhile."""
        work = asyncio.ensure_future(waiting)
        leave = asyncio.ensure_future(self._at_pause.wait())
        try:
            await asyncio.wait({work, leave}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise NotServing(LEAVE)
            return work.result()
        finally:
            leave.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})


@asynccontextmanager
async def leaving(
    drain: Drain, paused: Callable[[], bool], leave: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """`leave` ends what runs inside, at a moment when it is `paused` or at once. Raises exceptions in a group."""

    async def watch() -> None:
        await drain.until(paused)
        await leave()

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch(), name="drain watch")
        yield
        watching.cancel()


async def let_end(drain: Drain, ended: Coroutine[None, None, None], hurried: asyncio.Event, grace_s: float) -> None:
    """Wait for `ended`, telling long streams to leave when their time has come; not once it is `hurried`."""
    steps = ((grace_s / 2, drain.leave_at_pause), (grace_s / 2, drain.leave_at_once), (LEAVE_WITHIN_S, lambda: None))
    async with asyncio.TaskGroup() as tasks:
        waits = {tasks.create_task(ended, name="drain"), tasks.create_task(_until(hurried), name="hurry")}
        for longest_s, then in steps:
            done, _ = await asyncio.wait(waits, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
            if done:
                break
            then()
        for wait in waits:
            wait.cancel()


async def _until(event: asyncio.Event) -> None:
    await event.wait()
