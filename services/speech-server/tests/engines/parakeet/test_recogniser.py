"""Does the engine as a whole do what the server asks of it? With a tiny model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from speech_server.core.asr.asr_types import AsrModel, Hints
from speech_server.core.asr.batching import Rules
from speech_server.engines.asr.offline.batch_queue import BatchLimits
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser, OfflineSetup
from speech_server.engines.asr.parakeet.loading import load
from speech_server.engines.asr.parakeet.model import Placement
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.onnx.providers import ChosenDevice, DeviceSetting
from speech_server.engines.onnx.session import Limits, SessionOpener, open_session
from speech_server.errors import EngineUnavailable

from .test_devices import Machine

HINTS = Hints("en-US")
Start = Callable[..., "asyncio.Future[OfflineRecogniser]"]


def noise(seconds: float, seed: int = 3) -> bytes:
    return (
        (np.random.default_rng(seed).normal(0, 0.2, int(seconds * 16_000)) * 32767)
        .clip(-32768, 32767)
        .astype("<i2")
        .tobytes()
    )


def quiet(seconds: float) -> bytes:
    return bytes(2 * int(seconds * 16_000))


@pytest.fixture
async def make(tiny_folder: Path) -> AsyncIterator[Callable[..., OfflineRecogniser]]:
    async with AsyncExitStack() as stack:

        def build(
            choice: ChosenDevice | None = None,
            open_with: SessionOpener = open_session,
            device: DeviceSetting = "auto",
            **more: object,
        ) -> OfflineRecogniser:
            found = choice or ChosenDevice("cpu", "as the test says")
            setup = OfflineSetup(
                AsrModel("tiny", ("en-US",)),
                lambda: load(
                    lambda precision: tiny_folder, device, Placement(limits=Limits(1)), open_with, lambda wish: found
                ),
                rules=Rules(window_s=0.002),
                **{"limits": BatchLimits(waiting=64), **more},  # type: ignore[arg-type]
            )
            made = OfflineRecogniser(setup, EnergyDetector(-45, 20))
            stack.push_async_callback(made.stop)
            return made

        yield build


async def test_a_recording_is_transcribed_with_times_of_the_whole(make: Callable[..., OfflineRecogniser]) -> None:
    engine = make()
    await engine.start()
    said = await engine.transcribe(quiet(3) + noise(2) + quiet(5) + noise(2, 5) + quiet(1), HINTS)
    assert said.text
    assert said.words[0].start_s >= 2.5
    late = [word for word in said.words if word.start_s >= 9.5]
    assert late
    assert not [word for word in said.words if 5.6 <= word.start_s < 9.5], "nothing is heard in the silence"
    starts = [word.start_s for word in said.words]
    assert starts == sorted(starts)
    assert engine.stats.clips == 2


async def test_silence_says_nothing_and_costs_nothing(make: Callable[..., OfflineRecogniser]) -> None:
    engine = make()
    await engine.start()
    assert (await engine.transcribe(quiet(60), HINTS)).text == ""
    assert (await engine.transcribe(b"", HINTS)).text == ""
    assert engine.stats.clips == 0


async def test_a_long_recording_is_cut_and_batched(make: Callable[..., OfflineRecogniser]) -> None:
    engine = make()
    await engine.start()
    said = await engine.transcribe(noise(120), HINTS)
    assert engine.stats.clips >= 6
    assert engine.stats.batches < engine.stats.clips
    assert said.words[-1].end_s > 115


async def test_streams_and_recordings_of_many_callers_share_the_model(make: Callable[..., OfflineRecogniser]) -> None:
    engine = make()
    await engine.start()
    alone = await engine.transcribe(noise(2), HINTS)

    async def stream() -> str:
        utterances = await engine.open(HINTS)
        await utterances.accept(noise(2))
        said = await utterances.finish()
        await utterances.close()
        return said.text

    before = engine.stats.batches
    texts = await asyncio.gather(*(stream() for _ in range(10)))
    recordings = await asyncio.gather(*(engine.transcribe(noise(2), HINTS) for _ in range(10)))
    assert len(set(texts)) == 1
    assert {one.text for one in recordings} == {alone.text}
    assert engine.stats.batches - before < 20


async def test_it_says_where_it_runs_and_why(make: Callable[..., OfflineRecogniser]) -> None:
    engine = make()
    assert engine.state == "not loaded"
    await engine.start()
    assert engine.state == "tiny fp32 on cpu (as the test says)"


async def test_a_gpu_that_fails_in_an_utterance_is_left_without_losing_it(
    make: Callable[..., OfflineRecogniser],
) -> None:
    steady, moving = make(), make(ChosenDevice("cuda", "a test node ran on it"), Machine(runs=3))
    await steady.start()
    await moving.start()
    assert "on cuda" in moving.state
    texts = []
    for engine in (steady, moving):
        utterances = await engine.open(HINTS)
        for seed in range(3):
            await utterances.accept(noise(1.5, seed))
            texts.append((await utterances.finish()).text)
        await utterances.close()
    assert texts[:3] == texts[3:]
    assert moving.state.endswith("on cpu (moved from cuda, which failed)")


async def test_a_gpu_that_does_not_take_the_model_means_the_cpu(make: Callable[..., OfflineRecogniser]) -> None:
    def refuses(path: Path, device: str, limits: Limits) -> object:
        if device == "cuda":
            raise EngineUnavailable("out of memory")
        return open_session(path, "cpu", limits)

    engine = make(ChosenDevice("cuda", "a test node ran on it"), refuses)
    await engine.start()
    assert "on cpu (the GPU did not take the model: out of memory)" in engine.state


async def test_a_gpu_that_fails_at_the_first_clip_has_not_taken_the_model(
    make: Callable[..., OfflineRecogniser],
) -> None:
    found = ChosenDevice("cuda", "a test node ran on it")
    engine = make(found, Machine(runs=1))
    await engine.start()
    assert "on cpu (the GPU did not take the model: it failed at the first clip" in engine.state
    with pytest.raises(EngineUnavailable, match="failed at the first clip"):
        await make(found, Machine(runs=1), device="cuda").start()


async def test_a_gpu_asked_for_by_name_is_not_replaced(make: Callable[..., OfflineRecogniser]) -> None:
    def refuses(path: Path, device: str, limits: Limits) -> object:
        raise EngineUnavailable("out of memory")

    with pytest.raises(EngineUnavailable, match="out of memory"):
        await make(ChosenDevice("cuda", "asked for"), refuses, device="cuda").start()


async def test_a_stopped_engine_refuses_in_a_sentence(make: Callable[..., OfflineRecogniser]) -> None:
    engine = make()
    with pytest.raises(EngineUnavailable, match="not loaded"):
        await engine.transcribe(noise(1), HINTS)
    with pytest.raises(EngineUnavailable, match="not loaded"):
        await engine.open(HINTS)
