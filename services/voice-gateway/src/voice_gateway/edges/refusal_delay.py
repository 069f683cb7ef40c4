"""When is a caller told that its token is wrong? A moment later, so that guessing tokens is slow."""

import asyncio

from voice_gateway.edges.limits import Limits


class RefusalDelay:
    """Slows refusals down, a bounded number of them at once.

    The pause waits for nothing to happen: it is the price of a guess. What the caller sends meanwhile stays unread, and
    the status does not overtake its first message, which gRPC would make INTERNAL of. Example: with a delay of 0.2 s,
    who guesses one after another tries at most 5 tokens a second."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting = 0

    async def pause(self) -> None:
        """Return when the refusal may be told: at once where too many wait already."""
        if self._waiting >= self._limits.max_delayed_refusals:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(self._limits.refusal_delay_s)
        finally:
            self._waiting -= 1
