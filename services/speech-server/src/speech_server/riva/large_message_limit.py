"""How many large requests are in memory at once? A few, whatever may be recognised at once; small ones don't count."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from google.protobuf.message import Message

MOST = 8
LARGE_BYTES = 1 << 20
_M = TypeVar("_M", bound=Message)


class LargeMessages:
    """Of one method. Whether a request is large is known once it is read: so no more than MOST are read at once."""

    def __init__(self, most: int = MOST) -> None:
        self._places = asyncio.Semaphore(most)

    @asynccontextmanager
    async def read(self, read: Callable[[], Awaitable[_M]]) -> AsyncIterator[_M]:
        """The request, for the length of the block."""
        await self._places.acquire()
        held = True
        try:
            request = await read()
            if request.ByteSize() <= LARGE_BYTES:
                held = False
                self._places.release()
            yield request
        finally:
            if held:
                self._places.release()
