"""How does a delay end when it should? By its due time, so that delays do not add up."""

import asyncio
import time


async def sleep_until(due: float) -> None:
    """Return at `due` (time.monotonic()), never before it; at once when it has passed."""
    # Loops round their timers, some by a millisecond in either direction.
    while (left := due - time.monotonic()) > 0:  # noqa: ASYNC110 - the clock is no event
        await asyncio.sleep(left)
