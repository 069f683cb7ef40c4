"""What happens at the limits, over HTTP and gRPC alike: refused quickly, served in turn, and noted."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from speech_server.app import Server, main
from speech_server.core.asr.asr_types import Hypothesis
from speech_server.core.requests.request_stats import RequestRecord
from speech_server.engines.asr.scripted.recogniser import ScriptedUtterances
from speech_server.request_log import RequestLog, read
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from .conftest import Call
from .sounds import file_of, form, hum, hush

PATH = "/v1/audio/transcriptions"
SHORT = file_of(hum(0.5) + hush(0.3))
ONE_PLACE = {"PARAKEET_MICROBATCH_MAX_BATCH": "1", "PARAKEET_QUEUE_MAX_FACTOR": "1"}
SOON_S = 10
"""What needs nobody else comes within so long on a busy machine."""


async def ask(session: aiohttp.ClientSession) -> tuple[int, dict[str, str]]:
    async with session.post(PATH, data=form(SHORT)) as got:
        await got.read()
        return got.status, dict(got.headers)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> "Engine":
    """The scripted engine, held up by the test."""
    held = Engine()
    monkeypatch.setattr(ScriptedUtterances, "finish", held.finish)
    return held


class Engine:
    """Finishes no utterance before it is told to."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def finish(self, *_: object) -> Hypothesis:
        self.has_begun.set()
        await self.may_end.wait()
        return Hypothesis("at last")


async def test_beyond_the_line_a_recording_is_refused_at_once(call: Call, engine: Engine) -> None:
    session = await call(**ONE_PLACE)
    asked = [asyncio.create_task(ask(session)) for _ in range(6)]
    # While one is transcribed and one waits, neither of them done, the others are told.
    answers = iter(asyncio.as_completed(asked, timeout=SOON_S))
    refused = [await next(answers) for _ in range(4)]
    assert [status for status, _ in refused] == [429] * 4
    assert all(headers["Retry-After"] == "1" and headers["retry-after-ms"] == "1000" for _, headers in refused)
    engine.may_end.set()
    assert sorted(status for status, _ in await asyncio.gather(*asked)) == [200, 200, 429, 429, 429, 429]


@asynccontextmanager
async def both_wires(
    start_server: Callable[..., Awaitable[Server]], **settings: str
) -> AsyncIterator[tuple[Callable[[], grpc.aio.UnaryUnaryCall[Any, Any]], aiohttp.ClientSession]]:
    """A server's `Recognize` of the same recording, and a session for HTTP."""
    server = await start_server(**ONE_PLACE, **settings)
    spoken = asr.RecognitionConfig(encoding=audio.LINEAR_PCM, sample_rate_hertz=16_000)
    request = asr.RecognizeRequest(config=spoken, audio=hum(0.5) + hush(0.3))
    async with (
        grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session,
        asyncio.timeout(2 * SOON_S),
    ):
        yield lambda: RivaSpeechRecognitionStub(channel).Recognize(request), session


async def test_a_recording_that_waited_too_long_is_told_so_on_either_wire(
    start_server: Callable[..., Awaitable[Server]], engine: Engine
) -> None:
    async with both_wires(start_server, PARAKEET_MAX_QUEUE_WAIT_S="0.05") as (recognize, session):
        first = asyncio.create_task(ask(session))
        await engine.has_begun.wait()
        assert (await ask(session))[0] == 503
        assert await recognize().code() is grpc.StatusCode.DEADLINE_EXCEEDED
        engine.may_end.set()
        assert (await first)[0] == 200


async def test_the_line_is_one_for_both_wires(start_server: Callable[..., Awaitable[Server]], engine: Engine) -> None:
    async with both_wires(start_server) as (recognize, session):
        served = recognize()
        await engine.has_begun.wait()
        codes = [asyncio.ensure_future(recognize().code()) for _ in range(2)]
        # Once one of them is refused, the other stands in line.
        refused, waiting = await asyncio.wait(codes, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result() for one in refused] == [grpc.StatusCode.RESOURCE_EXHAUSTED]
        assert (await ask(session))[0] == 429
        engine.may_end.set()
        assert [await served.code(), *[await one for one in waiting]] == [grpc.StatusCode.OK] * 2
        assert (await ask(session))[0] == 200


async def test_a_client_that_leaves_gives_its_place_to_the_next(call: Call, engine: Engine) -> None:
    session = await call(**ONE_PLACE)
    leaving = asyncio.create_task(ask(session))
    await engine.has_begun.wait()
    engine.has_begun.clear()
    staying = asyncio.create_task(ask(session))
    leaving.cancel()
    async with asyncio.timeout(10):
        await engine.has_begun.wait()
    engine.may_end.set()
    assert (await staying)[0] == 200


async def test_metrics_say_who_is_served_and_who_waits(call: Call, engine: Engine) -> None:
    session = await call(**ONE_PLACE)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask(session))
        await engine.has_begun.wait()
        others = [tasks.create_task(ask(session)) for _ in range(2)]
        # Once one of them is refused, the other stands in line.
        refused, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result()[0] for one in refused] == [429]
        places = await _places(session)
        engine.may_end.set()
    calm = {"streams": (0, 0, 100), "syntheses": (0, 0, 100)}
    assert places == {**calm, "recordings": (1, 1, 1), "uploads": (2, 0, 2)}
    assert await _places(session) == {**calm, "recordings": (0, 0, 1), "uploads": (0, 0, 2)}


async def test_a_draining_server_sends_http_callers_away(start_server: Callable[..., Awaitable[Server]]) -> None:
    server = await start_server()
    await server.drain()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session:
        status, headers = await ask(session)
        assert (status, headers["Retry-After"]) == (503, "1")
        async with session.get("/healthz") as live:
            assert live.status == 200


async def test_metrics_and_log_say_how_long_a_request_took(call: Call, tmp_path: Path) -> None:
    log = tmp_path / "requests" / "log.jsonl"
    session = await call(SPEECH_REQUEST_LOG=str(log), SCRIPT_FINAL_DELAY_MS="30")
    assert (await ask(session))[0] == 200
    async with session.post(PATH, data=form(b"nothing")) as got:
        assert got.status == 400
    labels = f'{{route="{PATH}",wire="http"}}'
    assert await _metric(session, f"speech_request_seconds_count{labels}") == 1
    assert await _metric(session, f"speech_inference_seconds_sum{labels}") >= 0.03
    assert (
        await _metric(session, f'speech_requests_ended_total{{route="{PATH}",status="INVALID_ARGUMENT",wire="http"}}')
        == 1
    )


def test_the_log_is_read_back_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    kept = path.with_name("log.jsonl.2026-01-01")
    kept.write_text(_record(age_s=7200).line() + "\nhalf a li", encoding="utf-8")
    log = RequestLog(path, 7)
    for took_s in (0.5, 1.5):
        log.note(_record(age_s=60, total_s=took_s))
    log.close()
    assert log.dropped == 0
    assert len(list(read(path))) == 3
    assert main(["report", "--windows", "30m", "24h", "--log", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["window"], row["requests"], row["total"]["p95"]) for row in rows] == [("30m", 2, 1.5), ("24h", 3, 1.5)]
    monkeypatch.setenv("SPEECH_REQUEST_LOG", str(path))
    assert main(["report"]) == 0
    assert "/route" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--log", "/nowhere/at/all"], "/nowhere/at/all"),
        ([], "SPEECH_REQUEST_LOG names no file"),
        (["--windows", "a while", "--log", "LOG"], "write a number"),
    ],
)
def test_a_report_that_cannot_be_made_is_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.jsonl"
    log.touch()
    assert main(["report", *(str(log) if one == "LOG" else one for one in arguments)]) == 1
    assert sentence in capsys.readouterr().err


async def test_bytes_that_are_no_message_are_the_callers_fault(start_server: Callable[..., Awaitable[Server]]) -> None:
    server = await start_server()
    service = "/nvidia.riva.asr.RivaSpeechRecognition/"
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        unary: Any = channel.unary_unary(service + "Recognize")
        stream: Any = channel.stream_stream(service + "StreamingRecognize")
        with pytest.raises(grpc.aio.AioRpcError, match="no message of this method") as refused:
            await unary(b"\xff\xff")
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        answers = stream(iter([b"\xff\xff"]))
        assert await answers.code() is grpc.StatusCode.INVALID_ARGUMENT


async def _places(session: aiohttp.ClientSession) -> dict[str, tuple[float, ...]]:
    """By kind: active, waiting, limit."""
    kinds = ("streams", "recordings", "uploads", "syntheses")
    names = ("active", "waiting", "limit")
    return {
        kind: tuple([await _metric(session, f'speech_admission_{name}{{kind="{kind}"}}') for name in names])
        for kind in kinds
    }


async def _metric(session: aiohttp.ClientSession, name: str) -> float:
    async with session.get("/metrics") as got:
        lines = (await got.text()).splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def _record(age_s: float, total_s: float = 1.0) -> RequestRecord:
    return RequestRecord(time.time() - age_s, "http", "/route", "OK", total_s)
