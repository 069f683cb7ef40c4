"""What happens when work that goes on beside the calls breaks? It is logged and begun again; no call may end by it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

BEGIN_AGAIN_AFTER_S = 1.0


Work = Callable[[], Awaitable[None]]


async def kept_up(name: str, work: Work) -> None:
    """Run `work` until it returns or is cancelled; whatever it raises, it is begun again."""
    while True:
        try:
            return await work()
        except Exception:
            log.exception("%s failed; it starts again in %g s", name, BEGIN_AGAIN_AFTER_S)
        await asyncio.sleep(BEGIN_AGAIN_AFTER_S)
