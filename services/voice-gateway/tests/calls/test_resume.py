"""What does a caller lose whose stream drops? Nothing, if it comes back in time."""

import asyncio

import grpc
import pytest
from fake_riva import ramp
from lab import Lab, lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


async def come_back(there: Lab, token: str, last_server_seq: int, first_seq: int) -> Caller:
    """A new stream that takes the call up."""
    caller = there.caller(numbered=True, first_seq=first_seq)
    started = await caller.start(resume=pb.Resume(token=token, last_server_seq=last_server_seq))
    assert started.resumed
    assert started.resume_token == token
    return caller


def numbers(caller: Caller) -> list[int]:
    """Of the messages that are numbered."""
    return [message.seq for message in caller.received if message.seq]


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
async def test_a_stream_dropped_in_a_reply_is_taken_up_without_a_message_lost_or_doubled(rate_hz: int) -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 1.5
        old = there.caller(numbered=True)
        token = (await old.start(output=pb.AudioFormat(sample_rate_hz=rate_hz))).resume_token
        await old.type("Tell me.")
        await old.expect("reply_audio", lambda m: m.reply_audio.offset > rate_hz // 4)
        old.cancel()
        await old.over()
        have = numbers(old)
        assert have == list(range(1, have[-1] + 1))
        got = have[-3]  # the last two are lost on the way
        new = await come_back(there, token, got, old.seq + 1)
        await new.turn(TurnEvent.REPLY_ENDED, 1)
        assert numbers(new) == list(range(got + 1, got + 1 + len(numbers(new))))
        kept = [m for m in old.of("reply_audio") if m.seq <= got]
        pieces = [m.reply_audio for m in (*kept, *new.of("reply_audio"))]
        ends = [piece.offset + len(piece.data) // 2 for piece in pieces]
        starts = [piece.offset for piece in pieces]
        if rate_hz == 16_000:
            assert starts == [0, *ends[:-1]]
            assert b"".join(piece.data for piece in pieces) == ramp(24_000)
        assert ends[-1] == pytest.approx(1.5 * rate_hz, rel=0.01)
        assert new.received[0].ack == old.seq
        assert await there.metric("voice_sessions_resumed_total") == 1
        await new.hang_up()


async def test_what_the_caller_sends_twice_is_taken_once() -> None:
    async with lab() as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        stream = await there.asr.stream()
        await old.send(audio=pb.Audio(data=ramp(1_600)))
        await old.send(audio=pb.Audio(data=ramp(1_600, 1_600)))
        await stream.heard(6_400)
        old.cancel()
        await old.over()
        new = await come_back(there, token, 0, old.seq + 1)
        assert new.received[0].ack == old.seq
        assert new.received[0].input_samples_consumed == 3_200
        new.seq = old.seq - 2
        await new.send(audio=pb.Audio(data=ramp(1_600)))
        await new.send(audio=pb.Audio(data=ramp(1_600, 1_600)))
        assert new.seq == old.seq
        await new.send(audio=pb.Audio(data=ramp(1_600, 3_200)))
        assert await stream.heard(9_600) == ramp(4_800)
        await new.hang_up()


async def test_a_token_nobody_knows_is_not_found() -> None:
    async with lab() as there:
        caller = there.caller(numbered=True)
        await caller.send(start=pb.SessionStart(resume=pb.Resume(token="made up")))
        await caller.over()
        assert caller.code is grpc.StatusCode.NOT_FOUND
        assert "start a new session" in caller.sentence


async def test_a_token_whose_time_is_over_is_not_found() -> None:
    async with lab(gateway_resume_grace_s=0.05) as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        old.cancel()
        await old.over()
        await there.eventually(lambda: there.metric("voice_sessions_active"), 0)
        late = there.caller(numbered=True, first_seq=old.seq + 1)
        await late.send(start=pb.SessionStart(resume=pb.Resume(token=token)))
        await late.over()
        assert late.code is grpc.StatusCode.NOT_FOUND
        assert "start a new session" in late.sentence


@pytest.mark.parametrize("last_server_seq", [0, 10_000])
async def test_a_call_cannot_be_taken_up_before_what_was_acknowledged_or_after_what_was_sent(
    last_server_seq: int,
) -> None:
    async with lab(gateway_resume_grace_s=0.3) as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        await old.type("Hello?")
        await old.turn(TurnEvent.REPLY_ENDED, 1)
        await old.send(ack=numbers(old)[-1], text=pb.Text(text=" "))
        await old.error(pb.Error.BAD_REQUEST)
        old.cancel()
        await old.over()
        late = there.caller(numbered=True, first_seq=old.seq + 1)
        await late.send(start=pb.SessionStart(resume=pb.Resume(token=token, last_server_seq=last_server_seq)))
        await late.over()
        assert late.code is grpc.StatusCode.NOT_FOUND
        assert "not kept any more; start a new session" in late.sentence


async def test_the_old_stream_of_a_call_taken_up_again_is_closed_and_takes_nothing_with_it() -> None:
    async with lab() as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        new = await come_back(there, token, 0, old.seq + 1)
        await old.over()
        assert old.code is grpc.StatusCode.ABORTED
        assert "another stream; go on there" in old.sentence
        old.cancel()
        for n in (1, 2, 3):
            await new.type("Hello?")
            await new.turn(TurnEvent.REPLY_ENDED, n)
            assert new.audio(n) == ramp(960)
        assert numbers(new) == list(range(1, 1 + len(numbers(new))))
        await new.hang_up()


async def test_of_ten_resumes_at_once_one_carries_the_call_and_the_others_are_let_go() -> None:
    async with lab() as there:
        for _ in range(5):
            old = there.caller(numbered=True)
            token = (await old.start()).resume_token
            rivals = [there.caller(numbered=True, first_seq=old.seq + 1) for _ in range(10)]
            for rival in rivals:
                await rival.send(start=pb.SessionStart(resume=pb.Resume(token=token)))
            await old.over()
            winner = await left_alone(rivals)
            assert {rival.code for rival in (old, *rivals) if rival is not winner} == {grpc.StatusCode.ABORTED}
            await winner.type("Which of us is it?")
            await winner.turn(TurnEvent.REPLY_ENDED, 1)
            await winner.hang_up()


async def left_alone(rivals: list[Caller]) -> Caller:
    """The one whose stream stays open."""
    ends = [asyncio.create_task(rival.over()) for rival in rivals]
    ended = asyncio.as_completed(ends)
    for _ in rivals[1:]:
        await next(ended)
    for end in ends:
        end.cancel()
    return next(rival for rival in rivals if rival.code is None)


async def test_a_stream_that_drops_again_and_again_never_hangs_up() -> None:
    async with lab() as there:
        caller = there.caller(numbered=True)
        token = (await caller.start()).resume_token
        for _ in range(20):
            caller.cancel()
            await caller.over()
            last = max((n for n in numbers(caller)), default=0)
            caller = await come_back(there, token, last, caller.seq + 1)
        await caller.type("Still there?")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await caller.hang_up()


async def test_a_reply_waits_while_nobody_is_there_to_hear_it() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 0.5
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        stream = await there.asr.stream()
        stream.final("Tell me.")
        await old.turn(TurnEvent.TURN_ENDED)
        old.cancel()
        await old.over()
        await there.tts.phrase()
        await there.tts.quiet()
        new = await come_back(there, token, max(numbers(old)), old.seq + 1)
        await new.turn(TurnEvent.REPLY_ENDED, 1)
        assert new.audio(1) == ramp(8_000)
        await new.hang_up()


async def test_a_turn_is_not_answered_half_way_while_its_caller_is_away() -> None:
    async with lab(turn_max_silence_s=0.1) as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        stream = await there.asr.stream()
        await old.send(audio=pb.Audio(data=ramp(1_600)))
        stream.partial("I would like")
        await old.expect("transcript")
        old.cancel()
        await old.over()
        stream.final("I would like")
        await there.eventually(lambda: there.metric("voice_sessions_active"), 1)
        await asyncio.sleep(0.5)  # five times the silence that would end the turn
        assert await there.metric("voice_turns_total") == 0
        new = await come_back(there, token, max(numbers(old)), old.seq + 1)
        await new.send(audio=pb.Audio(data=ramp(1_600, 1_600)))
        stream.partial("to book a table")
        stream.final("to book a table")
        await new.turn(TurnEvent.REPLY_ENDED)
        assert there.llm.asked[-1].chat[-1] == ("user", "I would like to book a table")
        await new.hang_up()


async def test_a_caller_who_drops_in_a_pause_and_brings_the_rest_is_answered_once() -> None:
    async with lab(turn_end_silence_s=0.3) as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        stream = await there.asr.stream()
        await old.send(audio=pb.Audio(data=ramp(1_600)))
        stream.final("I would like", processed_s=0.1)
        await old.expect("transcript")
        old.cancel()
        await old.over()
        await asyncio.sleep(1.0)
        new = await come_back(there, token, max(numbers(old)), old.seq + 1)
        await asyncio.sleep(0.5)  # longer than the silence that ends the turn: a slow link
        for number in range(10):
            await new.send(audio=pb.Audio(data=ramp(1_600, 1_600 * (number + 1))))
        stream.partial("to book", processed_s=0.5)
        await new.expect("transcript", lambda m: m.transcript.text == "to book")
        stream.final("to book a table", processed_s=1.1)
        assert (await new.turn(TurnEvent.TURN_ENDED)).text == "I would like to book a table"
        await new.turn(TurnEvent.REPLY_ENDED)
        told = [message.turn.kind for caller in (old, new) for message in caller.of("turn")]
        assert told == [TurnEvent.TURN_ENDED, TurnEvent.REPLY_STARTED, TurnEvent.REPLY_ENDED]
        await new.hang_up()


async def test_a_caller_who_drops_after_the_last_word_is_answered_on_return() -> None:
    async with lab(turn_end_silence_s=0.3) as there:
        old = there.caller(numbered=True)
        token = (await old.start()).resume_token
        stream = await there.asr.stream()
        await old.send(audio=pb.Audio(data=ramp(1_600)))
        stream.final("Tell me.", processed_s=0.1)
        await old.expect("transcript")
        old.cancel()
        await old.over()
        await asyncio.sleep(0.5)
        new = await come_back(there, token, max(numbers(old)), old.seq + 1)
        await new.turn(TurnEvent.REPLY_ENDED)
        assert [asked.chat[-1][1] for asked in there.llm.asked] == ["Tell me."]
        await new.hang_up()


async def test_a_token_of_another_gateway_is_told_to_try_again() -> None:
    async with lab() as there:
        caller = there.caller(numbered=True)
        await caller.send(start=pb.SessionStart(resume=pb.Resume(token="0123456789ab.made-up-by-another-gateway")))
        await caller.over()
        assert caller.code is grpc.StatusCode.UNAVAILABLE
        assert "try again over a new connection" in caller.sentence
        assert int(caller.trailer["retry-after-ms"]) > 0
