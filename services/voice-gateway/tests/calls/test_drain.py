"""How does a gateway leave? It warns, refuses new calls, lets running ones end, and closes the rest with a reason."""

import asyncio
import json

import grpc
import pytest
from lab import Lab, lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

LONG = "One two three four five six seven eight nine ten."


async def over(there: Lab) -> None:
    """Wait until the gateway has stopped."""
    assert there.serving
    await asyncio.wait_for(there.serving, LIMIT_S)


async def test_a_stopping_gateway_warns_refuses_new_calls_and_closes_running_ones_after_the_grace() -> None:
    async with lab(gateway_drain_s=0.5) as there:
        there.tts.seconds = lambda text: 20
        running = await there.call()
        await running.type(LONG)
        await running.expect("reply_audio")
        there.stop.ask()
        away = (await running.expect("go_away")).go_away
        assert away.reason == pb.GoAway.DRAINING
        assert away.deadline_s == 0.5
        late = there.caller()
        await late.send(start=pb.SessionStart())
        await late.over()
        assert late.code is grpc.StatusCode.UNAVAILABLE
        assert "draining; connect again" in late.sentence
        assert int(late.trailer["retry-after-ms"]) > 0
        assert "draining" in late.sentence
        status, page = await there.get("/readyz")
        told = json.loads(page)
        assert (status, told["draining"], told["reasons"]) == (503, True, {"gateway": "draining"})
        assert await there.metric("voice_draining") == 1
        assert await running.over() == pb.SessionEnded.DRAINED
        assert "connect again" in running.of("ended")[0].ended.message
        await over(there)
        await there.asr.quiet()
        await there.tts.quiet()


async def test_a_stopping_gateway_lets_a_running_call_end_by_itself() -> None:
    async with lab(gateway_drain_s=60) as there:
        running = await there.call()
        there.stop.ask()
        await running.expect("go_away")
        await running.type("Good bye.")
        await running.turn(pb.TurnEvent.REPLY_ENDED)
        await running.hang_up()
        assert running.of("ended")[0].ended.reason == pb.SessionEnded.CALLER_ENDED
        await over(there)


async def test_a_gateway_that_is_asked_twice_stops_at_once_and_still_says_why() -> None:
    async with lab(gateway_drain_s=600) as there:
        there.tts.seconds = lambda text: 20
        running = [await there.call() for _ in range(3)]
        await running[0].type(LONG)
        await running[0].expect("reply_audio")
        there.stop.ask()
        for caller in running:
            assert (await caller.expect("go_away")).go_away.deadline_s == 600
        assert there.serving
        assert not there.serving.done()
        there.stop.ask()
        for caller in running:
            assert await caller.over() == pb.SessionEnded.DRAINED
            assert "connect again" in caller.of("ended")[0].ended.message
            assert caller.code is grpc.StatusCode.OK
        await over(there)


async def test_a_dropped_call_may_come_back_to_a_gateway_that_drains() -> None:
    async with lab(gateway_drain_s=60, gateway_resume_grace_s=60) as there:
        first = there.caller(numbered=True)
        token = (await first.start()).resume_token
        there.stop.ask()
        await first.expect("go_away")
        first.cancel()
        await first.over()
        back = there.caller(numbered=True, first_seq=2)
        assert (await back.start(resume=pb.Resume(token=token, last_server_seq=0))).resumed
        assert (await back.expect("go_away")).go_away.reason == pb.GoAway.DRAINING
        await back.hang_up()
        await over(there)


async def test_each_of_many_calls_ends_by_itself_or_is_told_why_when_the_gateway_leaves() -> None:
    async with lab(gateway_drain_s=0.5, gateway_max_sessions=20) as there:
        calls = [await there.call() for _ in range(20)]
        for caller in calls[:10]:
            await caller.type("Good bye.")
        there.stop.ask()

        async def say_good_bye(caller: Caller) -> None:
            await caller.turn(pb.TurnEvent.REPLY_ENDED)
            await caller.hang_up()

        async with asyncio.TaskGroup() as ending:
            for caller in calls[:10]:
                ending.create_task(say_good_bye(caller))
        for caller in calls:
            reason = await caller.over()
            assert reason == (pb.SessionEnded.CALLER_ENDED if caller in calls[:10] else pb.SessionEnded.DRAINED)
            assert caller.of("go_away")
            assert caller.code is grpc.StatusCode.OK
        await over(there)


@pytest.mark.parametrize("pages", ["/livez", "/metrics"])
async def test_a_draining_gateway_is_alive_and_can_be_scraped(pages: str) -> None:
    async with lab(gateway_drain_s=60) as there:
        running = await there.call()
        there.stop.ask()
        await running.expect("go_away")
        assert await there.status(pages) == 200
        await running.hang_up()
        await over(there)
