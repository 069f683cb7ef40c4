"""What happens to a running call when the caller sends what can't be used? It is told, and goes on where it can."""

from typing import Any

import grpc
import pytest
from fake_riva import ramp
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb


@pytest.mark.parametrize(
    ("message", "code", "says"),
    [
        ({"audio": pb.Audio(data=bytes(641))}, pb.Error.BAD_REQUEST, "641 bytes holds half a sample; send whole"),
        ({"audio": pb.Audio(data=bytes(32_002))}, pb.Error.BAD_REQUEST, "longer than one second; send 20 to 100 ms"),
        ({"start": pb.SessionStart()}, pb.Error.BAD_REQUEST, "SessionStart comes first and only once"),
        ({"text": pb.Text(text="  ")}, pb.Error.BAD_REQUEST, "text is empty; send at least one word"),
        ({"text": pb.Text(text="x" * 16_385)}, pb.Error.BAD_REQUEST, "16385 characters; send at most 16384"),
        ({"tool_result": pb.ToolResult(id="7")}, pb.Error.BAD_REQUEST, "no tool was called as '7'; send the id"),
        ({"tool_result": pb.ToolResult(id="tool-1")}, pb.Error.BAD_REQUEST, "no tool was called as 'tool-1'"),
        ({"tool_result": pb.ToolResult(content="x" * 16_385)}, pb.Error.BAD_REQUEST, "send at most 16384"),
        ({"update": pb.SessionUpdate(tools=[pb.Tool(name="")])}, pb.Error.BAD_REQUEST, "a tool's name is ''"),
        ({"update": pb.SessionUpdate(language="de-DE")}, pb.Error.UNSUPPORTED, "start a new session"),
        ({"update": pb.SessionUpdate(llm=pb.LlmOptions(max_tokens=5_000))}, pb.Error.BAD_REQUEST, "send 1 to 4096"),
        ({"update": pb.SessionUpdate(turn_detection=9)}, pb.Error.BAD_REQUEST, "turn_detection"),  # type: ignore[arg-type]
        ({}, pb.Error.BAD_REQUEST, "an empty message; set one of its fields"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_message_that_cannot_be_used_is_named_and_the_call_goes_on(
    message: dict[str, Any], code: "pb.Error.Code.ValueType", says: str
) -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.send(**message)
        error = await caller.error(code)
        assert says in error.message
        assert not error.fatal
        await caller.type("Still there?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        await caller.say(ramp(1_600))
        assert await (await there.asr.stream()).heard(3_200) == ramp(1_600)
        await caller.hang_up()
        assert caller.code is grpc.StatusCode.OK


async def test_audio_faster_than_it_can_be_spoken_ends_the_call_with_a_word_on_the_rate() -> None:
    async with lab() as there:
        caller = await there.call()
        for _ in range(8):
            await caller.send(audio=pb.Audio(data=bytes(32_000)))
        error = await caller.error(pb.Error.BAD_REQUEST)
        assert error.fatal
        assert "is it really 16000 Hz? Name the true rate in SessionStart.input" in error.message
        assert await caller.over() == pb.SessionEnded.FAILED
        assert caller.of("ended")[0].ended.message


async def test_a_message_above_the_limit_of_grpc_ends_the_stream_with_its_status() -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.send(audio=pb.Audio(data=bytes(5 * 1024 * 1024)))
        await caller.over()
        assert caller.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "larger than max" in caller.sentence


async def test_a_gap_in_the_audio_is_filled_with_silence_and_an_overlap_is_dropped() -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.send(audio=pb.Audio(data=ramp(1_600)))
        await caller.send(audio=pb.Audio(data=ramp(1_600, 2_000), first_sample=2_000))
        await caller.send(audio=pb.Audio(data=ramp(1_600, 2_800), first_sample=2_800))
        audio = await (await there.asr.stream()).heard(2 * 4_400)
        assert audio == ramp(1_600) + bytes(800) + ramp(2_400, 2_000)


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "sample_bytes"),
    [(pb.AUDIO_ENCODING_PCM16, 48_000, 2), (pb.AUDIO_ENCODING_MULAW, 8_000, 1), (pb.AUDIO_ENCODING_ALAW, 8_000, 1)],
)
async def test_every_served_format_reaches_recognition_at_16_kilohertz(
    encoding: pb.AudioEncoding.ValueType, rate_hz: int, sample_bytes: int
) -> None:
    async with lab() as there:
        format_ = pb.AudioFormat(encoding=encoding, sample_rate_hz=rate_hz)
        caller = await there.call(input=format_, output=format_)
        await caller.say(bytes(rate_hz * sample_bytes), rate_hz // 50 * sample_bytes)
        await (await there.asr.stream()).heard(31_000)
        await caller.type("Hello?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        assert len(caller.audio(1)) == pytest.approx(0.06 * rate_hz * sample_bytes, rel=0.01)
