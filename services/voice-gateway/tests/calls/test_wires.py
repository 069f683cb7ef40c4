"""Is a call over WebSocket the same as over gRPC? The same messages, limits, refusals and resumes."""

import base64
from functools import partial
from pathlib import Path

import aiohttp
import grpc
import pytest
from fake_riva import ramp
from lab import Lab, lab
from raw_caller import Caller
from voice_gateway.app import call_config
from voice_gateway.edges.limits import Limits
from voice_workflow.v1 import voice_workflow_pb2 as pb

pytestmark = pytest.mark.parametrize("wire", ["json", "proto"])


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("ann: ann/own+secret?=\n", encoding="utf-8")
    return file


async def test_a_spoken_turn_and_a_typed_one_are_answered_with_audio(wire: str) -> None:
    async with lab() as there:
        caller = await there.call(wire=wire, numbered=True)
        await caller.say(ramp(1_600))
        stream = await there.asr.stream()
        assert await stream.heard(3_200) == ramp(1_600)
        stream.final("What time is it?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        assert caller.of("transcript")[-1].transcript.text == "What time is it?"
        await caller.type("And the date?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 2)
        assert caller.audio(1)
        assert caller.audio(2)
        assert caller.text(2)
        assert caller.received[-1].ack == caller.seq
        assert caller.received[-1].input_samples_consumed == 1_600
        assert [message.seq for message in caller.received if message.seq] == list(
            range(1, caller.received[-1].seq + 1)
        )
        await caller.hang_up()
        assert caller.code is grpc.StatusCode.OK


async def test_a_message_that_cannot_be_used_is_named_and_the_call_goes_on(wire: str) -> None:
    async with lab() as there:
        caller = await there.call(wire=wire)
        await caller.send_bytes(b"\xff\xff no message at all")
        assert (
            "is no" in (await caller.error(pb.Error.BAD_REQUEST)).message
            or "are no" in caller.of("error")[0].error.message
        )
        await caller.send(audio=pb.Audio(data=bytes(641)))
        await caller.expect("error", lambda m: "641 bytes holds half a sample" in m.error.message)
        assert caller.websocket is not None
        ws = await caller.websocket.open()
        await (ws.send_bytes(b"{}") if wire == "json" else ws.send_str("{}"))
        await caller.expect(
            "error", lambda m: "send text frames" in m.error.message or "send binary" in m.error.message
        )
        await caller.type("Still there?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        await caller.hang_up()


async def test_a_call_whose_link_breaks_is_taken_up_over_any_wire(wire: str) -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 0.4
        old = there.caller(wire=wire, numbered=True)
        token = (await old.start()).resume_token
        await old.type("Tell me.")
        await old.expect("reply_audio")
        old.cancel()
        await old.over()
        got = max(message.seq for message in old.received)
        new = there.caller(wire="grpc", numbered=True, first_seq=old.seq + 1)
        assert (await new.start(resume=pb.Resume(token=token, last_server_seq=got))).resumed
        await new.expect("turn", lambda m: m.turn.kind == pb.TurnEvent.REPLY_STARTED or m.seq > got)
        last = there.caller(wire=wire, numbered=True, first_seq=new.seq + 1)
        assert (await last.start(resume=pb.Resume(token=token, last_server_seq=got))).resumed
        await new.over()
        assert new.code is grpc.StatusCode.ABORTED
        await last.turn(pb.TurnEvent.REPLY_ENDED, 1)
        assert (await last.expect("reply_audio")).seq > got
        await last.hang_up()


async def test_a_page_that_goes_away_may_come_back_and_one_that_closes_has_ended_its_call(wire: str) -> None:
    async with lab() as there:
        away = there.caller(wire=wire, numbered=True)
        token = (await away.start()).resume_token
        assert away.websocket is not None
        await (await away.websocket.open()).close(code=1001)
        back = there.caller(wire=wire, numbered=True, first_seq=away.seq + 1)
        assert (await back.start(resume=pb.Resume(token=token))).resumed
        await back.half_close()
        await there.eventually(lambda: there.metric('voice_sessions_ended_total{reason="caller ended"}'), 1)


async def test_a_stream_that_is_replaced_says_so(wire: str) -> None:
    async with lab() as there:
        old = there.caller(wire=wire, numbered=True)
        token = (await old.start()).resume_token
        new = there.caller(wire=wire, numbered=True, first_seq=old.seq + 1)
        await new.start(resume=pb.Resume(token=token))
        await old.over()
        assert old.code is grpc.StatusCode.ABORTED
        assert "taken up again on another stream" in old.sentence
        await new.hang_up()


@pytest.mark.parametrize(
    ("start", "code", "says"),
    [
        ({"input": pb.AudioFormat(sample_rate_hz=7)}, grpc.StatusCode.INVALID_ARGUMENT, "send 8000 to 48000"),
        ({"language": "xx-XX"}, grpc.StatusCode.UNIMPLEMENTED, "xx-XX"),
        ({"resume": pb.Resume(token="x.y")}, grpc.StatusCode.UNAVAILABLE, "another gateway"),
        ({"voice": "mine"}, grpc.StatusCode.PERMISSION_DENIED, "voice is chosen by the operator"),
    ],
    ids=["format", "language", "elsewhere", "voice"],
)
async def test_a_refused_start_has_a_close_code_and_a_sentence(
    wire: str, start: dict[str, object], code: grpc.StatusCode, says: str
) -> None:
    async with lab(asr_has=["en-US"], tts_has=["en-US"], caller_may_set="language") as there:
        caller = there.caller(wire=wire)
        await caller.send(start=pb.SessionStart(**start))  # type: ignore[arg-type]
        await caller.over()
        assert caller.code is code
        assert says in caller.sentence
        assert (caller.trailer != {}) == (code is grpc.StatusCode.UNAVAILABLE)
        assert caller.websocket is not None
        ws = await caller.websocket.open()
        assert ws.close_code == 4000 + code.value[0]


async def test_all_calls_taken_is_told_with_when_to_come_back(wire: str) -> None:
    async with lab(gateway_max_sessions=1) as there:
        first = await there.call()
        refused = there.caller(wire=wire)
        await refused.send(start=pb.SessionStart())
        await refused.over()
        assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert int(refused.trailer["retry-after-ms"]) > 0
        await first.hang_up()


@pytest.mark.parametrize("shown", ["header", "subprotocol"])
async def test_a_token_is_asked_for_and_taken_from_header_or_subprotocol(wire: str, shown: str, tokens: Path) -> None:
    def caller_with(there: Lab, token: str) -> Caller:
        if shown == "header":
            return there.caller(wire=wire, authorization=f"Bearer {token}")
        encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
        return there.caller(
            wire=wire, protocols=(f"voice_workflow.v1.{wire}", f"base64url.bearer.voice_workflow.{encoded}")
        )

    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        for wrong in (there.caller(wire=wire), caller_with(there, "bob's")):
            await wrong.send(start=pb.SessionStart())
            await wrong.over()
            assert wrong.code is grpc.StatusCode.UNAUTHENTICATED
            assert "token" in wrong.sentence
            assert [message.WhichOneof("message") for message in wrong.received] == ["error"]
        right = caller_with(there, "ann/own+secret?=")
        await right.start()
        assert right.websocket is not None
        assert (await right.websocket.open()).protocol == f"voice_workflow.v1.{wire}"
        await right.hang_up()


async def test_a_websocket_that_sends_nothing_ends(wire: str) -> None:
    async with lab(gateway_start_timeout_s=0.05) as there:
        caller = there.caller(wire=wire)
        await caller.over()
        assert caller.code is grpc.StatusCode.INVALID_ARGUMENT
        assert "nothing came within 0.05 s" in caller.sentence


async def test_a_message_that_is_too_large_closes_the_websocket(wire: str) -> None:
    async with lab() as there:
        caller = there.caller(wire=wire)
        await caller.send(start=pb.SessionStart(system_prompt="x" * 600_000))
        await caller.over()
        assert caller.websocket is not None
        assert (await caller.websocket.open()).close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_a_flood_is_read_slowly_and_told(wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tight = partial(Limits, messages_burst=100, messages_per_s=500, errors_burst=5)
    monkeypatch.setattr(call_config, "Limits", tight)
    async with lab() as there:
        caller = await there.call(wire=wire)
        for _ in range(300):
            await caller.send(playout=pb.PlayoutReport(reply=1))
        assert "500 messages a second" in (await caller.error(pb.Error.OVERLOADED)).message
        assert len(caller.of("error")) <= 5 + 10
        await caller.hang_up()


async def test_a_caller_who_never_reads_is_let_go(wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_unread_s=0.3))
    async with lab() as there:
        deaf = there.caller(wire=wire, reads=False)
        await deaf.send(start=pb.SessionStart())
        stream = await there.asr.stream()
        for n in range(200):
            stream.partial(f"{n} " * 20_000)
        await there.asr.changes.until(lambda: stream.over, "the end of the call")
        await there.eventually(lambda: there.metric("voice_sessions_active"), 0)
