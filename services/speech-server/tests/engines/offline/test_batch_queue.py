"""Does the queue answer everybody, in time, whatever the model does? With a model that is a function."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import numpy as np
import pytest
from speech_server.core.asr.asr_types import Hypothesis
from speech_server.core.asr.batching import Kind, Rules
from speech_server.core.asr.boosting import Boosting
from speech_server.engines.asr.offline.batch_queue import BatchLimits, BatchQueue, Work
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.transducer import Floats
from speech_server.errors import EngineBusy, EngineUnavailable

Make = Callable[..., BatchQueue]
Boostings = Sequence[Boosting | None]
CLIP: Floats = np.zeros(16_000, np.float32)


def lengths(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
    """Each clip says how long it is."""
    return [Hypothesis(str(len(clip))) for clip in clips]


class Gate:
    """A model that works when it is let."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.entered = threading.Event()
        self._open = threading.Event()

    def let(self) -> None:
        self._open.set()

    def __call__(self, clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        self.batches.append(len(clips))
        self.entered.set()
        assert self._open.wait(10)
        return lengths(clips, stop, boostings)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        def start(
            work: Work, rules: Rules | None = None, limits: BatchLimits | None = None, **more: object
        ) -> BatchQueue:
            batcher = BatchQueue(work, rules or Rules(window_s=0), limits or BatchLimits(), **more)  # type: ignore[arg-type]
            batcher.start()
            stack.push_async_callback(batcher.stop)
            return batcher

        yield start


def in_thread(event: threading.Event) -> Awaitable[bool]:
    return asyncio.to_thread(event.wait, 10)


async def test_everybody_gets_the_answer_to_their_own_clip(make: Make) -> None:
    batcher = make(lengths, Rules(window_s=0.005, most=8))
    clips = [np.zeros(size, np.float32) for size in range(15_000, 15_020)]
    said = await asyncio.gather(*(batcher.submit(n, Kind.FINAL, clip, 5) for n, clip in enumerate(clips)))
    assert [one.text for one in said] == [str(len(clip)) for clip in clips]
    assert batcher.stats.clips == 20
    assert batcher.stats.batches == 3


async def test_a_partial_whose_time_has_passed_is_shed_and_the_final_goes_on(make: Make) -> None:
    gate = Gate()
    batcher = make(gate)
    first = batcher.submit(1, Kind.FINAL, CLIP, 5)
    await in_thread(gate.entered)
    partial = batcher.submit(2, Kind.PARTIAL, CLIP, 0.0)
    final = batcher.submit(2, Kind.FINAL, CLIP, 5)
    gate.let()
    assert (await first).text == (await final).text == "16000"
    assert partial.cancelled()
    assert batcher.stats.shed == 1


async def test_a_recording_that_waited_too_long_is_refused(make: Make) -> None:
    gate = Gate()
    batcher = make(gate)
    first = batcher.submit(1, Kind.FINAL, CLIP, 5)
    await in_thread(gate.entered)
    late = batcher.submit(2, Kind.WHOLE, CLIP, 0.0)
    gate.let()
    await first
    with pytest.raises(EngineBusy, match="overloaded"):
        await late


async def test_a_full_queue_refuses_recordings_and_sheds_partials_but_never_finals(make: Make) -> None:
    gate = Gate()
    batcher = make(gate, limits=BatchLimits(waiting=2))
    first = batcher.submit(1, Kind.FINAL, CLIP, 5)
    await in_thread(gate.entered)
    partial = batcher.submit(2, Kind.PARTIAL, CLIP, 5)
    whole = batcher.submit(3, Kind.WHOLE, CLIP, 5)
    with pytest.raises(EngineBusy, match="try again later"):
        batcher.submit(4, Kind.PARTIAL, CLIP, 5)
    another = batcher.submit(5, Kind.WHOLE, CLIP, 5)
    with pytest.raises(EngineBusy):
        batcher.submit(6, Kind.WHOLE, CLIP, 5)
    finals = [batcher.submit(n, Kind.FINAL, CLIP, 5) for n in (7, 8)]
    gate.let()
    await asyncio.gather(first, whole, another, *finals)
    assert partial.cancelled()


async def test_a_cancelled_clip_is_never_recognised(make: Make) -> None:
    gate = Gate()
    batcher = make(gate)
    first = batcher.submit(1, Kind.FINAL, CLIP, 5)
    await in_thread(gate.entered)
    unwanted = batcher.submit(2, Kind.FINAL, CLIP, 5)
    wanted = batcher.submit(3, Kind.FINAL, CLIP, 5)
    unwanted.cancel()
    gate.let()
    await asyncio.gather(first, wanted)
    assert gate.batches == [1, 1]


async def test_a_batch_that_takes_too_long_is_broken_off_and_the_next_one_runs(make: Make) -> None:
    stopped = threading.Event()

    def slow_once(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        if not stopped.is_set():
            while not stop.is_asked:
                stopped.wait(0.005)
            stopped.set()
            raise RuntimeError("terminated")
        return lengths(clips, stop, boostings)

    batcher = make(slow_once, limits=BatchLimits(segment_s=0.05))
    with pytest.raises(EngineUnavailable, match=r"longer than 0\.05 s"):
        await batcher.submit(1, Kind.FINAL, CLIP, 5)
    assert (await batcher.submit(1, Kind.FINAL, CLIP, 5)).text == "16000"
    assert batcher.stats.too_slow == 1


async def test_a_thread_that_hangs_is_left_behind(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speech_server.engines.onnx.serial_executor.GRACE_S", 0.05)
    hangs, told = threading.Event(), threading.Event()
    first = threading.Event()

    def hang_once(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        if not first.is_set():
            first.set()
            hangs.wait(20)
        return lengths(clips, stop, boostings)

    batcher = make(hang_once, limits=BatchLimits(segment_s=0.05), when_stuck=told.set)
    with pytest.raises(EngineUnavailable):
        await batcher.submit(1, Kind.FINAL, CLIP, 5)
    assert (await batcher.submit(1, Kind.FINAL, CLIP, 5)).text == "16000"
    assert told.is_set()
    hangs.set()


async def test_loading_on_another_device_does_not_count_towards_the_limit(make: Make) -> None:
    def moves(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        with stop.moving():
            threading.Event().wait(0.2)
        assert not stop.is_asked
        return lengths(clips, stop, boostings)

    batcher = make(moves, limits=BatchLimits(segment_s=0.1))
    assert (await batcher.submit(1, Kind.FINAL, CLIP, 5)).text == "16000"
    assert batcher.stats.too_slow == 0


async def test_what_follows_a_move_has_the_whole_limit_and_no_more(make: Make) -> None:
    def moves_then_hangs(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        with stop.moving():
            pass
        while not stop.is_asked:
            threading.Event().wait(0.005)
        raise RuntimeError("terminated")

    batcher = make(moves_then_hangs, limits=BatchLimits(segment_s=0.05))
    with pytest.raises(EngineUnavailable, match=r"longer than 0\.05 s"):
        await batcher.submit(1, Kind.FINAL, CLIP, 5)


async def test_once_the_gpu_is_left_batches_are_those_of_a_slow_cpu() -> None:
    gate, left = Gate(), threading.Event()
    batcher = BatchQueue(gate, Rules(window_s=0.005), BatchLimits(), has_left_gpu=left.is_set)
    batcher.start(audio_by_second=1000.0)
    first = [batcher.submit(n, Kind.FINAL, CLIP, 5) for n in range(8)]
    await in_thread(gate.entered)
    left.set()
    after = [batcher.submit(n, Kind.FINAL, CLIP, 5) for n in range(8)]
    gate.let()
    await asyncio.gather(*first, *after)
    await batcher.stop()
    assert gate.batches[:2] == [8, 5], "half a second of work at ten seconds of audio a second"


async def test_a_model_that_fails_fails_its_batch_only(make: Make) -> None:
    calls: list[int] = []

    def fails_once(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        calls.append(len(clips))
        if len(calls) == 1:
            raise ValueError("a bug")
        return lengths(clips, stop, boostings)

    batcher = make(fails_once)
    with pytest.raises(EngineUnavailable, match="its log says why"):
        await batcher.submit(1, Kind.FINAL, CLIP, 5)
    assert (await batcher.submit(1, Kind.FINAL, CLIP, 5)).text == "16000"


async def test_who_waits_when_the_server_stops_is_told(make: Make) -> None:
    gate = Gate()
    batcher = make(gate)
    running = batcher.submit(1, Kind.FINAL, CLIP, 5)
    await in_thread(gate.entered)
    waiting = batcher.submit(2, Kind.FINAL, CLIP, 5)
    gate.let()
    await batcher.stop()
    for one in (running, waiting):
        with pytest.raises(EngineUnavailable, match="stopped"):
            await one
    with pytest.raises(EngineUnavailable, match="not running"):
        batcher.submit(3, Kind.FINAL, CLIP, 5)


async def test_on_a_cpu_a_final_does_not_wait_for_a_running_partial(make: Make) -> None:
    entered = threading.Event()

    def slow_partial(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        if not entered.is_set():
            entered.set()
            while not stop.is_asked:
                threading.Event().wait(0.002)
            raise RuntimeError("terminated")
        return lengths(clips, stop, boostings)

    batcher = make(slow_partial, Rules(window_s=0, mixes_kinds=False))
    partial = batcher.submit(1, Kind.PARTIAL, CLIP, 5)
    await in_thread(entered)
    assert (await batcher.submit(2, Kind.FINAL, CLIP, 5)).text == "16000"
    assert partial.cancelled()
    assert batcher.stats.shed == 1


async def test_on_a_cpu_a_batch_is_kept_to_half_a_second_of_work() -> None:
    gate = Gate()
    batcher = BatchQueue(gate, Rules(window_s=0.005, mixes_kinds=False), BatchLimits())
    batcher.start(audio_by_second=10.0)
    answers = [batcher.submit(n, Kind.FINAL, CLIP, 5) for n in range(8)]
    await in_thread(gate.entered)
    assert gate.batches == [5]
    gate.let()
    await asyncio.gather(*answers)
    await batcher.stop()
