"""How does a call of a minute run in a moment? On an event loop whose clock jumps to the next timer.

Nothing comes from outside: no socket, no thread. So where nothing is ready and no timer runs, nothing ever will happen
again, and that is told at once instead of waited for. The same program does the same each time.
"""

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any, TypeVar

T = TypeVar("T")

_STARTS_AT_S = 1000.0
"""Not 0: some clocks of the gateway mean "never" by it."""
_RESOLUTION_S = 1e-9
_MOST_TURNS_AT_ONCE = 100_000
_TO_CLOSE_S = 60.0
"""For what is cancelled at the end."""


class HangsForever(RuntimeError):
    """Nothing is ready and no timer runs: the program waits for something that will never come."""


class NeverWaits(RuntimeError):
    """The program goes on and on without ever waiting for time to pass."""


class NeverEnds(RuntimeError):
    """The program still runs at the end of its time."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on which `sleep(60)` takes no time."""

    def __init__(self, limit_s: float = inf) -> None:
        self._virtual_s = _STARTS_AT_S
        self._ends_at_s = _STARTS_AT_S + limit_s
        self._turns_at_once = 0
        super().__init__(_NothingOutside(self))
        self._clock_resolution = _RESOLUTION_S

    def time(self) -> float:
        """Seconds; stands still but for jumps."""
        return self._virtual_s

    def jump(self, seconds: float | None) -> None:
        """Nothing is ready for so long; None = and no timer runs."""
        if seconds is None:
            raise HangsForever("nothing is left that could happen: the call waits for ever")
        self._turns_at_once = 0 if seconds > 0 else self._turns_at_once + 1
        if self._turns_at_once > _MOST_TURNS_AT_ONCE:
            raise NeverWaits("the program runs on and on without letting time pass")
        self._virtual_s += seconds
        if self._virtual_s > self._ends_at_s:
            self._ends_at_s = self._virtual_s + _TO_CLOSE_S
            raise NeverEnds("the program runs on after the end of its time")

    async def getaddrinfo(self, host: Any, port: Any, **how: Any) -> Any:
        """Of addresses only; names would need a resolver outside."""
        return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, type=how.get("type", 0))

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """At once and here: a thread would be somebody outside."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class _NothingOutside(selectors.SelectSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.jump(timeout)
        return []


def run(work: Coroutine[Any, Any, T], limit_s: float = inf) -> T:
    """What `work` returns, in at most so much virtual time. Raises what it raises, HangsForever, NeverWaits or
    NeverEnds."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(limit_s)) as runner:
        return runner.run(work)
