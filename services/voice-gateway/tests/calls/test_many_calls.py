"""What do many calls do to the gateway, at once and one after the other, and one that never listens?"""

import asyncio
import gc
import itertools
import tracemalloc
from functools import partial

import grpc
import pytest
from fake_riva import ramp
from lab import Lab, lab
from voice_gateway.app import call_config
from voice_gateway.edges.limits import Limits
from voice_workflow.v1 import voice_workflow_pb2 as pb


async def one_call(there: Lab, n: int) -> None:
    """A whole conversation of two turns, spoken and typed."""
    caller = there.caller()
    await caller.start(greeting=f"Welcome, caller {n}.")
    await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
    await caller.say(ramp(3_200))
    await caller.type(f"I am number {n}.")
    await caller.turn(pb.TurnEvent.REPLY_ENDED, 2)
    assert caller.audio(2) == ramp(960)
    assert not caller.of("error")
    await caller.hang_up()
    assert await caller.over() == pb.SessionEnded.CALLER_ENDED
    there.callers.remove(caller)
    await caller.close()


async def test_thirty_calls_at_once_are_all_served_and_nobody_hears_anothers_words() -> None:
    async with lab(then_works=False) as there:
        async with asyncio.TaskGroup() as calls:
            for n in range(30):
                calls.create_task(one_call(there, n))
        assert {asked.chat[1][1] for asked in there.llm.asked} == {f"Welcome, caller {n}." for n in range(30)}
        for asked in there.llm.asked:
            number = asked.chat[1][1].removeprefix("Welcome, caller ").removesuffix(".")
            assert asked.chat[2:] == [("user", f"I am number {number}.")]


async def test_a_hundred_calls_in_a_row_leave_nothing_behind() -> None:
    async with lab(then_works=False) as there:

        async def some(count: int) -> None:
            for n in range(0, count, 10):
                async with asyncio.TaskGroup() as calls:
                    for more in range(10):
                        calls.create_task(one_call(there, n + more))
            for played in (there.asr.listened, there.asr.spoken, there.tts.spoken, there.llm.asked):
                played.clear()
            await there.settled()
            gc.collect()

        await some(20)
        tracemalloc.start()
        try:
            await some(20)
            left = [tracemalloc.get_traced_memory()[0]]
            for _ in range(2):
                await some(50)
                left.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        # What calls leave behind, each of them leaves: caches and free lists fill up once, now and then.
        least = min(after - before for before, after in itertools.pairwise(left))
        assert least < 50 * 2_000, f"a call leaves {least / 50:.0f} bytes behind"


async def test_refused_streams_leave_nothing_behind() -> None:
    async with lab(then_works=False) as there:

        async def some(count: int) -> None:
            for _ in range(count):
                caller = there.caller()
                await caller.send(text=pb.Text(text="x"))
                await caller.over()
                assert caller.code is grpc.StatusCode.INVALID_ARGUMENT
                there.callers.remove(caller)
                await caller.close()
            await there.settled()
            gc.collect()

        await some(10)
        tracemalloc.start()
        try:
            await some(10)
            before, _ = tracemalloc.get_traced_memory()
            await some(50)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before < 50 * 2_000, f"a refusal leaves {(after - before) / 50:.0f} bytes behind"


async def test_a_caller_who_never_reads_is_let_go_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_unread_s=0.3))
    async with lab() as there:
        deaf = there.caller(reads=False)
        await deaf.send(start=pb.SessionStart())
        stream = await there.asr.stream()
        for n in range(200):
            stream.partial(f"{n} " * 20_000)
        await there.asr.changes.until(lambda: stream.over, "the end of the call")
        await there.eventually(lambda: there.metric("voice_sessions_active"), 0)
        await there.next_call_works()
