"""How many streams may be open that have not shown yet what they are? A few: one more lets the oldest of them go.

So a peer that opens streams and sends nothing holds a bounded number of them, and keeps nobody else out: a caller who
means it sends at once, and is through before its place is needed.
"""

import asyncio
from types import TracebackType

from voice_gateway.core.admission import Refusal, RefusalKind
from voice_gateway.errors import Refused


class OpenStreamLimit:
    """At most `most` at once; each is an `async with` in the stream's own task. Raises Refused in the one let go."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._sentence = f"more than {most} {what} are open on this gateway; this one was the oldest, try again"
        self._held: dict[asyncio.Task[object], None] = {}
        """In the order they came."""
        self._let_go: set[asyncio.Task[object]] = set()

    @property
    def held(self) -> int:
        """Streams that are open now."""
        return len(self._held)

    async def __aenter__(self) -> None:
        if len(self._held) >= self._most:
            oldest = next(iter(self._held))
            del self._held[oldest]
            self._let_go.add(oldest)
            oldest.cancel()
        self._held[_current()] = None

    async def __aexit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        task = _current()
        self._held.pop(task, None)
        if task in self._let_go:
            self._let_go.discard(task)
            if kind is asyncio.CancelledError and not task.uncancel():
                raise Refused(Refusal(RefusalKind.BUSY, self._sentence, 1.0))


def _current() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None, "a stream is served by a task"
    return task
