"""Does a call carry everything once, in order, over as many streams as it takes?"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import grpc
import pytest
from pcm import AudioFormat, Encoding
from voice_client import (
    BadRequest,
    Busy,
    Call,
    CallFailed,
    CallLost,
    CallOptions,
    Dropped,
    Ended,
    Error,
    Event,
    GoAway,
    Reconnect,
    ReplyAudio,
    ReplyText,
    Report,
    Started,
    Tool,
    ToolCall,
    Turn,
    TurnEvent,
    Unauthorised,
    Unreachable,
    connect,
    reconnecting_stream,
    server_info,
)
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import Session, answering, serving, silent, tone

FAST = CallOptions(reconnect=Reconnect(first_s=0.01, deadline_s=5.0), connect_timeout_s=5.0)
E = TypeVar("E")


async def until(call: Call, wanted: Callable[[Event], bool]) -> list[Event]:
    """Everything up to and with the first wanted event."""
    seen: list[Event] = []
    async with asyncio.timeout(10):
        async for event in call:
            seen.append(event)
            if wanted(event):
                return seen
    raise AssertionError(f"the call ended before that: {seen}")


def of_type(seen: list[Event], kind: type[E]) -> list[E]:
    return [event for event in seen if isinstance(event, kind)]


def reply_ended(event: Event) -> bool:
    return isinstance(event, TurnEvent) and event.kind is Turn.REPLY_ENDED


async def test_a_typed_turn_is_answered_with_text_and_audio_and_the_call_ends() -> None:
    async with serving(answering) as gateway, connect(gateway.target, FAST) as call:
        await call.say("hello")
        seen = await until(call, reply_ended)
        await call.end()
        rest = [event async for event in call]
    assert isinstance(seen[0], Started)
    assert not seen[0].resumed
    assert "".join(text.delta for text in of_type(seen, ReplyText)) == "you typed hello "
    assert b"".join(audio.pcm16 for audio in of_type(seen, ReplyAudio)) == tone(0.5)
    assert rest == [Ended("caller_ended", "")]
    assert [m.seq for m in gateway.sessions[0].received] == [2, 3]


async def test_everything_a_caller_can_do_reaches_the_gateway_in_order() -> None:
    async with serving(silent) as gateway:
        async with connect(gateway.target, FAST) as call:
            await call.send_audio(bytes(640))
            await call.commit()
            await call.interrupt()
            await call.report_playout(Report(3, 100, 320, final=True))
            await call.answer_tool("t1", "42", failed=True)
            await call.update(voice="other")
        session = gateway.sessions[0]
    kinds = [m.WhichOneof("message") for m in session.received]
    assert kinds == ["audio", "commit", "interrupt", "playout", "tool_result", "update", "end"]
    report = session.of_kind("playout")[0].playout
    assert (report.reply, report.samples_played, report.input_sample, report.final) == (3, 100, 320, True)


async def test_long_audio_is_cut_to_the_limit_and_encoded_as_agreed() -> None:
    options = CallOptions(input=AudioFormat(Encoding.MULAW, 8000))
    async with serving(silent) as gateway:
        async with connect(gateway.target, options) as call:
            await call.send_audio(bytes(2 * 20000))
            assert call.samples_sent == 20000
        audio = [m.audio for m in gateway.sessions[0].of_kind("audio")]
    assert [(len(a.data), a.first_sample) for a in audio] == [(8000, 0), (8000, 8000), (4000, 16000)]
    assert set(audio[0].data) == {0xFF}


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("drop", [1, 5, 9])
async def test_a_stream_dropped_in_the_middle_of_a_reply_loses_and_doubles_nothing(drop: int, numbered: bool) -> None:
    async with serving(answering) as gateway:
        gateway.drop_after = [drop, 2]
        gateway.number_resumed_start = numbered
        async with connect(gateway.target, FAST) as call:
            for _ in range(20):
                await call.send_audio(bytes(640))
            await call.say("hello")
            for _ in range(20):
                await call.send_audio(bytes(640))
            seen = await until(call, reply_ended)
        session = gateway.sessions[0]
    assert gateway.streams == 3
    assert len(gateway.sessions) == 1
    assert [s.resumed for s in of_type(seen, Started)] == [False, True, True]
    assert len(of_type(seen, Dropped)) == 2
    assert [a.offset for a in of_type(seen, ReplyAudio)] == list(range(0, 4000, 400))
    assert b"".join(a.pcm16 for a in of_type(seen, ReplyAudio)) == tone(0.5)
    assert "".join(t.delta for t in of_type(seen, ReplyText)) == "you typed hello "
    assert len(session.of_kind("text")) == 1
    assert session.samples == 40 * 320


async def test_what_is_sent_while_the_gateway_is_away_arrives_after_it_came_back() -> None:
    async with serving(silent) as gateway:
        gateway.drop_after = [1]
        async with connect(gateway.target, FAST) as call:
            gateway.refuse = [(grpc.StatusCode.UNAVAILABLE, "starting", 10)] * 3
            gateway.sessions[0].tell(reply_text=pb.ReplyText(reply=1, delta="x"))
            await until(call, lambda event: isinstance(event, Dropped))
            await call.say("are you there?")
            await until(call, lambda event: isinstance(event, ReplyText))
        assert [m.text.text for m in gateway.sessions[0].of_kind("text")] == ["are you there?"]
        assert gateway.streams == 5


async def test_a_call_that_the_gateway_forgot_is_lost_with_its_sentence() -> None:
    async with serving(answering) as gateway:
        gateway.drop_after = [3]
        async with connect(gateway.target, FAST) as call:
            gateway.sessions[0].token = "another"
            await call.say("hello")
            with pytest.raises(CallLost, match="no such call; start a new one"):
                await until(call, reply_ended)


async def test_a_gateway_that_does_not_come_back_ends_the_call_at_the_deadline() -> None:
    options = CallOptions(reconnect=Reconnect(first_s=0.01, deadline_s=0.3))
    async with serving(answering) as gateway, connect(gateway.target, options) as call:
        gateway.refuse = [(grpc.StatusCode.UNAVAILABLE, "gone", 5)] * 1000
        gateway.drop_after = []
        gateway.sessions[0].ended = True
        gateway.sessions[0].changed.set()
        # Between two attempts or in the midst of one.
        with pytest.raises(CallLost, match=r"could not be (resumed|reached) in time"):
            await until(call, reply_ended)


async def test_a_call_without_a_resume_token_is_lost_with_its_stream() -> None:
    async with serving(answering) as gateway:
        gateway.drop_after = [3]
        gateway.resumable = False
        async with connect(gateway.target, FAST) as call:
            await call.say("hello")
            with pytest.raises(CallLost, match="can't resume"):
                await until(call, reply_ended)
    assert gateway.streams == 1


async def test_go_away_moves_the_call_to_the_named_gateway() -> None:
    async with serving(answering) as old, serving(answering) as new, connect(old.target, FAST) as call:
        await call.say("first")
        await until(call, reply_ended)
        session = old.sessions[0]
        new.sessions.append(session)
        away = pb.GoAway(reason=pb.GoAway.DRAINING, deadline_s=5, resume_token=session.token, target=new.target)
        session.tell(go_away=away)
        seen = await until(call, lambda event: isinstance(event, Started) and event.resumed)
        await call.say("second")
        seen += await until(call, reply_ended)
    assert GoAway("draining", 5.0, new.target, followed=True) in seen
    assert not of_type(seen, Dropped)
    assert "".join(t.delta for t in of_type(seen, ReplyText)) == "you typed second "
    assert (old.streams, new.streams) == (1, 1)


async def test_go_away_without_a_token_is_told_and_the_call_stays() -> None:
    async with serving(answering) as gateway, connect(gateway.target, FAST) as call:
        gateway.sessions[0].tell(go_away=pb.GoAway(reason=pb.GoAway.MAX_DURATION, deadline_s=9))
        seen = await until(call, lambda event: isinstance(event, GoAway))
        assert seen[-1] == GoAway("max_duration", 9.0, "", followed=False)
        await call.say("still here")
        await until(call, reply_ended)
        assert gateway.streams == 1


async def test_many_messages_are_acknowledged_though_the_caller_says_nothing() -> None:
    async with serving(silent) as gateway, connect(gateway.target, FAST) as call:
        session = gateway.sessions[0]
        for index in range(40):
            session.tell(reply_text=pb.ReplyText(reply=1, delta=str(index)))
        await until(call, lambda event: isinstance(event, ReplyText) and event.delta == "39")
        async with asyncio.timeout(5):
            while session.acked < 41:
                session.heard.clear()
                await session.heard.wait()


async def test_a_gateway_that_hangs_is_taken_as_dropped_and_the_call_resumed() -> None:
    options = CallOptions(silent_link_s=0.2, reconnect=Reconnect(first_s=0.01))
    async with serving(silent) as gateway, connect(gateway.target, options) as call:
        await call.say("anyone?")
        seen = await until(call, lambda event: isinstance(event, Started) and event.resumed)
        assert "silent" in of_type(seen, Dropped)[0].reason


async def test_a_caller_who_only_listens_is_not_taken_as_dropped() -> None:
    options = CallOptions(silent_link_s=0.05)
    async with serving(silent) as gateway, connect(gateway.target, options) as call:
        listening = asyncio.create_task(until(call, lambda event: isinstance(event, Dropped)))
        done, _ = await asyncio.wait({listening}, timeout=0.5)
        assert not done
        assert gateway.streams == 1
        await call.end()
        with pytest.raises(AssertionError, match="the call ended before that"):
            await listening


async def test_a_fatal_error_is_told_and_not_resumed() -> None:
    seen: list[Event] = []

    async def listen(call: Call) -> None:
        async for event in call:
            seen.append(event)

    async with serving(silent) as gateway:
        gateway.drop_after = [2]
        async with connect(gateway.target, FAST) as call:
            session = gateway.sessions[0]
            session.tell(error=pb.Error(code=pb.Error.ASR_BROKEN, message="no ears; call later", fatal=True))
            session.tell(reply_text=pb.ReplyText(reply=1, delta="never"))
            with pytest.raises(CallFailed, match="no ears; call later"):
                await listen(call)
    assert of_type(seen, Error) == [Error("asr_broken", "no ears; call later", False, 0.0, True)]
    assert gateway.streams == 1


async def test_a_tool_call_is_told_with_its_arguments_and_tools_are_offered() -> None:
    options = CallOptions(tools=(Tool("clock", "Tells the time.", {"type": "object"}),))
    async with serving(silent) as gateway, connect(gateway.target, options) as call:
        session = gateway.sessions[0]
        tool_call = pb.ToolCall(id="t1", reply=1, name="clock", timeout_s=5)
        tool_call.arguments.update({"zone": "UTC"})
        session.tell(tool_call=tool_call)
        seen = await until(call, lambda event: isinstance(event, ToolCall))
        assert seen[-1] == ToolCall("t1", 1, "clock", {"zone": "UTC"}, 5.0)
        assert session.start.tools[0].parameters["type"] == "object"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Busy),
        (grpc.StatusCode.UNAUTHENTICATED, Unauthorised),
        (grpc.StatusCode.INVALID_ARGUMENT, BadRequest),
        (grpc.StatusCode.INTERNAL, CallFailed),
    ],
)
async def test_a_refusal_keeps_the_sentence_of_the_gateway(status: grpc.StatusCode, expected: type[Exception]) -> None:
    async with serving(silent) as gateway:
        gateway.refuse = [(status, "no; try something else", 1500)] * 20
        with pytest.raises(expected, match="no; try something else") as refusal:
            async with connect(gateway.target, FAST):
                pass
    assert getattr(refusal.value, "retry_after_s", None) == 1.5


async def test_nobody_at_the_address_is_told_at_once() -> None:
    with pytest.raises(Unreachable, match=r"no voice gateway answers at 127\.0\.0\.1:1"):
        async with connect("127.0.0.1:1", FAST):
            pass
    with pytest.raises(Unreachable):
        await server_info("127.0.0.1:1", FAST)


async def test_the_token_file_is_read_anew_for_every_stream(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    options = CallOptions(token_file=token, reconnect=Reconnect(first_s=0.01))
    async with serving(answering) as gateway:
        gateway.drop_after = [2]
        async with connect(gateway.target, options) as call:
            token.write_text("two\n")
            await call.say("hello")
            await until(call, reply_ended)
    assert gateway.tokens == ["Bearer one", "Bearer two"]


async def test_leaving_the_block_by_an_error_still_hangs_up() -> None:
    async with serving(silent) as gateway:
        with pytest.raises(ZeroDivisionError):
            async with connect(gateway.target, FAST):
                raise ZeroDivisionError
        assert [m.WhichOneof("message") for m in gateway.sessions[0].received] == ["end"]


async def test_a_caller_that_reads_nothing_can_still_hang_up() -> None:
    def flooding(session: Session, message: pb.ClientMessage) -> None:
        if message.WhichOneof("message") == "text":
            for _ in range(3000):
                session.tell(reply_text=pb.ReplyText(reply=1, delta="x"))

    async with serving(flooding) as gateway:
        async with asyncio.timeout(5), connect(gateway.target, FAST) as call:
            await call.say("go on")
        assert gateway.sessions[0].ended


async def test_a_call_refused_by_a_gateway_that_drains_is_tried_again_on_a_new_connection() -> None:
    async with serving(answering) as gateway:
        gateway.refuse = [(grpc.StatusCode.UNAVAILABLE, "draining; connect again", 10)] * 3
        async with connect(gateway.target, FAST) as call:
            await call.say("hello")
            await until(call, reply_ended)
        assert gateway.streams == 4
        assert len(set(gateway.peers)) == 4
        assert [m.seq for m in gateway.sessions[0].received] == [2, 3]


async def test_a_gateway_that_goes_on_draining_is_told_in_its_own_words_after_the_time_allowed() -> None:
    options = CallOptions(admission_timeout_s=0.3, reconnect=Reconnect(first_s=0.01))
    async with serving(silent) as gateway:
        gateway.refuse = [(grpc.StatusCode.UNAVAILABLE, "draining; connect again", 20)] * 1000
        with pytest.raises(Busy, match="draining; connect again"):
            async with connect(gateway.target, options):
                pass
        assert 2 < gateway.streams < 20


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
async def test_one_attempt_is_all_where_none_other_is_wanted(status: grpc.StatusCode) -> None:
    async with serving(silent) as gateway:
        gateway.refuse = [(status, "not now; try later", 10)] * 2
        with pytest.raises(Busy, match="not now; try later"):
            async with connect(gateway.target, CallOptions(admission_timeout_s=0)):
                pass
        assert gateway.streams == 1


async def test_a_full_gateway_is_left_for_another_one_behind_the_same_address() -> None:
    async with serving(answering) as gateway:
        gateway.refuse = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "all calls are taken", 60_000)] * 2
        async with connect(gateway.target, CallOptions()) as call:
            await call.say("hello")
            await until(call, reply_ended)
        assert gateway.streams == 3
        assert len(set(gateway.peers)) == 3


async def test_where_all_gateways_are_full_the_caller_is_told_with_the_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconnecting_stream, "_ELSEWHERE", Reconnect(first_s=0.001, longest_s=0.001))
    async with serving(silent) as gateway:
        gateway.refuse = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "all calls are taken", 60_000)] * 1000
        with pytest.raises(Busy, match="all calls are taken") as refusal:
            async with connect(gateway.target, CallOptions()):
                pass
        assert refusal.value.retry_after_s == 60
        assert gateway.streams == 1 + reconnecting_stream.FULL_AT_MOST


async def test_a_resume_that_reaches_the_wrong_gateway_is_tried_again_over_a_new_connection() -> None:
    elsewhere = (grpc.StatusCode.UNAVAILABLE, "another gateway holds this call", 20)
    async with serving(answering) as gateway:
        gateway.drop_after = [2]
        async with connect(gateway.target, CallOptions()) as call:
            gateway.refuse = [elsewhere, elsewhere]
            await call.say("hello")
            seen = await until(call, lambda event: isinstance(event, Started) and event.resumed)
            await until(call, lambda event: isinstance(event, TurnEvent) and event.kind is Turn.REPLY_ENDED)
    assert seen
    assert gateway.streams == 4
    assert len(set(gateway.peers)) == 4
