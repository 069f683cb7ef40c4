"""What does a caller notice when the first recogniser is down, comes back, or is put second? Nothing."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_riva import FakeRiva, Listened, ramp
from lab import Lab, lab
from raw_caller import Caller
from voice_gateway.backends import endpoints as timing
from voice_gateway.config import Settings
from voice_workflow.v1 import voice_workflow_pb2 as pb

SERVING = 'voice_speech_servers{backend="asr",health="serving"}'


class Reserve:
    """A gateway with a second recogniser, and a live file."""

    def __init__(self, there: Lab, second: FakeRiva, live: Path) -> None:
        self.there = there
        self.second = second
        self._live = live

    async def serving(self, count: int) -> None:
        """The gateway knows of so many recognisers that serve."""
        await self.there.eventually(lambda: self.there.metric(SERVING), count)

    async def targets(self) -> dict[str, str]:
        """What /readyz tells of them."""
        told: dict[str, str] = json.loads((await self.there.get("/readyz"))[1])["asr"]
        return told

    async def prefer(self, name: str) -> None:
        """Write the live file, and wait until it holds."""
        self._live.write_text(f"ASR_PREFERRED: {name}\n")
        await self.there.eventually(lambda: self.there.metric(f'voice_asr_target_preferred{{target="{name}"}}'), 1)


@asynccontextmanager
async def reserve(folder: Path, preferred: str = "primary", **settings: Any) -> AsyncGenerator[Reserve, None]:
    second, live = FakeRiva(), folder / "live.yaml"
    await second.start()
    live.write_text(f"ASR_PREFERRED: {preferred}\n")
    wanted = {
        "riva_asr_fallback_uri": f"127.0.0.1:{second.port}",
        "riva_asr_fallback_model": "small",
        "riva_model": "large",
        "gateway_live_file": live,
        "gateway_probe_every_s": 0.2,
    }
    try:
        async with lab(**{**wanted, **settings}) as there:
            both = Reserve(there, second, live)
            await both.serving(2)
            yield both
            await both.serving(2)
            await both.prefer("primary")  # the lab's last call looks for its words at the first one
    finally:
        await second.stop()


async def said_half(both: Reserve) -> tuple[Caller, Listened]:
    """A call in the middle of a word at the first recogniser."""
    caller = await both.there.call()
    first = await both.there.asr.stream()
    await caller.say(ramp(8_000))
    await first.heard(16_000)
    first.partial("hel", processed_s=0.5)
    await caller.expect("transcript")
    return caller, first


async def test_the_second_recogniser_hears_all_since_the_last_final_and_no_word_is_doubled(tmp_path: Path) -> None:
    async with reserve(tmp_path) as both:
        caller, _ = await said_half(both)
        await both.there.asr.stop()
        await caller.say(ramp(8_000, 8_000))
        second = await both.second.stream()
        assert await second.heard(32_000) == ramp(16_000)
        assert second.config.config.model == "small"
        second.final("Hello there.", processed_s=1.0)
        await both.there.llm.request()
        assert both.there.llm.asked[0].chat == [("user", "Hello there.")]
        assert not caller.of("error")
        assert (await both.there.get("/readyz"))[0] == 200
        assert (await both.targets())["fallback"] == "serves"
        assert "UNAVAILABLE" in (await both.targets())["primary"]
        assert await both.there.metric('voice_asr_streams{target="fallback"}') == 1
        assert await both.there.metric('voice_asr_target_up{target="primary"}') == 0
        more = await both.there.call()
        await both.second.stream(2)
        await more.hang_up()
        await both.there.asr.start()


async def test_a_stream_goes_back_after_a_final_once_the_first_one_has_been_well_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "_RETURN_AFTER_S", 0.3)
    async with reserve(tmp_path) as both:
        caller, _ = await said_half(both)
        await both.there.asr.stop()
        second = await both.second.stream()
        await second.heard(16_000)
        await both.there.asr.start()
        await both.serving(2)
        second.final("Hello.", processed_s=0.5)
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        words = 1
        while len(both.there.asr.listened) < 2:  # not after the first one: it has not been well for long
            words += 1
            await caller.say(ramp(1_600))
            second.final(f"And {words}.", processed_s=0.5 + 0.1 * (words - 1))
            await caller.turn(pb.TurnEvent.REPLY_ENDED, words)
        await second.ended()
        again = await both.there.asr.stream(2)
        assert again.config.config.model == "large"
        before = len(again.audio)
        await caller.say(ramp(3_200))
        assert (await again.heard(before + 6_400))[before:] == ramp(3_200)
        assert not caller.of("error")


async def test_a_live_setting_puts_the_second_recogniser_first_and_running_calls_move_after_their_final(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "_RETURN_AFTER_S", 0.0)
    async with reserve(tmp_path) as both:
        caller, first = await said_half(both)
        await both.prefer("fallback")
        assert (await both.targets())["preferred"] == "fallback"
        await caller.say(ramp(8_000, 8_000))
        await first.heard(32_000)
        assert not both.second.listened, "nothing moves in the middle of a word"
        first.final("Hello.", processed_s=0.8)
        second = await both.second.stream()
        assert await second.heard(6_400) == ramp(3_200, 12_800), "what the final does not stand for"
        fresh = await both.there.call()
        await both.second.stream(2)
        await fresh.hang_up()
        await both.prefer("primary")
        second.final("There.", processed_s=0.2)
        await both.there.asr.stream(2)
        assert not caller.of("error")


async def test_the_gateway_may_begin_with_the_second_one_first_and_the_first_one_down(tmp_path: Path) -> None:
    async with reserve(tmp_path, preferred="fallback") as both:
        caller = await both.there.call()
        await (await both.second.stream()).heard(0)
        assert not both.there.asr.listened
        await both.second.stop()
        await caller.say(ramp(8_000))
        assert await (await both.there.asr.stream()).heard(16_000) == ramp(8_000)
        await both.second.start()


def test_what_belongs_to_a_fallback_is_refused_without_one() -> None:
    with pytest.raises(ValueError, match="there is no fallback; set RIVA_ASR_FALLBACK_URI"):
        Settings(asr_preferred="fallback")
    with pytest.raises(ValueError, match="is used with RIVA_ASR_FALLBACK_URI only"):
        Settings(riva_asr_fallback_model="small")
    assert Settings(riva_asr_fallback_uri="a:1", riva_asr_fallback_ssl=True, riva_ca_file=Path("ca.pem"))
