"""How may a call end, and what is left of it? Nothing."""

import time

import grpc
from fake_llm import Answer
from fake_riva import ramp
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb

LONG = "One two three four five six seven eight nine ten."


async def test_half_closing_in_the_middle_of_a_word_ends_the_call_properly() -> None:
    async with lab() as there:
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.say(ramp(4_800))
        stream.partial("good mor")
        await caller.expect("transcript")
        await caller.half_close()
        assert await caller.over() == pb.SessionEnded.CALLER_ENDED
        assert caller.code is grpc.StatusCode.OK
        await stream.ended()


async def test_half_closing_of_a_caller_who_could_come_back_ends_the_call_properly() -> None:
    async with lab(gateway_resume_grace_s=60) as there:
        caller = await there.call(numbered=True)
        await caller.half_close()
        assert await caller.over() == pb.SessionEnded.CALLER_ENDED
        assert caller.code is grpc.StatusCode.OK


async def test_twenty_broken_streams_are_not_taken_for_half_closed_ones() -> None:
    async with lab(gateway_resume_grace_s=0.5) as there:
        callers = [await there.call(numbered=True) for _ in range(20)]
        broken_at = time.monotonic()
        for caller in callers:
            caller.cancel()
        for caller in callers:
            await caller.over()
        await there.settled()
        assert time.monotonic() - broken_at >= 0.5
        assert await there.metric('voice_sessions_ended_total{reason="caller gone"}') == 20


async def test_a_caller_who_breaks_off_in_the_middle_of_a_reply_is_gone_at_once() -> None:
    async with lab(gateway_resume_grace_s=60) as there:
        there.tts.seconds = lambda text: 20
        caller = await there.call()
        await caller.type("Tell me a story.")
        await caller.expect("reply_audio")
        caller.cancel()
        there.tts.seconds = lambda text: 0.06
        await there.settled()
        assert await there.metric('voice_sessions_ended_total{reason="caller gone"}') == 1


async def test_a_numbering_caller_who_breaks_off_is_waited_for_and_no_longer() -> None:
    async with lab(gateway_resume_grace_s=0.3) as there:
        there.tts.seconds = lambda text: 20
        caller = await there.call(numbered=True)
        await caller.type("Tell me a story.")
        await caller.expect("reply_audio")
        broken_at = time.monotonic()
        caller.cancel()
        await caller.over()
        there.tts.seconds = lambda text: 0.06
        await there.settled()
        assert time.monotonic() - broken_at >= 0.3
        assert await there.metric('voice_sessions_ended_total{reason="caller gone"}') == 1


async def test_hanging_up_while_the_model_thinks_cancels_its_request() -> None:
    async with lab() as there:
        there.llm.answers.append(Answer("", "hang"))
        caller = await there.call()
        await caller.type("Hello?")
        asked = await there.llm.request()
        await caller.hang_up()
        await there.llm.quiet()
        assert asked.cancelled


async def test_a_silent_caller_is_asked_twice_and_then_hung_up_on() -> None:
    async with lab(
        turn_idle_after_s=0.1, turn_idle_tries=2, turn_idle_prompt="Anybody there?", then_works=False
    ) as there:
        caller = await there.call()
        assert await caller.over() == pb.SessionEnded.IDLE
        assert caller.of("ended")[0].ended.message == "nobody has spoken for a while"
        assert [phrase.text for phrase in there.tts.spoken][:2] == ["Anybody there?"] * 2
        assert caller.audio(1)
        assert caller.audio(2)
        assert not there.llm.asked


async def test_the_longest_life_of_a_call_ends_it_with_a_reason() -> None:
    async with lab(gateway_max_session_s=1) as there:
        caller = await there.call()
        assert await caller.over() == pb.SessionEnded.MAX_DURATION
        assert "connect again" in caller.of("ended")[0].ended.message
        assert caller.code is grpc.StatusCode.OK


async def test_a_caller_is_told_in_time_that_the_longest_life_of_its_call_ends() -> None:
    async with lab(gateway_max_session_s=1.2, gateway_goaway_before_s=1) as there:
        caller = await there.call()
        away = (await caller.expect("go_away")).go_away
        assert away.reason == pb.GoAway.MAX_DURATION
        assert 0.5 < away.deadline_s <= 1
        assert away.resume_token == ""
        assert not caller.of("ended")
        assert await caller.over() == pb.SessionEnded.MAX_DURATION


async def test_a_caller_is_not_told_where_the_operator_wants_no_warning() -> None:
    async with lab(gateway_max_session_s=1, gateway_goaway_before_s=0) as there:
        caller = await there.call()
        assert await caller.over() == pb.SessionEnded.MAX_DURATION
        assert not caller.of("go_away")
