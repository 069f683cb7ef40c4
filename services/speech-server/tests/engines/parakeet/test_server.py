"""Does Parakeet serve Riva's clients? The whole server, a tiny model, real sockets."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pcm import Clip
from pcm.compressed import encode_file
from speech_server.app import Server, main
from speech_server.core.asr.asr_types import Hints
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.fallback import FallbackRecogniser
from speech_server.engines.registry import build
from speech_server.errors import EngineUnavailable
from speech_server.settings import Settings
from speech_server.timeline import Timeline
from speech_server.wire import riva_asr_pb2 as asr

from .fake_hub import REPO, REVISION, hub
from .test_recogniser import noise, quiet

Start = Callable[..., Awaitable[Server]]
SPOKEN = (quiet(1), noise(3), quiet(2))
QUICK = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "parakeet",
    "SPEECH_TTS_ENGINE": "tone",
    "SPEECH_DRAIN_NOTICE_S": "0",
    "PARAKEET_THREADS": "1",
    "PARAKEET_DEVICE": "cpu",
}


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path, tmp_path: Path) -> Callable[..., Settings]:
    def settings(**more: str) -> Settings:
        here = {"PARAKEET_MODEL_PATH": str(tiny_folder), "PARAKEET_CACHE": str(tmp_path / "cache")}
        for name, value in {**QUICK, **here, **more}.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return settings


@pytest.fixture
async def start(configured: Callable[..., Settings]) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def started(**more: str) -> Server:
            server = Server(configured(**more))
            stack.push_async_callback(server.stop)
            await server.start()
            return server

        yield started


async def test_a_recording_comes_back_as_text_over_riva(start: Start) -> None:
    import grpc
    from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

    server = await start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = RivaSpeechRecognitionStub(channel)
        models = await stub.GetRivaSpeechRecognitionConfig(asr.RivaSpeechRecognitionConfigRequest())
        assert models.model_config[0].model_name == "nemo-parakeet-tdt-0.6b-v3"
        config = asr.StreamingRecognitionConfig(
            config=asr.RecognitionConfig(sample_rate_hertz=16000), interim_results=True
        )
        call = stub.StreamingRecognize(
            iter(
                [asr.StreamingRecognizeRequest(streaming_config=config)]
                + [asr.StreamingRecognizeRequest(audio_content=part) for part in (quiet(1), noise(2), quiet(2))]
            )
        )
        finals = [one async for response in call for one in response.results if one.is_final]
    assert len(finals) >= 1


@pytest.fixture
def noise_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speech_server.engines.silero_vad.SileroDetector", lambda: EnergyDetector(-45, 20))


def _favoured(text: str) -> int:
    return sum(text.count(word) for word in ("w24", "w27", "w30"))


async def _over_riva(stub: Any, *contexts: asr.SpeechContext) -> tuple[int, list[str]]:
    """How often the favoured words were heard, and the warnings; streamed and whole."""
    config = asr.RecognitionConfig(sample_rate_hertz=16000, enable_automatic_punctuation=True, speech_contexts=contexts)
    first = asr.StreamingRecognizeRequest(streaming_config=asr.StreamingRecognitionConfig(config=config))
    chunks = [asr.StreamingRecognizeRequest(audio_content=part) for part in SPOKEN]
    call = stub.StreamingRecognize(iter([first, *chunks]))
    said = [one.alternatives[0].transcript async for response in call for one in response.results if one.is_final]
    whole = stub.Recognize(asr.RecognizeRequest(config=config, audio=b"".join(SPOKEN)))
    said.append((await whole).results[0].alternatives[0].transcript)
    sent = [*await call.trailing_metadata(), *await whole.trailing_metadata()]
    return sum(map(_favoured, said)), [str(value) for name, value in sent if name == "speech-warning"]


async def test_speech_contexts_are_favoured_over_riva_without_a_warning(start: Start, noise_is_speech: None) -> None:
    import grpc
    from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

    server = await start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = RivaSpeechRecognitionStub(channel)
        plain, none = await _over_riva(stub)
        boosted, also_none = await _over_riva(stub, asr.SpeechContext(phrases=["W24.", "w27", "w30"], boost=20))
        long = asr.RecognitionConfig(speech_contexts=[asr.SpeechContext(phrases=["a" * 101])])
        with pytest.raises(grpc.aio.AioRpcError, match="phrase of 101 characters; send at most 100"):
            await stub.Recognize(asr.RecognizeRequest(config=long, audio=quiet(1)))
    assert boosted >= plain + 4
    assert none == also_none == []


async def test_keywords_are_favoured_over_openais_endpoint(start: Start, noise_is_speech: None) -> None:
    server = await start()
    file = encode_file(Clip(noise(3), 16_000), "flac")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session:

        async def post(*keywords: str) -> tuple[int, Any]:
            form = aiohttp.FormData({"model": "whisper-1"})
            form.add_field("file", file, filename="said.flac")
            for keyword in keywords:
                form.add_field("keywords[]", keyword)
            async with session.post("/v1/audio/transcriptions", data=form) as answer:
                return answer.status, await answer.json()

        _, plain = await post()
        _, boosted = await post("w24", "w27", "w30")
        status, refusal = await post("a" * 101)
    assert _favoured(boosted["text"]) > _favoured(plain["text"])
    assert (status, refusal["error"]["param"]) == (400, "keywords")
    assert "at most 100" in refusal["error"]["message"]


async def test_readyz_says_which_model_runs_where(start: Start) -> None:
    server = await start()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server.http_port}/readyz") as answer:
        said = await answer.json()
        async with session.get(f"http://127.0.0.1:{server.http_port}/metrics") as page:
            figures = await page.text()
    assert "speech_engine_batches_total 0.0" in figures
    assert said["status"] == "ready"
    assert "fp32 on cpu (PARAKEET_DEVICE says so)" in said["engines"]["asr"]


async def test_a_model_is_fetched_at_the_start(
    configured: Callable[..., Settings], tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(tiny_folder) as origin:
        monkeypatch.setenv("HF_ENDPOINT", origin.endpoint)
        settings = configured(
            PARAKEET_MODEL_PATH="", PARAKEET_MODEL_ID=REPO, PARAKEET_REVISION=REVISION, PARAKEET_PRECISION="fp32"
        )
        engines = build(settings, Timeline(None))
        await engines.detector.start()
        await engines.recogniser.start()
        await engines.recogniser.stop()
        await engines.detector.stop()
    assert (
        (settings.parakeet.parakeet_cache or Path()).joinpath("someone--tiny-onnx", REVISION, "manifest.json").is_file()
    )


async def test_a_server_that_may_not_fetch_says_which_command_does(configured: Callable[..., Settings]) -> None:
    engines = build(configured(PARAKEET_MODEL_PATH="", PARAKEET_PULL="false"), Timeline(None))
    with pytest.raises(EngineUnavailable, match="speech-server models pull"):
        await engines.recogniser.start()


async def test_the_spare_engine_takes_over_when_parakeet_cannot_start(configured: Callable[..., Settings]) -> None:
    settings = configured(
        PARAKEET_MODEL_PATH="", PARAKEET_PULL="false", PARAKEET_FALLBACK_ENGINE="scripted", SCRIPT_TRANSCRIPT="spare"
    )
    recogniser = build(settings, Timeline(None)).recogniser
    assert isinstance(recogniser, FallbackRecogniser)
    await recogniser.start()
    assert (await recogniser.transcribe(noise(1), Hints("en-US"))).text == "spare"
    assert "spare engine" in recogniser.state
    await recogniser.stop()


def test_the_bench_measures_a_decode_against_its_bare_calls(
    tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tiny_folder), "--batch", "4", "--seconds", "1", "--runs", "2", "--threads", "1", "--device", "cpu"]
    assert main(["bench-decode", *arguments]) == 0
    cost = json.loads(capsys.readouterr().out)
    assert cost["steps"] > 0
    assert cost["overhead"] >= 0.5
    assert cost["boosted_decode_s"] > 0
    assert main(["bench-decode", str(tiny_folder / "nothing")]) == 1
    assert "models pull" in capsys.readouterr().err
