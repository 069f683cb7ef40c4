"""Does the gateway give everything back? Many short calls in a row, several at once, with its memory sampled; or many
replies that are cancelled half-way, at the model, at TTS and on their way to the caller.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from voice_bench.measure.call_log import ReplyLog
from voice_bench.measure.caller import Caller, CallFailed, calling, channel_to
from voice_bench.measure.clips import Frames
from voice_bench.measure.gateway_process import GatewayInternals, Kind, Sample, gateway
from voice_bench.measure.overhead import with_one_rate
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import slope
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.stack import Stack
from voice_bench.stack_config import StackConfig, scripted

REPLY = "Yes I have heard {last}. Go on."
LONG_REPLY = " ".join(["Yes I have heard {last}, and there is a lot that I could say to it."] * 12)
"""Longer than anybody listens to it here."""
REPLIES_A_CALL = 20
HEARD_S = 0.8
"""A reply is cut at some moment until then after its first audio."""
DROPPED_PART = 0.1
"""Callers who vanish in the middle of the reply instead of hanging up."""
GRACE_S = 1
"""How long a dropped call waits; short, so that none is left at the end."""
SAMPLES = 40
MB_PER_1000_REPLIES = 2.0
"""Over the second half: less than the allocator's noise over a day of calls."""
WARM_UP_CALLS = 20
FILES_LEFT = 10
"""Kept-alive connections to the model come and go; a call that leaves one would leave hundreds."""


OneCall: TypeAlias = Callable[[str, Sequence[Frames], random.Random], Awaitable[None]]
"""A call at a target, with its chances."""


@dataclass(frozen=True, slots=True)
class SoakResult:
    """All of it."""

    samples: tuple[Sample, ...]
    before: GatewayInternals
    after: GatewayInternals
    failures: tuple[str, ...]


def simulated(*, interrupted: bool) -> StackConfig:
    """Quick backends; replies that are to be cut half-way take as long as in real calls."""
    reply, token_ms = (LONG_REPLY, 20) if interrupted else (REPLY, 2)
    config = with_one_rate(scripted(reply=reply, first_token_ms=20, token_ms=token_ms, first_chunk_ms=20))
    return replace(config, gateway={**config.gateway, "GATEWAY_RESUME_GRACE_S": str(GRACE_S)})


async def soak(stack: Stack, calls: int, at_once: int, clips: Sequence[Frames], seed: int, one: OneCall) -> SoakResult:
    """`calls` calls through one gateway, `at_once` at a time, after a few to warm up."""
    failures: list[str] = []
    samples: list[Sample] = []
    async with gateway(stack, Kind.OURS) as tested:

        async def all_calls(count: int, seed: int) -> None:
            numbers, done = iter(range(count)), itertools.count(1)

            async def one_after_another() -> None:
                for number in numbers:
                    try:
                        await one(tested.target, clips, random.Random(f"{seed} {number}"))
                    except CallFailed as trouble:
                        failures.append(str(trouble))
                    if (after := next(done)) % max(1, calls // SAMPLES) == 0:
                        samples.append(tested.sample(after))

            async with asyncio.TaskGroup() as tasks:
                for line in range(at_once):
                    tasks.create_task(one_after_another(), name=f"line {line}")
            await asyncio.sleep(GRACE_S + 0.5)

        await all_calls(min(WARM_UP_CALLS, calls), seed)
        before, samples[:] = await tested.internals(), [tested.sample(0)]
        await all_calls(calls, seed + 1)
        return SoakResult(tuple(samples), before, await tested.internals(), tuple(failures))


async def short_call(target: str, clips: Sequence[Frames], rng: random.Random) -> None:
    async with channel_to(target) as channel, calling(channel) as caller:
        await caller.speak(rng.choice(clips))
        await caller.until(lambda: caller.record.audio_bytes > 0, 10, "reply audio")
        if rng.random() < DROPPED_PART:
            caller.is_dropped = True


async def interrupted_call(target: str, clips: Sequence[Frames], rng: random.Random) -> None:
    """REPLIES_A_CALL replies, each cut by a word typed over it, by a stop, or by speech."""
    async with channel_to(target) as channel, calling(channel) as caller:
        for n in range(1, REPLIES_A_CALL + 1):
            reply = await _reply_to(caller, f"question {n}")
            await asyncio.sleep(rng.random() * HEARD_S)
            match rng.randrange(3):
                case 0:
                    caller.type("never mind")
                case 1:
                    caller.interrupt()
                case _:
                    await caller.speak(rng.choice(clips))
                    caller.interrupt()  # what was said may pass for a cough
            await caller.until(lambda reply=reply: reply.is_over, 10, "the end of the reply")  # type: ignore[misc]
        if rng.random() < DROPPED_PART:
            caller.is_dropped = True


async def _reply_to(caller: Caller, words: str) -> ReplyLog:
    """The reply to typed words, once it is heard."""
    before = max(caller.record.replies, default=0)
    caller.type(words)

    def audible_reply() -> ReplyLog | None:
        latest = caller.record.latest
        return latest if latest and latest.number > before and latest.first_audio_at is not None else None

    await caller.until(lambda: audible_reply() is not None, 10, "reply audio")
    reply = audible_reply()
    assert reply is not None
    return reply


def report(result: SoakResult, calls: int, replies_a_call: int = 1) -> Report:
    """Memory on the way, what is left, and the verdicts."""
    rows = tuple((one.calls, one.rss_mb, one.threads, one.files) for one in _shown_samples(result.samples, calls))
    left = (
        ("tasks", result.before.tasks, result.after.tasks),
        ("files", result.before.files, result.after.files),
        ("objects", result.before.objects, result.after.objects),
    )
    tables = (
        Rows("one gateway, call after call", ("calls", "RSS MB", "threads", "files"), rows),
        Rows("when no call is left", ("what", "before", "after"), left),
    )
    what = "short calls" if replies_a_call == 1 else f"calls of {replies_a_call} replies, each cut half-way"
    new = result.after.new_tasks(result.before)
    every = " ".join(f"{one.calls}:{one.rss_mb:.0f}" for one in result.samples)
    notes = (f"all samples, calls:MB: {every}", f"tasks more than before: {new or 'none'}", *result.failures[:5])
    return Report(f"soak: {calls} {what}", tables, tuple(verdicts(result, replies_a_call)), notes)


def verdicts(result: SoakResult, replies_a_call: int = 1) -> list[Verdict]:
    """Flat, and nothing left."""
    half = result.samples[len(result.samples) // 2 :]
    per_1000 = 1000 * slope([(float(one.calls * replies_a_call), one.rss_mb) for one in half])
    return [
        at_most("memory growth over the second half", per_1000, MB_PER_1000_REPLIES, "MB per 1000 replies"),
        at_most("tasks left", result.after.tasks - result.before.tasks, 0, ""),
        at_most("files left", result.after.files - result.before.files, FILES_LEFT, ""),
        none_of("failed calls", len(result.failures)),
    ]


def _shown_samples(samples: Sequence[Sample], calls: int) -> list[Sample]:
    """The samples nearest to the beginning, a tenth, a half and the end."""
    wanted = (0, calls / 10, calls / 4, calls / 2, 3 * calls / 4, calls)
    nearest = [min(samples, key=lambda one, at=at: abs(one.calls - at)) for at in wanted]  # type: ignore[misc]
    return sorted(set(nearest), key=lambda one: one.calls)
