"""What does one more call cost in memory and threads? Callers join one gateway step by step."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack

from voice_bench.measure.caller import Caller, calling, channel_to
from voice_bench.measure.clips import Frames
from voice_bench.measure.gateway_process import GatewayProcess, Kind, Sample, gateway
from voice_bench.measure.overhead import take_turns, warm_up
from voice_bench.stack import Stack


async def grow(stack: Stack, kind: Kind, steps: Sequence[int], clips: Sequence[Frames]) -> list[Sample]:
    """Every call that has joined has spoken two turns before it is counted, and stays."""
    found: list[Sample] = []
    async with gateway(stack, kind) as tested, AsyncExitStack() as calls:
        await warm_up(tested, clips)
        live = 0
        for callers in steps:
            await _join(tested, calls, range(live, callers), clips)
            live = callers
            found.append(tested.sample(live))
    return found


async def _join(tested: GatewayProcess, calls: AsyncExitStack, numbers: range, clips: Sequence[Frames]) -> None:
    joined: list[Caller] = []
    for _ in numbers:
        channel = await calls.enter_async_context(channel_to(tested.target))
        joined.append(await calls.enter_async_context(calling(channel)))
    async with asyncio.TaskGroup() as talking:
        for number, caller in zip(numbers, joined, strict=True):
            turns = take_turns(caller, 2, clips, random.Random(number), [])
            talking.create_task(turns, name=f"caller {number} joins")


def per_call_mb(steps: Sequence[Sample]) -> float | None:
    """Memory per further call, from ten calls on where there are such steps; None without two steps."""
    counted = [step for step in steps if step.calls >= 10] if sum(step.calls >= 10 for step in steps) > 1 else steps
    if len(counted) < 2:
        return None
    first, last = counted[0], counted[-1]
    return (last.rss_mb - first.rss_mb) / (last.calls - first.calls)


def threads_per_call(steps: Sequence[Sample]) -> float | None:
    """Threads per further call; None without two steps."""
    if len(steps) < 2:
        return None
    return (steps[-1].threads - steps[0].threads) / (steps[-1].calls - steps[0].calls)
