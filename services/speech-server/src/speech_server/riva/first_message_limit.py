"""How many calls may be waiting for their first message? A few: one more ends the one that has waited longest.

So a peer that opens streams and sends nothing, or a large message slowly, holds a bounded number of them, and keeps
nobody else out: who means it sends at once, and is through before its place is needed.
"""

import asyncio
from typing import Any

from speech_server.errors import Busy, TooQuiet

MOST = 32
WITHIN_S = 30.0


class FirstMessages:
    """The calls of one server that have sent none yet."""

    def __init__(self, within_s: float, retry_after_ms: int, most: int = MOST) -> None:
        self._within_s = min(within_s, WITHIN_S)
        self._retry_after_ms = retry_after_ms
        self._most = most
        # In the order they came.
        self._waiting: dict[asyncio.Timeout, None] = {}
        self._let_go: set[asyncio.Timeout] = set()

    async def read(self, context: Any) -> object:
        """The first message's bytes, or grpc.aio.EOF. Raises TooQuiet, Busy."""
        if len(self._waiting) >= self._most:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self._let_go.add(oldest)
            oldest.reschedule(asyncio.get_running_loop().time())
        deadline = asyncio.timeout(self._within_s)
        try:
            async with deadline:
                self._waiting[deadline] = None
                return await context.read()
        except TimeoutError:
            if deadline in self._let_go:
                raise Busy(
                    f"More than {self._most} calls have sent nothing yet, and this one was the oldest; "
                    "send the first message at once.",
                    self._retry_after_ms,
                ) from None
            raise TooQuiet(f"No message came for {self._within_s:g} s; send the first one at once.") from None
        finally:
            self._waiting.pop(deadline, None)
            self._let_go.discard(deadline)
