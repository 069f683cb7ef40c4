"""What does one more call cost in memory and threads? Callers join one gateway step by step."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from voice_bench.measure.caller import Caller, calling, channel_to
from voice_bench.measure.clips import Frames
from voice_bench.measure.gateway_process import GatewayProcess, Kind, gateway
from voice_bench.measure.overhead import MeasuredTurn, take_turns, warm_up
from voice_bench.stack import Stack


@dataclass(frozen=True, slots=True)
class Step:
    """The gateway with so many live calls."""

    callers: int
    rss_mb: float
    threads: int


async def grow(stack: Stack, kind: Kind, steps: Sequence[int], clips: Sequence[Frames], turns: int = 2) -> list[Step]:
    """Every call that has joined has spoken `turns` turns before it is counted, and stays."""
    found: list[Step] = []
    async with gateway(stack, kind) as tested, AsyncExitStack() as calls:
        await warm_up(tested, clips)
        live = 0
        for callers in steps:
            await _join(tested, calls, range(live, callers), clips, turns)
            live = callers
            found.append(Step(live, tested.rss_mb(), tested.threads()))
    return found


async def _join(
    tested: GatewayProcess, calls: AsyncExitStack, numbers: range, clips: Sequence[Frames], turns: int
) -> None:
    joined: list[Caller] = []
    for _ in numbers:
        channel = await calls.enter_async_context(channel_to(tested.target))
        joined.append(await calls.enter_async_context(calling(channel)))
    async with asyncio.TaskGroup() as talking:
        for number, caller in zip(numbers, joined, strict=True):
            said: list[MeasuredTurn] = []
            talking.create_task(
                take_turns(caller, turns, clips, random.Random(number), said), name=f"caller {number} joins"
            )


def per_call_mb(steps: Sequence[Step]) -> float | None:
    """Memory per further call, from ten calls on where there are such steps; None without two steps."""
    counted = [step for step in steps if step.callers >= 10] if sum(step.callers >= 10 for step in steps) > 1 else steps
    if len(counted) < 2:
        return None
    first, last = counted[0], counted[-1]
    return (last.rss_mb - first.rss_mb) / (last.callers - first.callers)


def threads_per_call(steps: Sequence[Step]) -> float | None:
    """Threads per further call; None without two steps."""
    if len(steps) < 2:
        return None
    return (steps[-1].threads - steps[0].threads) / (steps[-1].callers - steps[0].callers)
