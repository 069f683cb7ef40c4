"""Does the reply leave when the turn ends? Callers of the scripted stack, with preemption and without.

The whole text is known 100 ms after the last speech sample (a partial of stability 1), the turn is decided after
500 ms of silence. What counts is the time from the decision to the first reply audio, both at the caller; and what it
costs: requests and tokens a turn. Callers who pause in the midst of a turn, for less than what ends it, waste the reply
that was begun in each pause.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_bench.measure import overhead
from voice_bench.measure.caller import SILENT_FRAME, CallFailed, calling, channel_to
from voice_bench.measure.clips import FRAME_S, Frames
from voice_bench.measure.gateway_process import GatewayProcess, Kind, gateway, simulators, timestamps
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.stack_config import StackConfig, scripted

FIRST_PASS_S, HANGOVER_S, SILENCE_S = 0.1, 0.25, 0.5
REPLY = "Yes. I have heard {last} now. Please go on."
"""The first phrase is complete with the second token."""
PAUSE_S = 0.3, 0.45
"""Longer than the detector's hangover, so that a reply is begun in it, and shorter than what ends a turn."""
AFTER_P50_MS, AFTER_P95_MS = 15.0, 40.0
LATE_PERCENT = 5.0
"""Of the turns may ask the model only when they are decided."""


@dataclass(frozen=True, slots=True)
class Turns:
    """What callers found."""

    preemptive: bool
    pauses: int
    """In the midst of each turn."""
    after_ms: tuple[float, ...]
    """From the decision to the first reply audio."""
    asked_early: int
    """Turns whose answer was asked for before they were decided."""
    requests: int
    tokens: int
    failures: tuple[str, ...]


def simulated(*, preemptive: bool) -> StackConfig:
    """Final 20 ms after 500 ms of silence, first token 150 ms, first audio 80 ms."""
    config = overhead.with_one_rate(scripted(silence_ms=round(1000 * SILENCE_S), reply=REPLY))
    turns = {
        "TURN_END_ON_FINAL": "false",
        "TURN_END_SILENCE_S": f"{SILENCE_S - HANGOVER_S:g}",
        "VAD_HANGOVER_S": f"{HANGOVER_S:g}",
        "ASR_STOP_HISTORY_EOU_MS": str(round(1000 * FIRST_PASS_S)),
        "TURN_PREEMPTIVE": str(preemptive).lower(),
    }
    return replace(config, gateway={**config.gateway, **turns})


def with_pauses(clips: Sequence[Frames], pauses: int, rng: random.Random) -> list[Frames]:
    """Each clip, and others after it with a pause before each."""
    return [clip + sum((_pause(rng) + rng.choice(clips) for _ in range(pauses)), ()) for clip in clips]


def _pause(rng: random.Random) -> Frames:
    return (SILENT_FRAME,) * round(rng.uniform(*PAUSE_S) / FRAME_S)


async def measure(
    *, preemptive: bool, callers: int, turns: int, clips: Sequence[Frames], pauses: int = 0, seed: int = 1
) -> Turns:
    """`callers` calls of `turns` turns each, with so many pauses in each, through a fresh gateway."""
    clips = with_pauses(clips, pauses, random.Random(seed))
    async with simulators(simulated(preemptive=preemptive)) as stack, gateway(stack, Kind.OURS) as tested:
        await overhead.warm_up(tested, clips)
        async with asyncio.TaskGroup() as tasks:
            calls = [
                tasks.create_task(_converse(tested, turns, clips, random.Random(f"{seed} {n}")), name=f"caller {n}")
                for n in range(callers)
            ]
        found = await timestamps(stack)
    said = [turn for call in calls for turn in call.result()[0]]
    stamps = [(turn, found[turn.tag]) for turn in said if turn.tag in found]
    return Turns(
        preemptive=preemptive,
        pauses=pauses,
        after_ms=tuple(1000 * (turn.first_audio_at - turn.decided_at) for turn in said),
        asked_early=sum(stamp.asked_at is not None and stamp.asked_at < turn.decided_at for turn, stamp in stamps),
        requests=sum(stamp.requests for _, stamp in stamps),
        tokens=sum(len(stamp.tokens) for _, stamp in stamps),
        failures=tuple(trouble for call in calls if (trouble := call.result()[1])),
    )


async def _converse(
    tested: GatewayProcess, turns: int, clips: Sequence[Frames], rng: random.Random
) -> tuple[list[overhead.MeasuredTurn], str]:
    """The turns of one call, and what went wrong."""
    said: list[overhead.MeasuredTurn] = []
    try:
        await asyncio.sleep(rng.uniform(0, 1))
        async with channel_to(tested.target) as channel, calling(channel) as caller:
            await overhead.take_turns(caller, turns, clips, rng, said)
    except CallFailed as trouble:
        return said, str(trouble)
    return said, ""


def report(found: Sequence[Turns]) -> Report:
    """All of them, with a verdict on the preemptive turns."""
    costs = ("asked early %", "requests/turn", "tokens/turn")
    columns = ("preemption", "pauses/turn", "turns", "after decision p50 ms", "p95", *costs)
    return Report(
        "preemption: from the end of the turn to the first reply audio",
        (Rows("turns", columns, tuple(_row(one) for one in found)),),
        tuple(verdict for one in found if one.preemptive for verdict in _verdicts(one)),
        tuple(failure for one in found for failure in one.failures[:3]),
    )


def _row(one: Turns) -> tuple[str | float | int | None, ...]:
    turns = len(one.after_ms)
    times = percentile(one.after_ms, 50), percentile(one.after_ms, 95)
    # Without preemption the request leaves when the turn is decided, a moment before the caller is told.
    early = 100 * one.asked_early / turns if turns and one.preemptive else None
    each = (early, one.requests / turns, one.tokens / turns) if turns else (None,) * 3
    return ("on" if one.preemptive else "off", one.pauses, turns, *times, *each)


def _verdicts(one: Turns) -> list[Verdict]:
    turns = len(one.after_ms)
    late = 100 * (1 - one.asked_early / turns) if turns else None
    which = f", {one.pauses} pauses" if one.pauses else ""
    return [
        at_most(f"after the decision, p50{which}", percentile(one.after_ms, 50), AFTER_P50_MS, "ms"),
        at_most(f"after the decision, p95{which}", percentile(one.after_ms, 95), AFTER_P95_MS, "ms"),
        at_most(f"turns not asked early{which}", late, LATE_PERCENT, "%"),
        at_most(f"requests a turn{which}", one.requests / turns if turns else None, 1 + one.pauses, ""),
        none_of(f"failed calls{which}", len(one.failures)),
    ]
