"""A recogniser that owes a word and says none is found out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from voice_gateway.session.asr_watchdog import AsrWatchdog

pytestmark = pytest.mark.looptime


class Listener:
    """When a recogniser was found slow, and when stuck."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self.slow_at: list[float] = []
        self.stuck_at: list[float] = []

    def recogniser_slow(self) -> None:
        self.slow_at.append(self._now())

    def recogniser_stuck(self) -> None:
        self.stuck_at.append(self._now())


@asynccontextmanager
async def watched(limit_s: float = 8.0) -> AsyncIterator[tuple[AsrWatchdog, list[float]]]:
    """A running watch and the moments at which it found the recogniser stuck."""
    listener = Listener()
    watch = AsrWatchdog(limit_s, listener)
    task = asyncio.create_task(watch.run())
    try:
        yield watch, listener.stuck_at
    finally:
        task.cancel()


async def test_a_second_of_speech_is_owed_a_word() -> None:
    async with watched() as (watch, stuck_at):
        for _ in range(40):
            watch.spoken(0.032)
        await asyncio.sleep(20)
        assert stuck_at == [8.0]


async def test_a_short_sound_is_owed_nothing() -> None:
    async with watched() as (watch, stuck_at):
        watch.spoken(0.9)
        await asyncio.sleep(20)
        assert stuck_at == []


async def test_any_word_pays_the_debt() -> None:
    async with watched() as (watch, stuck_at):
        watch.spoken(1.5)
        await asyncio.sleep(7)
        watch.answered()
        await asyncio.sleep(20)
        assert stuck_at == []
        watch.spoken(0.5)  # counts from the last word on
        await asyncio.sleep(20)
        assert stuck_at == []


async def test_a_final_that_was_asked_for_is_owed_too() -> None:
    async with watched(limit_s=3.0) as (watch, stuck_at):
        await asyncio.sleep(1)
        watch.asked()
        await asyncio.sleep(10)
        assert stuck_at == [4.0]


async def test_progress_that_is_no_final_gives_a_final_that_was_asked_for_only_more_time() -> None:
    async with watched() as (watch, stuck_at):
        watch.asked()
        for _ in range(3):
            await asyncio.sleep(5)
            watch.answered(settles=False)
        await asyncio.sleep(20)
        assert stuck_at == [15.0 + 8.0]
        watch.asked()
        await asyncio.sleep(5)
        watch.answered(settles=False)
        watch.answered(settles=True)
        await asyncio.sleep(20)
        assert len(stuck_at) == 1


async def test_a_recogniser_that_is_quick_is_found_slow_a_second_after_it_owes_a_word() -> None:
    listener = Listener()
    watch = AsrWatchdog(8.0, listener)
    task = asyncio.create_task(watch.run())
    watch.spoken(1.1)
    await asyncio.sleep(20)
    assert listener.slow_at == [1.0]
    task.cancel()


async def test_a_recogniser_that_was_slow_before_gets_three_times_as_long() -> None:
    listener = Listener()
    watch = AsrWatchdog(8.0, listener)
    task = asyncio.create_task(watch.run())
    watch.spoken(1.1)
    await asyncio.sleep(0.9)
    watch.answered()
    await asyncio.sleep(0.1)
    watch.spoken(1.1)
    await asyncio.sleep(20)
    assert listener.slow_at == [pytest.approx(1.0 + 2.7)]
    task.cancel()
