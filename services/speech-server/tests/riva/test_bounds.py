"""What a caller sends never comes back larger than a client takes, and what nobody has read yet is bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from serving.grpc_server import options
from speech_server.app import Server
from speech_server.core.requests.error_text import bounded
from speech_server.riva import first_message_limit
from speech_server.riva.grpc_server import grpc_limits
from speech_server.riva.large_message_limit import LARGE_BYTES, LargeMessages
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, chunk, config, finals, hum, hush

StartServer = Callable[..., Awaitable[Server]]
CallServer = Callable[..., Awaitable[Caller]]
TURN = hush(0.1) + hum(0.6) + hush(0.4)
HEADER_BYTES = 8192
"""What a gRPC client takes of trailers, unless told otherwise."""


def size(trailers: Any) -> int:
    """As HTTP/2 counts them."""
    return sum(len(name) + len(str(value)) + 32 for name, value in trailers or ())


@pytest.mark.parametrize(
    "custom",
    [
        {f"key{number}": "x" for number in range(60)},
        {"k" * 20_000: "x"},
        {"key": "v" * 20_000},
        {"ключ\n" * 4000: "ü" * 4000},
        {f"क{number}" * 30: "x" for number in range(500)},
    ],
)
async def test_unknown_keys_bring_the_transcript_and_one_bounded_warning(
    caller: Caller, custom: dict[str, str]
) -> None:
    call = caller.asr.StreamingRecognize(iter([config(custom_configuration=custom), chunk(TURN)]))
    assert len(finals([one async for one in call])) == 1
    wish = asr.RecognitionConfig(sample_rate_hertz=16_000, custom_configuration=custom)
    whole = caller.asr.Recognize(asr.RecognizeRequest(config=wish, audio=TURN))
    assert len((await whole).results[0].alternatives) == 1
    for trailers in (await call.trailing_metadata(), await whole.trailing_metadata()):
        (warning,) = [value for name, value in trailers if name == "speech-warning"]
        assert str(warning).isascii()
        assert "no effect; known are" in str(warning)
        assert size(trailers) < 2000


@pytest.mark.parametrize("text", ["x" * 20_000, "漢" * 20_000, "a\r\nb\0" * 5000, "%" * 20_000])
async def test_a_refusal_never_outgrows_the_trailers(caller: Caller, text: str) -> None:
    asked: list[Any] = [
        caller.asr.StreamingRecognize(iter([config(language_code=text)])).read(),
        caller.asr.StreamingRecognize(iter([config(model=text, language_code=text)])).read(),
        caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text="a", voice_name=text)),
        caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text="a", language_code=text)),
        caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text="a", custom_dictionary=text.replace(",", ""))),
        caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text="a", custom_configuration={text: "x"})),
        caller.tts.GetRivaSynthesisConfig(tts.RivaSynthesisConfigRequest(model_name=text)),
    ]
    for one in asked:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await one
        code, details = refused.value.code(), refused.value.details() or ""
        assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND), details
        assert len(details) < 1000
        assert "\n" not in details
    assert len(finals(await caller.hear(config(), TURN))) == 1


def test_a_sentence_is_one_line_of_bounded_bytes() -> None:
    assert bounded("one\n two") == "one two"
    for text in ("x" * 5000, "漢" * 5000, "%" * 5000, "😀" * 5000):
        short = bounded(text)
        escaped = sum(1 if " " <= one <= "~" and one != "%" else 3 * len(one.encode()) for one in short)
        assert escaped <= 1000
        assert short.endswith("...")


METHODS = [
    "/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize",
    "/nvidia.riva.asr.RivaSpeechRecognition/Recognize",
    "/nvidia.riva.asr.RivaSpeechRecognition/GetRivaSpeechRecognitionConfig",
    "/nvidia.riva.tts.RivaSpeechSynthesis/Synthesize",
    "/nvidia.riva.tts.RivaSpeechSynthesis/SynthesizeOnline",
    "/nvidia.riva.tts.RivaSpeechSynthesis/GetRivaSynthesisConfig",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
]


async def _raw(caller: Caller, method: str, messages: list[bytes]) -> tuple[grpc.StatusCode, str]:
    rpc: Any = caller.channel.stream_stream(method)
    call = rpc(iter(messages), timeout=10)
    try:
        async for _ in call:
            pass
    except grpc.aio.AioRpcError:
        pass
    return await call.code(), await call.details()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe", bytes(range(256)) * 40])
async def test_bytes_that_are_no_message_get_a_sentence(
    caller: Caller, caplog: pytest.LogCaptureFixture, method: str, garbage: bytes
) -> None:
    code, details = await _raw(caller, method, [garbage])
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "no message of this method" in details
    assert [one.message for one in caplog.records if one.levelname in ("ERROR", "WARNING") or one.exc_info] == []


async def test_a_call_without_a_message_gets_a_sentence(caller: Caller) -> None:
    for method in METHODS:
        if "SynthesizeOnline" in method or "Reflection" in method:
            continue  # nothing asked, nothing answered
        code, details = await _raw(caller, method, [])
        assert code is grpc.StatusCode.INVALID_ARGUMENT, method
        assert "message" in details


async def test_an_unknown_method_is_unimplemented(caller: Caller) -> None:
    rpc: Any = caller.channel.stream_stream("/nvidia.riva.nlp.RivaLanguageUnderstanding/X")
    assert await rpc(timeout=10).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_calls_that_send_nothing_keep_nobody_out(
    call_server: CallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 3
    monkeypatch.setattr(first_message_limit.FirstMessages.__init__, "__defaults__", (most,))
    caller = await call_server()
    begun = asyncio.Semaphore(0)
    read = first_message_limit.FirstMessages.read

    async def counted(self: first_message_limit.FirstMessages, context: Any) -> object:
        begun.release()
        return await read(self, context)

    monkeypatch.setattr(first_message_limit.FirstMessages, "read", counted)
    idle = [caller.asr.StreamingRecognize() for _ in range(most + 2)]
    for _ in idle:
        await begun.acquire()
    reads = [asyncio.ensure_future(one.read()) for one in idle]
    async with asyncio.timeout(5):
        while sum(read.done() for read in reads) < len(idle) - most:
            await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
    ended = [read.exception() for read in reads if read.done()]
    assert len(ended) == len(idle) - most
    for error in ended:
        assert isinstance(error, grpc.aio.AioRpcError)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "have sent nothing yet" in (error.details() or "")
    assert len(finals(await caller.hear(config(), TURN))) == 1
    for one in idle:
        one.cancel()
    await asyncio.gather(*reads, return_exceptions=True)


async def test_metadata_is_bounded(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await caller.hear(config(), TURN, metadata=(("x-long", "v" * 40_000),))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(finals(await caller.hear(config(), TURN, metadata=(("x-long", "v" * 7000),)))) == 1


async def test_a_message_that_is_too_large_is_refused_and_the_server_goes_on(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_MAX_MESSAGE_BYTES="100000")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await caller.asr.Recognize(asr.RecognizeRequest(audio=bytes(100_001)))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    stub: Any = health_pb2_grpc.HealthStub(caller.channel)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING


def test_grpc_itself_is_told_its_limits() -> None:
    said = dict(options(grpc_limits(1000, 50)))
    assert said["grpc.server_handshake_timeout_ms"] == 10_000
    assert said["grpc.max_connection_idle_ms"] == 600_000
    assert said["grpc.absolute_max_metadata_size"] == said["grpc.max_metadata_size"] == 16_384
    assert said["grpc.max_receive_message_length"] == 1000
    assert said["grpc.max_concurrent_streams"] == said["grpc.max_allowed_incoming_connections"] == 50


async def test_large_requests_are_read_a_few_at_a_time() -> None:
    few, read = LargeMessages(most=2), 0
    may_end = asyncio.Event()

    async def served(size: int) -> None:
        async def message() -> asr.RecognizeRequest:
            nonlocal read
            read += 1
            return asr.RecognizeRequest(audio=bytes(size))

        async with few.read(message):
            await may_end.wait()

    async with asyncio.TaskGroup() as tasks:
        for size in (10, 10, 10, LARGE_BYTES + 1, LARGE_BYTES + 1, LARGE_BYTES + 1):
            tasks.create_task(served(size))
        for _ in range(20):
            await asyncio.sleep(0)
        assert read == 5
        may_end.set()
    assert read == 6


async def test_beyond_the_limit_of_syntheses_a_caller_is_told_when_to_come_back(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_MAX_SYNTHESES="1")
    held = caller.tts.SynthesizeOnline()
    await held.write(tts.SynthesizeSpeechRequest(text="hello"))
    await held.read()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text="hello"))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ("retry-after-ms", "1000") in list(refused.value.trailing_metadata() or ())
    held.cancel()


async def test_a_client_that_does_not_read_loses_its_place(start_server: StartServer) -> None:
    server = await start_server(SPEECH_UNREAD_LIMIT_S="0.1")
    caller, gate = Caller(server.grpc_port), server._gates.syntheses
    unread = caller.tts.SynthesizeOnline()
    await unread.write(tts.SynthesizeSpeechRequest(text="hello " * 500))
    await unread.read()
    assert gate.active == 1
    gate.close("the test waits for its end")
    async with asyncio.timeout(5):
        await gate.until_idle()
    with suppress(grpc.aio.AioRpcError):
        while await unread.read() is not grpc.aio.EOF:
            pass
    assert await unread.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "not read for 0.1 s" in await unread.details()
    await caller.channel.close()
