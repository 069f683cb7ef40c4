"""A reader that is cancelled cancels the call, and never the read."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from voice_gateway.backends import grpc_reads
from voice_gateway.backends.grpc_reads import read


class Call:
    """One whose next message comes when it is told, or never."""

    def __init__(self, message: bytes | None = None) -> None:
        self.cancelled = False
        self.read_was_cancelled = False
        self._message = message
        self._over = asyncio.Event()

    def cancel(self) -> None:
        self.cancelled = True
        self._over.set()

    async def read(self) -> bytes:
        if self._message is not None:
            return self._message
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self.read_was_cancelled = True
            raise
        raise asyncio.CancelledError  # as grpcio does for a call that was cancelled here


async def forever(work: Awaitable[Any]) -> Any:
    return await work


async def briefly(work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(0.01):
        return await work


async def test_a_message_is_given_as_it_comes() -> None:
    call: Any = Call(b"audio")
    assert await read(call, forever) == b"audio"
    assert not call.cancelled


async def test_a_cancelled_reader_leaves_no_read_behind() -> None:
    call: Any = Call()
    reader = asyncio.create_task(read(call, forever))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert call.cancelled
    assert not call.read_was_cancelled
    assert len(asyncio.all_tasks()) == 1


async def test_a_limit_that_passes_leaves_none_either() -> None:
    call: Any = Call()
    with pytest.raises(TimeoutError):
        await read(call, briefly)
    assert (call.cancelled, call.read_was_cancelled) == (True, False)


async def test_a_read_that_outlives_its_call_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_reads, "_ENDS_WITHIN_S", 0.01)
    call: Any = Call()
    monkeypatch.setattr(call, "cancel", lambda: None)
    with pytest.raises(TimeoutError):
        await read(call, briefly)
    await asyncio.sleep(0)
    assert call.read_was_cancelled
