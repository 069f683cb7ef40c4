"""Is the final there when the silence is complete? Hearing, endpointer and utterances together."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from speech_server.core.asr.batching import Rules
from speech_server.core.asr.endpointer import Endpointing
from speech_server.engines.asr.offline.batch_queue import BatchLimits, BatchQueue
from speech_server.engines.asr.offline.streaming import OfflineUtterances, Streaming
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.recognition.utterance_segmenter import Final, Partial, TranscriptEvent, UtteranceSegmenter

from .test_streaming import Model

RULES = Endpointing(0.1, 0.2, 0.8, 0.98, stop_history_eou_s=0.4)


def noise(seconds: float) -> bytes:
    return np.random.default_rng(3).normal(0, 6000, int(seconds * 16_000)).clip(-32768, 32767).astype("<i2").tobytes()


def quiet(seconds: float) -> bytes:
    return bytes(2 * int(seconds * 16_000))


@pytest.fixture
async def heard_by() -> AsyncIterator[tuple[Model, UtteranceSegmenter]]:
    model = Model()
    batcher = BatchQueue(model, Rules(window_s=0), BatchLimits())
    batcher.start()
    utterances = OfflineUtterances(batcher, Streaming(), 1, lambda clip: True)
    yield model, UtteranceSegmenter(utterances, EnergyDetector(-45, 20).open(), RULES, 0.1, 60)
    await utterances.close()
    await batcher.stop()


async def hear(hearing: UtteranceSegmenter, pcm16: bytes) -> list[TranscriptEvent]:
    found: list[TranscriptEvent] = []
    for start in range(0, len(pcm16), 3200):
        found += [one async for one in hearing.push(pcm16[start : start + 3200], 0.0)]
    return found


async def test_the_final_needs_no_pass_after_the_pause(heard_by: tuple[Model, UtteranceSegmenter]) -> None:
    model, hearing = heard_by
    await hear(hearing, quiet(0.5) + noise(2.0) + quiet(0.3))
    before = len(model.clips_s)
    found = await hear(hearing, quiet(1.0))
    (final,) = [one for one in found if isinstance(one, Final)]
    assert final.audio_s == pytest.approx(2.9, abs=0.15)
    passes = [length_s for length_s in model.clips_s if length_s > 2]
    assert len(model.clips_s) <= before + 1
    assert len(passes) == 1, "one pass over all of it, made in the pause"


async def test_the_first_sign_of_the_end_carries_the_words_of_the_final(
    heard_by: tuple[Model, UtteranceSegmenter],
) -> None:
    _, hearing = heard_by
    found = await hear(hearing, quiet(0.5) + noise(2.0) + quiet(1.2))
    (ending,) = [one for one in found if isinstance(one, Partial) and one.ending]
    (final,) = [one for one in found if isinstance(one, Final)]
    assert ending.hypothesis == final.hypothesis


async def test_speech_after_a_short_pause_is_in_the_same_final(heard_by: tuple[Model, UtteranceSegmenter]) -> None:
    model, hearing = heard_by
    found = await hear(hearing, quiet(0.5) + noise(1.0) + quiet(0.4) + noise(1.0) + quiet(1.2))
    (final,) = [one for one in found if isinstance(one, Final)]
    assert final.audio_s > 2.4
    assert max(model.clips_s) > 2.3
