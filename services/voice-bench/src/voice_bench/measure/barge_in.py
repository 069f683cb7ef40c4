"""Does the gateway stop when it is spoken over, how soon, and does it know what was heard?

Speech begins at random moments of replies. The language model is slower than the voice and the voice slower than a
copy of a file, so that both are still at work when the caller comes in, and their cancelling can be seen.
"""

import asyncio
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.measure.call_log import ReplyLog
from voice_bench.measure.caller import Caller, CallFailed, calling, channel_to
from voice_bench.measure.clips import Frames
from voice_bench.measure.expected_latency import TurnTimestamps, tag_of
from voice_bench.measure.gateway_process import Kind, gateway, timestamps
from voice_bench.measure.overhead import with_one_rate
from voice_bench.measure.word_times import WordTimes
from voice_bench.stack import Stack
from voice_bench.stack_config import Part, StackConfig, scripted

REPLY = " ".join(["Of all that I have kept a good note."] * 8)
"""No word of it is the caller's, who would be taken for its echo."""
TOKEN_MS = 60
"""Sixteen words a second, five times as fast as they are spoken: 72 words keep the model at work for 4 s."""
EARLIEST_S, LATEST_S = 0.15, 3.5
"""After the first audio of the reply; its 72 words last longer than 20 s."""
STOP_WITHIN_S = 5.0
CANCEL_WITHIN_S = 0.25
"""From the decision to the end of the request at the model: one write of a token, and the news of a closed socket."""


@dataclass(frozen=True, slots=True)
class BargeInStop:
    """One barge-in."""

    tag: str
    decision_ms: float | None
    """First sample of the speech -> the reply is held, or interrupted at once; None = it was not stopped."""
    interrupted_ms: float | None
    """First sample of the speech -> interrupted, which needs words."""
    last_audio_after_ms: float
    """Last audio of the reply at the caller, after it was held; negative = before that."""
    heard_words: int
    played_words: int
    heard_is_prefix: bool
    unplayed_ms: float
    decided_at: float
    """When it was interrupted."""


@dataclass(frozen=True, slots=True)
class BargeInOutcome:
    """All of them, and what the backends saw."""

    stops: tuple[BargeInStop, ...]
    model_cut_late: int
    """Requests that went on longer than CANCEL_WITHIN_S after the decision, though not complete."""
    model_cut: int
    """Requests ended by the client before they were complete."""
    spoken_after: int
    """Phrases of an interrupted reply sent to TTS after the decision."""
    running_after: Mapping[str, float]
    """Requests still running at the backends when every call was silent."""
    failures: tuple[str, ...]


def simulated() -> StackConfig:
    """Slow enough backends."""
    config = with_one_rate(scripted(reply=REPLY, token_ms=TOKEN_MS))
    return replace(
        config,
        speech={**config.speech, "TONE_RTF": "0.5"},
        gateway={**config.gateway, "LLM_MAX_TOKENS": "200", "LLM_HISTORY": "4", "LLM_SUMMARISE": "false"},
    )


async def interrupt(stack: Stack, times: int, callers: int, clips: Sequence[Frames], seed: int) -> BargeInOutcome:
    """`times` barge-ins spread over `callers` calls."""
    words = WordTimes(stack.speech_target, 16_000)
    counts = [times // callers + (n < times % callers) for n in range(callers)]
    async with gateway(stack, Kind.OURS) as tested:
        found: list[tuple[str, float, ReplyLog]] = []
        failures: list[str] = []
        done = asyncio.Barrier(callers + 1)
        leave = asyncio.Event()

        async def call(count: int, rng: random.Random) -> None:
            try:
                await asyncio.sleep(rng.uniform(0, 2))
                async with channel_to(tested.target) as channel, calling(channel) as caller:
                    await _barge_in(caller, count, clips, rng, found)
                    caller.interrupt()
                    await done.wait()
                    await leave.wait()
            except CallFailed as trouble:
                failures.append(str(trouble))
                if not leave.is_set():
                    await done.wait()

        async with asyncio.TaskGroup() as tasks:
            for n, count in enumerate(counts):
                tasks.create_task(call(count, random.Random(f"{seed} {n}")), name=f"caller {n}")
            await done.wait()
            await asyncio.sleep(0.5)
            running = await still_running(stack)
            leave.set()
        stamps = await timestamps(stack)
        await words.learn([REPLY])
    stops = tuple(_judge(words, *one) for one in found)
    cut, late, after = upstream(stops, stamps)
    return BargeInOutcome(stops, late, cut, after, running, tuple(failures))


def upstream(stops: Sequence[BargeInStop], stamps: Mapping[str, TurnTimestamps]) -> tuple[int, int, int]:
    """Of replies that were stopped: requests to the model that were cut off, those cut off too late, and phrases sent
    to TTS after the decision."""
    cut = late = after = 0
    for stop in stops:
        marks_of = stamps.get(stop.tag)
        if marks_of is None or stop.decision_ms is None:
            continue
        cut += marks_of.llm_end == "abort"
        ended_at = marks_of.llm_ended_at
        late += ended_at is None or (marks_of.llm_end == "abort" and ended_at > stop.decided_at + CANCEL_WITHIN_S)
        late += marks_of.llm_end not in ("abort", "") and ended_at is not None and ended_at > stop.decided_at + 0.25
        after += sum(at > stop.decided_at + 0.05 for at, _ in marks_of.phrases)
    return cut, late, after


async def still_running(stack: Stack) -> dict[str, float]:
    """Requests in progress at the model and at TTS, by their own metrics."""
    gauges = {
        "llm": (f"{stack.http_url(Part.LLM)}/metrics", r"^vllm:num_requests_running ([\d.e+-]+)"),
        "tts": (f"{stack.http_url(Part.SPEECH)}/metrics", r'^speech_requests_active\{service="tts"\} ([\d.e+-]+)'),
    }
    found = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        for name, (url, pattern) in gauges.items():
            async with http.get(url) as answer:
                match = re.search(pattern, await answer.text(), re.MULTILINE)
            found[name] = float(match[1]) if match else 0.0
    return found


async def _barge_in(
    caller: Caller, count: int, clips: Sequence[Frames], rng: random.Random, found: list[tuple[str, float, ReplyLog]]
) -> None:
    """What it finds: the turn, when the speech over its reply began, and the reply."""
    record = caller.record
    await caller.speak(rng.choice(clips))
    for number in range(count + 1):
        await caller.until(lambda: _is_audible(caller), 10, "reply audio")
        reply = record.replies[max(record.replies)]
        tag = tag_of(record.turns[-1][1]) or ""
        if number == count:
            return
        await asyncio.sleep(rng.uniform(EARLIEST_S, LATEST_S))
        spoken = await caller.speak(rng.choice(clips))
        found.append((tag, spoken.began_at, reply))
        await caller.until(lambda last=reply.number: max(record.replies) > last, STOP_WITHIN_S, "answer")  # type: ignore[misc]


def _is_audible(caller: Caller) -> bool:
    latest = caller.record.latest
    return latest is not None and latest.first_audio_at is not None and latest.cut is None


def _judge(words: WordTimes, tag: str, began_at: float, reply: ReplyLog) -> BargeInStop:
    cut = reply.cut
    stopped = cut is not None and cut.kind == pb.TurnEvent.REPLY_INTERRUPTED
    decided_at = cut.decided_at if cut is not None and stopped else 0.0
    silenced_at = reply.held.decided_at if reply.held is not None else decided_at
    heard = cut.heard_text.split() if cut is not None and stopped else []
    played = words.played(REPLY, reply.played_at_cut) if stopped else 0
    return BargeInStop(
        tag=tag,
        decision_ms=1000 * (silenced_at - began_at) if stopped else None,
        interrupted_ms=1000 * (decided_at - began_at) if stopped else None,
        last_audio_after_ms=1000 * ((reply.last_audio_at or 0.0) - silenced_at) if stopped else 0.0,
        heard_words=len(heard),
        played_words=played,
        heard_is_prefix=REPLY.split()[: len(heard)] == heard,
        unplayed_ms=1000 * reply.unplayed_at_cut / reply.loudspeaker.rate_hz,
        decided_at=decided_at,
    )
