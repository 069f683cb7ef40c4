"""What does a call notice when one of two recognisers dies, leaves, or vanishes from the network? Nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from fake_riva import FakeRiva, Listened, ramp
from faults import Switch
from lab import Lab, lab
from voice_gateway.backends import endpoint
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SILENT_AFTER_S", 0.2)


@dataclass
class Pair:
    """Two recognisers, each behind a switch."""

    there: Lab
    recognisers: list[FakeRiva]
    switches: list[Switch]

    async def serving(self, count: int) -> None:
        """The gateway knows of so many that serve."""
        name = 'voice_speech_servers{backend="asr",health="serving"}'
        await self.there.eventually(lambda: self.there.metric(name), count)

    async def used(self) -> int:
        """Which of them has the only stream."""
        for _ in range(200):
            for place, recogniser in enumerate(self.recognisers):
                if any(not one.over for one in recogniser.listened):
                    return place
            await asyncio.sleep(0.01)
        raise AssertionError("no recognition stream")

    async def stream(self, place: int) -> Listened:
        """The newest stream there."""
        recogniser = self.recognisers[place]
        await recogniser.changes.until(lambda: any(not one.over for one in recogniser.listened), "a stream there")
        return recogniser.listened[-1]


@asynccontextmanager
async def pair() -> AsyncGenerator[Pair, None]:
    async with AsyncExitStack() as stack:
        recognisers, switches = [FakeRiva(), FakeRiva()], [Switch(), Switch()]
        for recogniser, switch in zip(recognisers, switches, strict=True):
            for server in (recogniser, switch):
                await server.start()
                stack.push_async_callback(server.stop)
            switch.lead_to(recogniser.port)
        targets = ",".join(f"127.0.0.1:{switch.port}" for switch in switches)
        there = await stack.enter_async_context(lab(riva_asr_uri=f"ipv4:{targets}", gateway_probe_every_s=0.2))
        both = Pair(there, recognisers, switches)
        await both.serving(2)
        yield both
        for switch, recogniser in zip(switches, recognisers, strict=True):
            switch.lead_to(recogniser.port)
        await both.serving(2)


async def answered(pair: Pair, stream: Listened) -> None:
    """The turn ends with what this stream heard."""
    stream.final("All of it.", processed_s=len(stream.audio) / 32_000)
    await pair.there.llm.request()
    assert pair.there.llm.asked[0].chat == [("user", "All of it.")]


@pytest.mark.parametrize("how", ["dies", "vanishes"])
async def test_one_that_dies_or_vanishes_in_mid_word_is_left_and_the_other_hears_it_all(how: str) -> None:
    async with pair() as both:
        caller = await both.there.call()
        place = await both.used()
        first = await both.stream(place)
        await caller.say(ramp(8_000))
        await first.heard(16_000)
        first.partial("hel", processed_s=0.5)
        await caller.expect("transcript")
        if how == "dies":
            await both.recognisers[place].stop()
        else:
            both.switches[place].black_hole()
        await caller.say(ramp(8_000, 8_000))
        second = await both.stream(1 - place)
        assert await second.heard(32_000) == ramp(16_000)
        await answered(both, second)
        assert not caller.of("error")
        for _ in range(4):  # nobody is refused, and nobody lands on the dead one
            more = await both.there.call()
            await more.hang_up()
        assert all(one.over for one in both.recognisers[place].listened) or how == "vanishes"
        assert (await both.there.get("/readyz"))[0] == 200
        if how == "dies":
            await both.recognisers[place].start()


async def test_one_that_says_it_leaves_is_left_after_the_final_and_its_end_is_not_noticed() -> None:
    async with pair() as both:
        caller = await both.there.call()
        place = await both.used()
        first = await both.stream(place)
        await caller.say(ramp(8_000))
        await first.heard(16_000)
        await both.recognisers[place].leave()
        await both.serving(1)
        await caller.say(ramp(3_200, 8_000))
        await first.heard(22_400)
        first.final("One.", processed_s=0.5)
        second = await both.stream(1 - place)
        assert await second.heard(6_400) == ramp(3_200, 8_000), "what the final does not stand for"
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await both.recognisers[place].stop()
        second.final("Two.", processed_s=0.2)
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert [one.chat[-1] for one in both.there.llm.asked] == [("user", "One."), ("user", "Two.")]
        assert not caller.of("error")
        await both.recognisers[place].start()


async def test_partials_that_bring_nothing_extend_no_limit() -> None:
    async with lab(turn_max_lag_s=0.4) as there:
        caller = await there.call(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)
        stream = await there.asr.stream()
        await caller.say(ramp(8_000))
        await stream.heard(16_000)
        await caller.send(commit=pb.CommitTurn())

        async def go_on() -> None:
            while True:
                stream.partial("", processed_s=0.1)
                await asyncio.sleep(0.05)

        going_on = asyncio.create_task(go_on())
        await caller.error(pb.Error.ASR_TIMEOUT)
        going_on.cancel()
        await there.asr.stream(2)
