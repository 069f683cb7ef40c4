"""What of a client that does not read its answer? A write that takes too long ends the call.

gRPC itself waits for ever: a client that is alive, and reads nothing, would keep its place and its engine. Once the
call is over, gRPC holds what was on its way (64 KiB) until the client reads it or hangs up.
"""

import asyncio
from typing import Any

from speech_server.errors import NotRead


class BoundedWrites:
    """A call's context; each of its writes ends within `within_s` seconds."""

    def __init__(self, context: Any, within_s: float) -> None:
        self._context = context
        self._within_s = within_s

    async def write(self, message: object) -> None:
        """Raises NotRead."""
        try:
            async with asyncio.timeout(self._within_s):
                await self._context.write(message)
        except TimeoutError:
            raise NotRead(
                f"The answer was not read for {self._within_s:g} s; read it while it comes, or cancel the call."
            ) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
