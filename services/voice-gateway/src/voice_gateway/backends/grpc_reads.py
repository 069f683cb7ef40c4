"""How is a gRPC stream read by somebody who may be cancelled? The read itself never is: only its call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

T = TypeVar("T")

_ENDS_WITHIN_S = 0.5
"""A read whose call was cancelled; one that stays beyond that is cancelled itself, and its message lost to memory."""


async def read(
    call: "grpc.aio.StreamStreamCall[Any, T]", wait: Callable[[Awaitable[T | None]], Awaitable[T | None]]
) -> T | None:
    """The next message as `call.read()` gives it, waited for by `wait`; if that is cancelled or fails, so is the call.

    A read that is cancelled keeps the message that comes to it all the same: grpcio frees it only when somebody takes
    it (1.85; 8 KB of audio for each interrupted reply). A cancelled call ends its read at once, with or without one.
    """
    reading: asyncio.Future[Any] = asyncio.ensure_future(call.read())
    try:
        return await wait(asyncio.shield(reading))
    except BaseException:
        call.cancel()
        if not (await asyncio.wait([reading], timeout=_ENDS_WITHIN_S))[0]:
            reading.cancel()
        elif not reading.cancelled():
            reading.exception()  # taken note of
        raise
