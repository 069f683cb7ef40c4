"""One thread that does blocking work for the loop, and can be left behind when it hangs."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class WorkerThread:
    """Runs one piece of work after another. A daemon: a driver that hangs must not keep the process alive.

    Its queue is bounded by its one user, which gives it one piece at a time.
    """

    def __init__(self, name: str) -> None:
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """A future of the running loop. Cancelling it does not stop the work."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def order() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, result, error)

        self._orders.put(order)
        return future

    def leave(self) -> None:
        """No more work; the thread ends with what it does now, whenever that is."""
        self._orders.put(None)

    def join(self, longest_s: float) -> bool:
        """After `leave`: did it end in time?"""
        self._thread.join(longest_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            order()
