"""Does the engine as a whole do what the server steps of it? With a tiny model."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from speech_server.core.asr.asr_types import AsrModel, Hints, Hypothesis
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.asr.streaming_transducer.model import StreamStep
from speech_server.engines.asr.streaming_transducer.recogniser import StreamingRecogniser, StreamingSetup
from speech_server.engines.asr.streaming_transducer.step_batcher import StepBatcher, StepLimits
from speech_server.engines.onnx.model_format import Device
from speech_server.engines.onnx.providers import ChosenDevice
from speech_server.engines.onnx.session import Limits, OnnxSession, SessionOpener, Stop, open_session
from speech_server.errors import EngineBusy, EngineUnavailable

from engines.parakeet.test_devices import FailingGraph

HINTS = Hints("en-US")
Make = Callable[..., StreamingRecogniser]


def noise(seconds: float, seed: int = 3) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 0.2, int(seconds * 16_000)) * 32767
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def quiet(seconds: float) -> bytes:
    return bytes(2 * int(seconds * 16_000))


@pytest.fixture
async def make(tiny_folder: Path) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        def build(
            choice: ChosenDevice | None = None, open_with: SessionOpener | None = None, **more: Any
        ) -> StreamingRecogniser:
            setup = StreamingSetup(AsrModel("tiny", ("en-US",)), tiny_folder, limits=Limits(1), **more)
            found = choice or ChosenDevice("cpu", "as the test says")
            made = StreamingRecogniser(setup, EnergyDetector(-45, 20), open_with, lambda wish: found)
            stack.push_async_callback(made.stop)
            return made

        yield build


async def stream(
    engine: StreamingRecogniser, pcm16: bytes, step_bytes: int = 3200
) -> tuple[list[Hypothesis], Hypothesis]:
    utterances = await engine.open(HINTS)
    shown = [await utterances.accept(pcm16[at : at + step_bytes]) for at in range(0, len(pcm16), step_bytes)]
    said = await utterances.finish()
    await utterances.close()
    return shown, said


async def test_partials_grow_and_are_never_taken_back(make: Make) -> None:
    engine = make()
    await engine.start()
    shown, said = await stream(engine, noise(3))
    texts = [one.text for one in (*shown, said)]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert len(set(texts)) > 5
    assert all(0 <= one.stability < 1 for one in shown)
    assert shown[-1].stability > 0.5
    assert said.confidence > 0


async def test_many_streams_share_ticks_and_hear_what_they_hear_alone(make: Make) -> None:
    engine = make()
    await engine.start()
    alone = [(await stream(engine, noise(2, seed), 1111 * 2))[1] for seed in range(8)]
    before = engine.figures["batches"]
    together = await asyncio.gather(*(stream(engine, noise(2, seed)) for seed in range(8)))
    assert [said.text for _, said in together] == [said.text for said in alone]
    assert engine.figures["batches"] - before < 8 * 21 / 2


async def test_a_second_utterance_begins_anew(make: Make) -> None:
    engine = make()
    await engine.start()
    utterances = await engine.open(HINTS)
    said = []
    for seed in (1, 2, 1):
        await utterances.accept(noise(1, seed))
        said.append((await utterances.finish()).text)
    assert said[0] == said[2] != said[1]
    assert (await utterances.finish()).text == ""
    await utterances.close()
    await utterances.close()


async def test_a_recording_is_transcribed_with_times_of_the_whole(make: Make) -> None:
    engine = make()
    await engine.start()
    said = await engine.transcribe(quiet(3) + noise(2) + quiet(5) + noise(2, 5) + quiet(1), HINTS)
    starts = [word.start_s for word in said.words]
    assert starts == sorted(starts)
    assert starts[0] >= 2.5
    assert [start for start in starts if start >= 9.5]
    assert not [start for start in starts if 6 <= start < 9.5], "nothing is heard in the silence"
    assert (await engine.transcribe(quiet(30), HINTS)).text == ""
    assert (await engine.transcribe(b"", HINTS)).text == ""


async def test_more_streams_than_allowed_are_refused_until_one_closes(make: Make) -> None:
    engine = make(most_streams=2)
    await engine.start()
    first, second = await engine.open(HINTS), await engine.open(HINTS)
    with pytest.raises(EngineBusy, match="STREAMING_MAX_STREAMS"):
        await engine.open(HINTS)
    await first.close()
    await first.close()
    third = await engine.open(HINTS)
    with pytest.raises(EngineBusy):
        await engine.open(HINTS)
    await second.close()
    await third.close()


async def test_it_says_what_runs_where_and_why(make: Make) -> None:
    engine = make()
    assert engine.state == "not loaded"
    await engine.start()
    assert engine.state == "tiny fp32, chunks of 160 ms, on cpu (as the test says)"
    assert not engine.models[0].punctuates


async def test_a_gpu_that_fails_in_an_utterance_is_left_without_losing_it(make: Make) -> None:
    devices: list[Device] = []

    def opens(path: Path, device: Device, limits: Limits) -> OnnxSession:
        devices.append(device)
        graph = open_session(path, "cpu", limits)
        # One trial, two measurements of six windows each, then three windows of the utterance.
        return FailingGraph(graph, 16) if device == "cuda" else graph

    steady, moving = make(), make(ChosenDevice("cuda", "a test node ran on it"), opens)
    await steady.start()
    await moving.start()
    assert "on cuda" in moving.state
    expected, found = await stream(steady, noise(3)), await stream(moving, noise(3))
    assert found == expected
    assert moving.state.endswith("on cpu (moved from cuda, which failed)")
    assert devices == ["cuda", "cpu", "cpu", "cpu", "cpu", "cpu"]


async def test_an_engine_without_a_folder_names_the_setting() -> None:
    engine = StreamingRecogniser(StreamingSetup(AsrModel("tiny", ("en-US",)), None), EnergyDetector(-45, 20))
    with pytest.raises(EngineUnavailable, match="STREAMING_MODEL_PATH"):
        await engine.start()
    with pytest.raises(EngineUnavailable, match="not loaded"):
        await engine.open(HINTS)


def step() -> StreamStep:
    from speech_server.engines.asr.streaming_transducer.model import Utterance
    from speech_server.engines.asr.streaming_transducer.onnx_graphs import Caches, Prediction

    nothing = np.zeros((1, 1), np.float32)
    caches = Caches(nothing, nothing, np.zeros(1, np.int64))
    return StreamStep(Utterance(nothing, caches, Prediction(nothing, nothing, nothing)), nothing[0])


class Stuck:
    """A model that works until it is let go or told to stop."""

    def __init__(self, obeys: bool = True) -> None:
        self.let_go, self.began, self._obeys = threading.Event(), threading.Event(), obeys
        self.sizes: list[int] = []

    def __call__(self, steps: Sequence[StreamStep], stop: Stop) -> list[Hypothesis]:
        self.sizes.append(len(steps))
        self.began.set()
        while not self.let_go.wait(0.005):
            if stop.is_asked and self._obeys:
                raise RuntimeError("terminated")
        return [Hypothesis(str(number)) for number in range(len(steps))]


async def test_who_waits_while_the_model_works_shares_the_next_tick() -> None:
    model = Stuck()
    batcher = StepBatcher(model, StepLimits(most=4))
    batcher.start()
    first = asyncio.create_task(batcher.decode(step()))
    await asyncio.to_thread(model.began.wait, 5)
    others = [asyncio.create_task(batcher.decode(step())) for _ in range(6)]
    await asyncio.sleep(0)
    others[0].cancel()
    await asyncio.sleep(0)
    model.let_go.set()
    await asyncio.gather(first, *others[1:])
    assert model.sizes == [1, 4, 1], "at most four, and nobody hears for one who is gone"
    await batcher.stop()


async def test_a_full_queue_refuses_and_a_stopped_one_says_so() -> None:
    model = Stuck()
    batcher = StepBatcher(model, StepLimits(most=1, waiting=1))
    with pytest.raises(EngineUnavailable, match="not running"):
        await batcher.decode(step())
    batcher.start()
    running = asyncio.create_task(batcher.decode(step()))
    await asyncio.to_thread(model.began.wait, 5)
    waiting = asyncio.create_task(batcher.decode(step()))
    await asyncio.sleep(0)
    with pytest.raises(EngineBusy, match="try again later"):
        await batcher.decode(step())
    await batcher.stop()
    for one in (running, waiting):
        with pytest.raises(EngineUnavailable, match="stopped"):
            await one


async def test_a_tick_that_runs_too_long_is_broken_off_and_the_next_one_runs() -> None:
    model = Stuck()
    batcher = StepBatcher(model, StepLimits(most=1, wait_s=0.05, batch_s=0.25))
    batcher.start()
    running = asyncio.create_task(batcher.decode(step()))
    await asyncio.to_thread(model.began.wait, 5)
    with pytest.raises(EngineUnavailable, match="broken off"):
        await running
    assert batcher.stats.too_slow == 1
    model.let_go.set()
    assert (await batcher.decode(step())).text == "0"
    await batcher.stop()


async def test_who_waits_too_long_is_told_that_the_recogniser_is_overloaded() -> None:
    model = Stuck()
    batcher = StepBatcher(model, StepLimits(most=1, wait_s=0.01, batch_s=0.2))
    batcher.start()
    asked = [asyncio.create_task(batcher.decode(step())) for _ in range(3)]
    *_, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(last, EngineBusy)
    assert "overloaded" in str(last)
    assert batcher.stats.refused >= 1
    await batcher.stop()


async def test_a_tick_that_hangs_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speech_server.engines.onnx.serial_executor.GRACE_S", 0.05)
    model = Stuck(obeys=False)
    batcher = StepBatcher(model, StepLimits(batch_s=0.05))
    batcher.start()
    with pytest.raises(EngineUnavailable, match=r"longer than 0\.05 s"):
        await batcher.decode(step())
    hung, model.let_go = model.let_go, threading.Event()
    model.let_go.set()
    assert (await batcher.decode(step())).text == "0"
    hung.set()
    await batcher.stop()


async def test_an_utterance_that_failed_is_not_gone_on_with(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make()
    await engine.start()
    expected = (await stream(engine, noise(1, 2)))[1].text
    utterances = await engine.open(HINTS)
    await utterances.accept(noise(1, 1))

    async def fails(self: StepBatcher, ask: StreamStep) -> Hypothesis:
        raise EngineUnavailable("as the test says")

    with monkeypatch.context() as broken:
        broken.setattr(StepBatcher, "decode", fails)
        with pytest.raises(EngineUnavailable):
            await utterances.accept(noise(1, 7))
    await utterances.accept(noise(1, 2))
    assert (await utterances.finish()).text == expected
    await utterances.close()
