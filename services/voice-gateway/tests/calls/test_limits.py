"""What can a peer make the gateway hold? Little before its token is accepted, and nothing of it makes a traceback."""

import asyncio
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from lab import Lab, lab
from voice_gateway.app import call_config
from voice_gateway.core import turn_states
from voice_gateway.edges.limits import Limits
from voice_workflow.v1 import voice_workflow_pb2 as pb

LIMITS = Limits()
OURS = "/voice_workflow.v1.VoiceGateway/"
NOT_OURS = ("/grpc.health.v1.Health/Check", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
GARBAGE = b"\xff\xff\xff\xff this is no message"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """One token."""
    file = tmp_path / "tokens"
    file.write_text("team-a: secret\n")
    return file


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Any:
    """Whatever is sent."""
    caplog.set_level("INFO")
    yield
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


async def raw(there: Lab, method: str, *messages: bytes, token: str = "") -> tuple[grpc.StatusCode, str]:
    """How an RPC ends whose messages are these bytes, and which is not half-closed."""
    channel = there.caller(reads=False).channel
    call: Any = channel.stream_stream(method)(metadata=(("authorization", f"Bearer {token}"),) if token else ())
    for message in messages:
        await call.write(message)
    return await end(call), await call.details()


async def opened(there: Lab, count: int, method: str, *messages: bytes) -> list[Any]:
    """So many streams on one connection, each of which has sent `messages`."""
    channel = there.caller(reads=False).channel
    streams: list[Any] = [channel.stream_stream(method)() for _ in range(count)]
    for stream in streams:
        for message in messages:
            await stream.write(message)
    return streams


async def end(stream: Any) -> grpc.StatusCode:
    """How a stream ends, once everything was read that came before."""
    with suppress(grpc.aio.AioRpcError):
        while await stream.read() is not grpc.aio.EOF:
            pass
    code: grpc.StatusCode = await stream.code()
    return code


async def codes(streams: list[Any], count: int) -> Counter[grpc.StatusCode]:
    """How the first `count` of them to end do so; the others stay open."""
    ends = [asyncio.create_task(end(stream)) for stream in streams]
    ended = asyncio.as_completed(ends)
    found = Counter([await next(ended) for _ in range(count)])
    for waiting in ends:
        waiting.cancel()
    return found


@pytest.mark.parametrize("method", ["Converse", "GetServerInfo"])
@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_token_is_asked_for_before_anything_is_read(tokens: Path, method: str, token: str) -> None:
    async with lab(gateway_tokens_file=tokens, gateway_start_timeout_s=60, then_works=False) as there:
        for messages in ((), (GARBAGE,), (bytes(60_000),)):
            code, sentence = await raw(there, OURS + method, *messages, token=token)
            assert code is grpc.StatusCode.UNAUTHENTICATED
            assert "token" in sentence


async def test_of_streams_that_send_nothing_the_oldest_go_and_callers_still_get_in() -> None:
    async with lab(gateway_start_timeout_s=60) as there:
        most = LIMITS.max_waiting_streams
        silent = await opened(there, most + 20, OURS + "Converse")
        assert await codes(silent, 20) == {grpc.StatusCode.RESOURCE_EXHAUSTED: 20}
        await there.next_call_works()
        for stream in silent:
            stream.cancel()


async def test_of_streams_that_watch_the_health_the_oldest_go() -> None:
    async with lab() as there:
        watched = await opened(there, LIMITS.max_watches + 5, "/grpc.health.v1.Health/Watch", b"")
        assert await codes(watched, 5) == {grpc.StatusCode.RESOURCE_EXHAUSTED: 5}
        for stream in watched:
            stream.cancel()


async def test_of_health_checks_that_send_nothing_the_oldest_go() -> None:
    async with lab() as there:
        silent = await opened(there, LIMITS.max_checks + 5, "/grpc.health.v1.Health/Check")
        assert await codes(silent, 5) == {grpc.StatusCode.RESOURCE_EXHAUSTED: 5}
        stub: Any = health_pb2_grpc.HealthStub(there.caller(reads=False).channel)
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        for stream in silent:
            stream.cancel()


async def test_a_flood_of_refusals_leaves_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    async with lab() as there:
        streams = await opened(there, 120, OURS + "Converse", GARBAGE)
        assert await codes(streams, 120) == {grpc.StatusCode.INVALID_ARGUMENT: 120}
    lines = [record for record in caplog.records if record.getMessage() == "an RPC ends with an error"]
    assert 50 <= len(lines) < 100


@pytest.mark.parametrize("method", [OURS + "GetServerInfo", OURS + "Converse", *NOT_OURS])
async def test_an_rpc_that_sends_nothing_ends(method: str) -> None:
    async with lab(gateway_start_timeout_s=0.05) as there:
        code, sentence = await raw(there, method)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "nothing came within 0.05 s" in sentence


@pytest.mark.parametrize("method", [OURS + "GetServerInfo", OURS + "Converse", *NOT_OURS])
async def test_bytes_that_are_no_message_get_a_status_and_one_line(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with lab() as there:
        caplog.clear()
        code, sentence = await raw(there, method, GARBAGE)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "23 bytes came that are no" in sentence
        assert len([record for record in caplog.records if "23 bytes" in getattr(record, "sentence", "")]) == 1


async def test_bytes_that_are_no_message_in_a_call_are_named_and_the_call_goes_on() -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.send_bytes(GARBAGE)
        assert (
            "23 bytes came that are no voice_workflow.v1.ClientMessage"
            in (await caller.error(pb.Error.BAD_REQUEST)).message
        )
        await caller.type("Still there?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        await caller.hang_up()


async def test_a_first_message_that_is_too_large_is_refused() -> None:
    async with lab() as there:
        start = pb.ClientMessage(start=pb.SessionStart(voice="x" * LIMITS.max_message_bytes))
        code, sentence = await raw(there, OURS + "Converse", start.SerializeToString())
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "larger than max" in sentence


async def test_the_largest_start_that_is_allowed_fits_into_a_message() -> None:
    sign = "\N{GRINNING FACE}"
    start = pb.SessionStart(
        language=sign * LIMITS.max_name_chars,
        voice=sign * LIMITS.max_name_chars,
        llm=pb.LlmOptions(model=sign * LIMITS.max_name_chars),
        system_prompt=sign * LIMITS.max_text_chars,
        greeting=sign * LIMITS.max_text_chars,
        hotwords=[pb.Hotword(phrase=sign * LIMITS.max_hotword_chars, boost=9)] * LIMITS.max_hotwords,
        metadata={
            f"{n:02}" + sign * (LIMITS.max_metadata_key_chars - 2): sign * LIMITS.max_metadata_value_chars
            for n in range(LIMITS.max_metadata)
        },
    )
    assert pb.ClientMessage(seq=2**63, ack=2**63, start=start).ByteSize() < LIMITS.max_message_bytes


async def test_headers_that_are_too_large_are_refused() -> None:
    async with lab() as there:
        channel: Any = there.caller(reads=False).channel
        call = channel.stream_stream(OURS + "Converse")(metadata=(("x-filler", "x" * 9_000),))
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


# ------------------------------------------------------------------------------------ of a known caller


async def test_a_token_has_calls_of_its_own_at_most(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("team-a: first\nteam-a: second\nteam-b: third\n")
    async with lab(gateway_tokens_file=file, gateway_max_sessions_per_token=2, then_works=False) as there:
        held = [there.caller(authorization=f"Bearer {token}") for token in ("first", "second", "third")]
        for caller in held:
            await caller.start()
        late = there.caller(authorization="Bearer first")
        await late.send(start=pb.SessionStart())
        await late.over()
        assert late.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "all 2 calls that you may have at once are taken" in late.sentence
        assert late.trailer["retry-after-ms"] == "1000"
        await held[1].hang_up()
        again = there.caller(authorization="Bearer first")
        await again.start()
        for caller in (again, held[0], held[2]):
            await caller.hang_up()


async def test_the_name_of_the_token_stands_in_the_log_and_the_token_does_not(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with lab(gateway_tokens_file=tokens, then_works=False) as there:
        caller = there.caller(authorization="Bearer secret")
        await caller.start()
        await caller.hang_up()
    ended = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert [record.caller for record in ended] == ["team-a"]  # type: ignore[attr-defined]
    assert "secret" not in caplog.text


async def test_typed_turns_beyond_the_rate_are_told_when_to_come_again() -> None:
    async with lab() as there:
        caller = await there.call()
        for n in range(LIMITS.typed_turns_burst + 2):
            await caller.type(f"Number {n}.")
        error = await caller.error(pb.Error.OVERLOADED)
        assert "this one was not taken, send it again in" in error.message
        assert (error.retryable, error.fatal) == (True, False)
        assert 0 < error.retry_after_s <= 1.0
        await caller.hang_up()
        assert caller.code is grpc.StatusCode.OK


async def test_a_turn_grows_by_what_is_typed_only_so_far() -> None:
    async with lab() as there:
        there.llm.answers.append(type(there.llm.usual)("", "hang"))
        caller = await there.call()
        long = "x" * (turn_states.MAX_TURN_CHARS // 2)
        for text in (long, long, "y"):
            await caller.type(text)
        error = await caller.error(pb.Error.OVERLOADED)
        assert f"this turn would have {2 * len(long) + 1 + 1} characters, and 16384 are the most" in error.message
        assert (error.retryable, error.fatal) == (True, False)
        await caller.hang_up()


FLOODS = {
    "interrupt": pb.ClientMessage(interrupt=pb.Interrupt()),
    "commit": pb.ClientMessage(commit=pb.CommitTurn()),
    "playout": pb.ClientMessage(playout=pb.PlayoutReport(reply=1, samples_played=9)),
    "update": pb.ClientMessage(update=pb.SessionUpdate(system_prompt="x" * 9_000)),
    "bad": pb.ClientMessage(audio=pb.Audio(data=b"x")),
    "empty": pb.ClientMessage(),
    "text": pb.ClientMessage(text=pb.Text(text="word " * 3_000)),
    "old audio": pb.ClientMessage(audio=pb.Audio(data=bytes(32_000))),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_one_caller_is_read_slowly_and_told_in_a_few_lines(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tight = partial(Limits, messages_burst=100, messages_per_s=500, errors_burst=5, typed_turns_burst=3, max_ahead_s=60)
    monkeypatch.setattr(call_config, "Limits", tight)
    async with lab() as there:
        caller = await there.call()
        flood = FLOODS[kind].SerializeToString()
        with suppress(grpc.aio.BaseError):
            for _ in range(300):
                await caller.send_bytes(flood)
        await caller.error(pb.Error.BAD_REQUEST if kind in ("bad", "empty", "old audio") else pb.Error.OVERLOADED)
        assert len(caller.of("error")) <= 5 + 10
        caller.cancel()


# ------------------------------------------------------------------ what only the operator may choose


async def test_a_field_the_operator_keeps_is_refused_by_name_at_the_start_and_in_the_call() -> None:
    async with lab(caller_may_set="voice, language", then_works=False) as there:
        refused = there.caller()
        await refused.send(start=pb.SessionStart(system_prompt="Obey."))
        await refused.over()
        assert refused.code is grpc.StatusCode.PERMISSION_DENIED
        assert "system_prompt is chosen by the operator" in refused.sentence
        caller = await there.call(voice="Ada", language="en-GB")
        await caller.send(update=pb.SessionUpdate(voice="Bert", system_prompt="Obey."))
        error = await caller.error(pb.Error.BAD_REQUEST)
        assert "system_prompt is chosen by the operator" in error.message
        await caller.type("Who are you?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        assert "Obey." not in str(there.llm.asked[-1].body)
        await caller.hang_up()


# ------------------------------------------------------------------------------------- any value


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (pb.ClientMessage(audio=pb.Audio(data=b"xx", first_sample=2**64 - 1)), "s ahead of the call; count samples"),
        (pb.ClientMessage(audio=pb.Audio(data=b"xx", first_sample=2**63)), "s ahead of the call; count samples"),
        (pb.ClientMessage(playout=pb.PlayoutReport(reply=1, input_sample=2**63)), "was not recorded yet"),
        (pb.ClientMessage(playout=pb.PlayoutReport(reply=2**64 - 1, input_sample=2**64 - 1)), "was not recorded yet"),
        (pb.ClientMessage(seq=2**64 - 1, commit=pb.CommitTurn()), "does not follow 0; number messages 1, 2, 3"),
    ],
)
async def test_a_number_that_can_not_be_is_named_and_the_call_goes_on(message: pb.ClientMessage, says: str) -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.send_bytes(message.SerializeToString())
        assert says in (await caller.error(pb.Error.BAD_REQUEST)).message
        await caller.type("Still there?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        await caller.hang_up()
        assert caller.code is grpc.StatusCode.OK


async def test_playing_more_than_was_sent_is_no_latency() -> None:
    async with lab() as there:
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.say(bytes(32_000))
        stream.final("Tell me.")
        await caller.expect("reply_audio")
        for samples in (2**64 - 1, 2**63, 10**9):
            report = pb.PlayoutReport(reply=1, samples_played=samples, input_sample=16_000 * 60)
            await caller.send(playout=report)
        await caller.turn(pb.TurnEvent.REPLY_ENDED, 1)
        await caller.hang_up()
        assert await there.metric("voice_voice_to_voice_seconds_sum") <= 120
