"""Does an offline model stream? With a model that hears a word in every half second of a known speech."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack

import numpy as np
import pytest
from speech_server.core.asr.asr_types import Hypothesis, Word
from speech_server.core.asr.batching import Kind, Rules
from speech_server.core.asr.boosting import Boosting
from speech_server.core.asr.subwords import joined
from speech_server.engines.asr.offline.batch_queue import BatchLimits, BatchQueue
from speech_server.engines.asr.offline.streaming import OfflineUtterances, Streaming
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.transducer import Floats
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import SpeculativeUtterances

WORD_S = 0.5
RATE = 16_000
Boostings = Sequence[Boosting | None]


def speech(count: int, first: int = 1) -> bytes:
    """Audio whose n-th half second has the value n: the model below reads the words out of the samples."""
    return b"".join(np.full(int(WORD_S * RATE), n, "<i2").tobytes() for n in range(first, first + count))


def read(clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
    """Word n where the samples are n, with its times; a half-heard word at the end is still another one."""
    found = []
    for clip in clips:
        values = np.rint(clip * 32768).astype(int)
        words = []
        for n in np.unique(values[values > 0]):
            at = np.flatnonzero(values == n)
            whole = len(at) > 0.9 * WORD_S * RATE or n != values.max()
            words.append(Word(f"w{n}" if whole else "hm", at[0] / RATE, (at[-1] + 1) / RATE, 0.9))
        found.append(joined(words))
    return found


class Model:
    """The reader, noting what it was asked."""

    def __init__(self) -> None:
        self.clips_s: list[float] = []
        self.fails = 0

    def __call__(self, clips: Sequence[Floats], stop: Stop, boostings: Boostings = ()) -> list[Hypothesis]:
        self.clips_s += [len(clip) / RATE for clip in clips]
        if self.fails:
            self.fails -= 1
            raise EngineUnavailable("it fails")
        return read(clips, stop, boostings)


Open = Callable[..., OfflineUtterances]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
async def opened(model: Model) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:
        batcher = BatchQueue(model, Rules(window_s=0), BatchLimits())
        batcher.start()
        stack.push_async_callback(batcher.stop)

        def open_one(audible: bool = True, **rules: float) -> OfflineUtterances:
            utterances = OfflineUtterances(batcher, Streaming(**rules), 1, lambda clip: audible)
            stack.push_async_callback(utterances.close)
            return utterances

        yield open_one


async def pace(utterances: OfflineUtterances, pcm16: bytes, chunk_s: float = 0.1) -> list[Hypothesis]:
    """Chunk by chunk, letting every pass finish, as audio in real time would."""
    size = 2 * int(chunk_s * RATE)
    said = []
    for start in range(0, len(pcm16), size):
        await utterances.accept(pcm16[start : start + size])
        while (running := utterances._open.running) is not None and not running.done():
            await asyncio.wait({running})
        said.append(await utterances.accept(b""))
    return said


async def test_partials_grow_word_by_word_and_the_final_has_them_all(opened: Open) -> None:
    utterances = opened()
    said = await pace(utterances, speech(6))
    texts = [one.text for one in said]
    assert len(set(texts)) >= 6
    for earlier, later in itertools.pairwise(said):
        stable = round(earlier.stability / 0.9 * len(earlier.words))
        assert [word.text for word in earlier.words[:stable]] == [word.text for word in later.words[:stable]]
    final = await utterances.finish()
    assert final.text == "w1 w2 w3 w4 w5 w6"
    assert [word.start_s for word in final.words] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert final.confidence == pytest.approx(0.9)


async def test_a_partial_is_stable_in_part_and_never_wholly(opened: Open) -> None:
    utterances = opened()
    said = await pace(utterances, speech(6))
    assert all(0 <= one.stability < 1 for one in said)
    assert max(one.stability for one in said) > 0.5


async def test_a_pass_is_made_every_step_while_the_model_is_quick(opened: Open, model: Model) -> None:
    utterances = opened(step_s=0.3)
    await pace(utterances, speech(10))
    gaps = np.diff(model.clips_s)
    assert np.median(gaps) == pytest.approx(0.3, abs=1e-6)
    assert gaps.min() >= 0.3 - 1e-6


async def test_a_slow_model_is_asked_less_often(opened: Open, model: Model) -> None:
    utterances = opened(step_s=0.3)
    await pace(utterances, speech(2))
    utterances._open.pass_took_s = 0.5
    utterances._open.passed_s = utterances._open.buffer_s
    await utterances.accept(bytes(2 * 12_000))
    assert utterances._open.running is None
    await utterances.accept(bytes(2 * 6_000))
    assert utterances._open.running is not None


async def test_in_ten_minutes_of_speech_nothing_is_lost_and_the_buffer_stays_short(opened: Open, model: Model) -> None:
    utterances = opened(longest_s=4)
    longest_s, count = 0.0, 1200
    for first in range(1, count, 4):
        await pace(utterances, speech(4, first), chunk_s=1.0)
        longest_s = max(longest_s, utterances._open.buffer_s)
    final = await utterances.finish()
    assert longest_s < 8.5
    assert max(model.clips_s) < 8.5
    assert final.text.split() == [f"w{n}" for n in range(1, count + 1)]
    assert final.words[-1].end_s == pytest.approx(600, abs=0.1)


async def test_audio_that_comes_all_at_once_is_held_to_the_bound(opened: Open, model: Model) -> None:
    utterances = opened(longest_s=4)
    for first in range(1, 200, 2):
        await utterances.accept(speech(2, first))
        assert utterances._open.buffer_s <= 8 + 1
    final = await utterances.finish()
    assert final.text.split() == [f"w{n}" for n in range(1, 201)]
    assert max(model.clips_s) <= 9


async def test_the_final_pass_is_made_ahead_in_a_pause(opened: Open, model: Model) -> None:
    utterances = opened()
    await pace(utterances, speech(4))
    utterances.paused()
    assert (await utterances.expected()).text == "w1 w2 w3 w4"
    before = len(model.clips_s)
    await utterances.accept(bytes(2 * RATE))
    assert (await utterances.finish()).text == "w1 w2 w3 w4"
    assert len(model.clips_s) == before, "no pass after the one made ahead"


async def test_a_speaker_who_goes_on_is_heard_on(opened: Open) -> None:
    utterances = opened()
    await pace(utterances, speech(3))
    utterances.paused()
    await utterances.expected()
    utterances.resumed()
    await pace(utterances, speech(3, 4))
    assert (await utterances.finish()).text == "w1 w2 w3 w4 w5 w6"


async def test_utterances_are_independent(opened: Open) -> None:
    utterances = opened()
    await utterances.accept(speech(2))
    assert (await utterances.finish()).text == "w1 w2"
    assert (await utterances.accept(speech(1, 9))).text == ""
    assert (await utterances.finish()).text == "w9"


async def test_nothing_loud_enough_is_nothing_said(opened: Open, model: Model) -> None:
    utterances = opened(audible=False)
    await pace(utterances, speech(4))
    assert (await utterances.finish()).text == ""
    assert model.clips_s == []


async def test_a_failed_partial_harms_nobody(opened: Open, model: Model) -> None:
    utterances = opened()
    model.fails = 1
    await pace(utterances, speech(4))
    assert (await utterances.finish()).text == "w1 w2 w3 w4"


async def test_a_failed_pass_ahead_is_made_again(opened: Open, model: Model) -> None:
    utterances = opened()
    await pace(utterances, speech(2))
    model.fails = 1
    utterances.paused()
    with pytest.raises(EngineUnavailable):
        await utterances.expected()
    assert (await utterances.finish()).text == "w1 w2"


async def test_a_failed_final_is_an_error_and_the_next_utterance_works(opened: Open, model: Model) -> None:
    utterances = opened()
    await utterances.accept(speech(2))
    model.fails = 1
    with pytest.raises(EngineUnavailable):
        await utterances.finish()
    await utterances.accept(speech(2))
    assert (await utterances.finish()).text == "w1 w2"


async def test_it_says_that_it_works_ahead(opened: Open) -> None:
    assert isinstance(opened(), SpeculativeUtterances)


async def test_partials_are_left_out_first_when_the_queue_is_full() -> None:
    model = Model()
    batcher = BatchQueue(model, Rules(window_s=0), BatchLimits(waiting=1))
    batcher.start()
    blocker = batcher.submit(9, Kind.WHOLE, np.zeros(RATE, np.float32), 5)
    utterances = OfflineUtterances(batcher, Streaming(), 1, lambda clip: True)
    await utterances.accept(speech(2))
    assert (await utterances.finish()).text == "w1 w2"
    assert (await blocker).text == ""
    assert model.clips_s == [1.0, 1.0]
    await batcher.stop()
