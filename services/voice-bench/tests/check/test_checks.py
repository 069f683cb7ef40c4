"""Do the checks tell the truth about servers on real sockets, from the command line to the exit status?"""

import asyncio
import json
import math
import re
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from pcm import write_wav
from riva.client.proto import riva_asr_pb2, riva_asr_pb2_grpc, riva_tts_pb2, riva_tts_pb2_grpc
from voice_bench.measure import caller_audio
from voice_bench.measure.clips import RATE_HZ
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, StackConfig, scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")
VOICE_BENCH = Path(sys.executable).parent / "voice-bench"
WAIT_S = 60.0


async def voice_bench(*arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        VOICE_BENCH, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


class Parakeet(riva_asr_pb2_grpc.RivaSpeechRecognitionServicer):  # type: ignore[misc]
    """Lists models as a NIM does; the parameters are those of NVIDIA's reference server."""

    def __init__(self, *names: str) -> None:
        self.names = names

    async def GetRivaSpeechRecognitionConfig(self, request: object, context: object) -> Any:
        config = riva_asr_pb2.RivaSpeechRecognitionConfigResponse.Config
        parameters = {"language_code": "en-US", "type": "online", "streaming": "True", "sample_rate_hertz": "16000"}
        return riva_asr_pb2.RivaSpeechRecognitionConfigResponse(
            model_config=[config(model_name=name, parameters=parameters) for name in self.names]
        )


class Magpie(riva_tts_pb2_grpc.RivaSpeechSynthesisServicer):  # type: ignore[misc]
    """Lists one voice."""

    async def GetRivaSynthesisConfig(self, request: object, context: object) -> Any:
        config = riva_tts_pb2.RivaSynthesisConfigResponse.Config
        parameters = {"voice_name": "Magpie-Multilingual.EN-US.Aria"}
        return riva_tts_pb2.RivaSynthesisConfigResponse(
            model_config=[config(model_name="magpie-tts-multilingual", parameters=parameters)]
        )


@asynccontextmanager
async def riva_of(*models: str, speaks: bool = True) -> AsyncIterator[str]:
    """A server that says it is NVIDIA's; the address."""
    server = grpc.aio.server()
    riva_asr_pb2_grpc.add_RivaSpeechRecognitionServicer_to_server(Parakeet(*models), server)
    if speaks:
        riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(Magpie(), server)
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def nim_of(model: str, owner: str) -> AsyncIterator[str]:
    """A model server that lists `model`; its base URL."""

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": model, "owned_by": owner}]})

    app = web.Application()
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@pytest.fixture
def beep(tmp_path: Path) -> Path:
    """0.8 s of tone: the scripted recogniser takes it for speech."""
    tone = [round(8000 * math.sin(2 * math.pi * 440 * n / 16000)) for n in range(12800)]
    write_wav(tmp_path / "beep.wav", [struct.pack(f"<{len(tone)}h", *tone)], 16000)
    return tmp_path / "beep.wav"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Scripted, and the same for every check that leaves it as it was."""
    async with running(scripted(reply="Is it raining now?")) as found:
        yield found


async def test_our_own_speech_server_is_listed_and_transcribes(stack: Stack, beep: Path) -> None:
    arguments = ("riva-check", "--target", stack.speech_target, "--wav", str(beep), "--needs", "both")
    status, out, err = await voice_bench(*arguments, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["asr_models"] == ["scripted-asr-streaming"]
    assert told["languages"] == ["en-US"]
    assert told["voices"] == ["English-US"]
    heard = re.fullmatch(r"caller (\d+) turn 1", told["transcript"])
    assert heard, told
    status, out, _ = await voice_bench(*arguments)
    assert (status, out.splitlines()[-1]) == (0, f"transcript: caller {int(heard[1]) + 1} turn 1")


async def test_a_recording_without_speech_fails_with_a_sentence(stack: Stack, tmp_path: Path) -> None:
    write_wav(tmp_path / "still.wav", [bytes(16000)], 16000)
    status, _, err = await voice_bench(
        "riva-check", "--target", stack.speech_target, "--wav", str(tmp_path / "still.wav")
    )
    expected = f"no words in {tmp_path / 'still.wav'}; is there speech in it?\n"
    assert (status, err.split(" recognised ")[-1]) == (1, expected)


async def test_a_server_that_speaks_no_tts_serves_asr_alone() -> None:
    async with riva_of("parakeet-1.1b-en-US-asr-streaming", speaks=False) as target:
        assert (await voice_bench("riva-check", "--target", target, "--needs", "asr"))[0] == 0
        status, _, err = await voice_bench("riva-check", "--target", target, "--needs", "tts")
    assert (status, err) == (1, f"{target} is ready but lists no voice; is that model loaded?\n")


async def test_nobody_there_is_told_before_the_deadline_is_long_past() -> None:
    status, _, err = await voice_bench("riva-check", "--target", "127.0.0.1:1", "--wait", "0.3")
    assert (status, err) == (1, "127.0.0.1:1 was not ready after 0.3 s: nobody answers there\n")


def production(stack: Stack, riva: str, llm: str, *more: str) -> tuple[str, ...]:
    metrics = f"{stack.http_url(Part.GATEWAY)}/metrics"
    where = ("--target", stack.target, "--metrics", metrics, "--riva", riva, "--llm", llm)
    return ("production-check", *where, "--calls", "2", "--p95", "5", "--json", *more)


async def test_a_scripted_stack_never_passes_and_is_told_why(stack: Stack) -> None:
    status, out, _ = await voice_bench(*production(stack, stack.speech_target, stack.llm_base_url, "--plaintext"))
    (finding,) = json.loads(out)["findings"]
    assert (status, finding["name"], finding["met"]) == (1, "backends", False)
    assert "scripted-asr-streaming is a scripted recogniser" in finding["sentence"]
    assert "mini-llm is the mini LLM" in finding["sentence"]


@pytest_asyncio.fixture(loop_scope="module")
async def speech(tmp_path: Path) -> Path:
    """A short recording of real speech: only that has an end of speech to count latencies from."""
    (clip, *_) = await caller_audio.speech(0.6, 1.2)
    write_wav(tmp_path / "speech.wav", [b"".join(clip)], RATE_HZ)
    return tmp_path / "speech.wav"


async def test_spoken_calls_and_metrics_are_judged_where_the_backends_are_real(stack: Stack, speech: Path) -> None:
    async with (
        riva_of("parakeet-1.1b-en-US-asr-streaming") as riva,
        nim_of("meta/llama-3.1-8b-instruct", "vllm") as llm,
    ):
        status, out, err = await voice_bench(*production(stack, riva, llm, "--plaintext", "--wav", str(speech)))
        assert (status, err, json.loads(out)["met"]) == (0, "", True), out
        # Without a recording the callers say what the voice said; the tone voice's beeps are no speech.
        status, out, _ = await voice_bench(*production(stack, riva, llm))
    assert status == 1
    missed = [finding["name"] for finding in json.loads(out)["findings"] if not finding["met"]]
    assert missed == ["tls", "latency, our calls", "latency, all calls"]


async def test_calls_that_fail_are_counted_and_told(beep: Path) -> None:
    plan = scripted()
    broken = StackConfig(speech=plan.speech, llm={**plan.llm, "MINI_LLM_FAULT": "unavailable"}, gateway=plan.gateway)
    async with (
        running(broken) as stack,
        riva_of("parakeet-1.1b-en-US-asr-streaming") as riva,
        nim_of("meta/llama-3.1-8b-instruct", "vllm") as llm,
    ):
        status, out, _ = await voice_bench(*production(stack, riva, llm, "--plaintext", "--wav", str(beep)))
    missed = {finding["name"]: finding["sentence"] for finding in json.loads(out)["findings"] if not finding["met"]}
    assert status == 1
    assert set(missed) == {"calls", "failures", "latency, our calls", "latency, all calls"}
    assert missed["calls"].startswith("2 of 2 calls failed, 1.0% may; the first: ")


async def test_a_model_server_that_does_not_answer_is_named(stack: Stack) -> None:
    async with riva_of("parakeet") as riva:
        status, _, err = await voice_bench(*production(stack, riva, "http://127.0.0.1:1/v1"))
    assert status == 1
    assert err.startswith("http://127.0.0.1:1/v1/models lists no models")
    assert err.endswith("check --llm\n")


async def test_without_the_backends_addresses_there_is_no_check() -> None:
    status, _, err = await voice_bench("production-check", "--target", "127.0.0.1:1")
    assert status == 2
    assert "Missing option" in err
