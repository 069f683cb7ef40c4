"""Does a streaming model serve Riva's clients? The whole server, a tiny model, real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from serving.settings import BadSettings
from speech_server.app import Server
from speech_server.core.asr.asr_types import Hints
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.fallback import FallbackRecogniser
from speech_server.engines.registry import build
from speech_server.errors import EngineUnavailable
from speech_server.settings import Settings, table
from speech_server.timeline import Timeline
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from .test_recogniser import noise, quiet

Configured = Callable[..., Settings]
QUICK = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "streaming",
    "SPEECH_TTS_ENGINE": "tone",
    "SPEECH_DRAIN_NOTICE_S": "0",
    "STREAMING_THREADS": "1",
    "STREAMING_DEVICE": "cpu",
    "STREAMING_MODEL_NAME": "tiny-streaming",
}


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> Configured:
    # Noise is speech here.
    monkeypatch.setattr("speech_server.engines.silero_vad.SileroDetector", lambda: EnergyDetector(-45, 20))

    def settings(**more: str) -> Settings:
        for name, value in {**QUICK, "STREAMING_MODEL_PATH": str(tiny_folder), **more}.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return settings


@pytest.fixture
async def start(configured: Configured) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    async with AsyncExitStack() as stack:

        async def started(**more: str) -> Server:
            server = Server(configured(**more))
            stack.push_async_callback(server.stop)
            await server.start()
            return server

        yield started


async def hear(stub: Any, pcm16: bytes) -> tuple[list[str], list[str]]:
    config = asr.RecognitionConfig(sample_rate_hertz=16_000, enable_word_time_offsets=True)
    first = asr.StreamingRecognitionConfig(config=config, interim_results=True)
    messages = [asr.StreamingRecognizeRequest(streaming_config=first)]
    messages += [
        asr.StreamingRecognizeRequest(audio_content=pcm16[at : at + 3200]) for at in range(0, len(pcm16), 3200)
    ]
    results = [one async for response in stub.StreamingRecognize(iter(messages)) for one in response.results]
    texts = [(one.is_final, one.alternatives[0].transcript) for one in results if one.alternatives]
    return [text for final, text in texts if not final], [text for final, text in texts if final]


async def test_callers_at_once_get_partials_and_finals_over_riva(start: Callable[..., Awaitable[Server]]) -> None:
    server = await start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = RivaSpeechRecognitionStub(channel)
        models = await stub.GetRivaSpeechRecognitionConfig(asr.RivaSpeechRecognitionConfigRequest())
        assert [one.model_name for one in models.model_config] == ["tiny-streaming"]
        calls = [quiet(1) + noise(2, seed) + quiet(2) for seed in range(4)]
        alone = [await hear(stub, call) for call in calls]
        together = await asyncio.gather(*(hear(stub, call) for call in calls))
    assert [finals for _, finals in together] == [finals for _, finals in alone]
    assert all(finals and finals[0] for _, finals in alone)
    assert all(partials for partials, _ in alone)
    partials, finals = alone[0]
    assert finals[0].strip().startswith(partials[0].strip())


async def test_a_whole_recording_is_heard_by_the_same_model(start: Callable[..., Awaitable[Server]]) -> None:
    server = await start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = RivaSpeechRecognitionStub(channel)
        config = asr.RecognitionConfig(sample_rate_hertz=16_000, encoding=audio.LINEAR_PCM)
        answer = await stub.Recognize(asr.RecognizeRequest(config=config, audio=quiet(1) + noise(2) + quiet(2)))
    assert answer.results[0].alternatives[0].transcript


async def test_speech_contexts_are_favoured_without_a_warning(start: Callable[..., Awaitable[Server]]) -> None:
    server = await start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = RivaSpeechRecognitionStub(channel)
        counts = []
        for phrases in ([], ["w24", "w27", "w30"]):
            contexts = [asr.SpeechContext(phrases=phrases, boost=20)]
            config = asr.RecognitionConfig(sample_rate_hertz=16_000, speech_contexts=contexts)
            call = stub.Recognize(asr.RecognizeRequest(config=config, audio=quiet(1) + noise(2) + quiet(2)))
            text = (await call).results[0].alternatives[0].transcript
            counts.append(sum(text.count(word) for word in ("w24", "w27", "w30")))
            assert not await call.trailing_metadata()
    assert counts[1] > counts[0]


async def test_readyz_and_metrics_say_what_runs(start: Callable[..., Awaitable[Server]]) -> None:
    server = await start()
    origin = f"http://127.0.0.1:{server.http_port}"
    async with aiohttp.ClientSession() as session, session.get(f"{origin}/readyz") as answer:
        said = await answer.json()
        async with session.get(f"{origin}/metrics") as page:
            figures = await page.text()
    assert said["engines"]["asr"] == "tiny-streaming fp32, chunks of 160 ms, on cpu (STREAMING_DEVICE says so)"
    assert "speech_engine_batches_total 0.0" in figures


async def test_the_spare_engine_takes_over_when_the_model_cannot_start(configured: Configured) -> None:
    settings = configured(STREAMING_MODEL_PATH="", STREAMING_FALLBACK_ENGINE="scripted", SCRIPT_TRANSCRIPT="spare")
    recogniser = build(settings, Timeline(None)).recogniser
    assert isinstance(recogniser, FallbackRecogniser)
    await recogniser.start()
    assert (await recogniser.transcribe(noise(1), Hints("en-US"))).text == "spare"
    assert "STREAMING_MODEL_PATH" in recogniser.state
    await recogniser.stop()


async def test_a_gpu_asked_for_by_name_names_its_setting(configured: Configured) -> None:
    engines = build(configured(STREAMING_DEVICE="cuda"), Timeline(None))
    with pytest.raises(EngineUnavailable, match="STREAMING_DEVICE=cuda"):
        await engines.recogniser.start()


def test_the_settings_are_listed_and_checked(configured: Configured) -> None:
    assert "STREAMING_MODEL_PATH=" in table()
    assert configured(STREAMING_LANGUAGES="de-DE, en-US").streaming.languages() == ("de-DE", "en-US")
    with pytest.raises(BadSettings, match="STREAMING_LANGUAGES"):
        configured(STREAMING_LANGUAGES=" , ")
