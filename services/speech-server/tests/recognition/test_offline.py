"""Is a recording cut into its utterances, and heard the way its engine hears best?"""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from pcm import Encoding, duration_s
from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hints, Hypothesis
from speech_server.core.asr.endpointer import Endpointing
from speech_server.core.asr.recognition_plan import AsrPolicy, RecognitionPlan
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.asr.scripted.recogniser import Script, ScriptedRecogniser
from speech_server.errors import EngineBusy
from speech_server.recognition.offline import utterances_of
from speech_server.recognition.pipeline import RecognitionContext, StreamLimits
from speech_server.timeline import Timeline

RULES = Endpointing(stop_history_s=0.2)
PLAN = RecognitionPlan(Encoding.PCM16, None, Hints("en-US"), RULES, word_times=True, leading_space=False)
HUM = (9000 * np.sin(2 * np.pi * 220 * np.arange(ASR_RATE_HZ) / ASR_RATE_HZ)).astype("<i2").tobytes()
HUSH = bytes(ASR_RATE_HZ)


class Whole(ScriptedRecogniser):
    """An engine that would rather have utterances whole; noting how long they were."""

    def __init__(self) -> None:
        super().__init__(Script(final_delay_s=0.0), Timeline(None))
        self.lengths_s: list[float] = []

    async def open(self, hints: Hints) -> object:  # type: ignore[override]
        raise EngineBusy("a recording must not take a stream's place")

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        self.lengths_s.append(duration_s(pcm16, ASR_RATE_HZ))
        return Hypothesis(f"utterance {len(self.lengths_s)}")


def recognition(recogniser: ScriptedRecogniser, *, by_utterance: bool) -> RecognitionContext:
    return RecognitionContext(
        recogniser=recogniser,
        detector=EnergyDetector(-45, 10),
        policy=AsrPolicy(RULES),
        limits=StreamLimits(60, 5),
        pre_roll_s=0.1,
        longest_utterance_s=1.5,
        retry_after_ms=1000,
        by_utterance=by_utterance,
    )


async def audio(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def heard(ears: RecognitionContext, *pieces: bytes) -> list[tuple[str, float]]:
    finals = [final async for final in utterances_of(ears, PLAN, audio(*pieces))]
    return [(final.hypothesis.text, round(final.start_s, 1)) for final in finals]


async def test_an_engine_for_whole_utterances_gets_each_as_one() -> None:
    engine = Whole()
    found = await heard(recognition(engine, by_utterance=True), HUSH + HUM + HUSH, HUSH + HUM + HUSH)
    assert found == [("utterance 1", 0.4), ("utterance 2", 2.4)]
    assert engine.lengths_s == pytest.approx([1.3, 1.3], abs=0.05)


async def test_a_long_utterance_is_cut() -> None:
    engine = Whole()
    await heard(recognition(engine, by_utterance=True), HUM * 4)
    assert sum(engine.lengths_s) == pytest.approx(4, abs=0.05)
    assert max(engine.lengths_s) <= 1.6


async def test_an_engine_for_streams_hears_the_whole_recording_in_one() -> None:
    engine = ScriptedRecogniser(Script(final_delay_s=0.0), Timeline(None))
    found = await heard(recognition(engine, by_utterance=False), (HUM + HUSH) * 2)
    assert [text for text, _ in found] == ["caller 1 turn 1", "caller 1 turn 2"]


async def test_silence_reaches_no_engine() -> None:
    engine = Whole()
    assert await heard(recognition(engine, by_utterance=True), HUSH * 4) == []
    assert engine.lengths_s == []
