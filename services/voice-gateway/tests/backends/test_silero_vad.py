"""The real model hears speech where there is some, and many calls at once as well as one at a time."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from pcm import read_wav
from vad import FRAME_S, FRAME_SAMPLES
from voice_gateway.backends.silero_vad import SileroDetector
from voice_gateway.core.events import INPUT_RATE_HZ

Scores = list[tuple[float, float]]
SILENCE = bytes(4 * INPUT_RATE_HZ)


def recording(name: str) -> bytes:
    """PCM16 at the input rate."""
    folder = os.environ.get("VOICE_AUDIO")
    assert folder, "set VOICE_AUDIO to the folder that scripts/fetch_recordings.py prints"
    clip = read_wav(Path(folder) / f"{name}.wav")
    assert clip.rate_hz == INPUT_RATE_HZ
    return clip.pcm16


@asynccontextmanager
async def detector() -> AsyncGenerator[SileroDetector, None]:
    found = SileroDetector()
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def scored(detector: SileroDetector, *calls: bytes, step: int = 3200) -> list[Scores]:
    """Probability and arrival of every frame of each call, all calls talking at once."""
    heard: list[Scores] = [[] for _ in calls]
    frames = sum(len(pcm16) // 2 // FRAME_SAMPLES for pcm16 in calls)
    done = asyncio.Event()

    def note(scores: Scores, probability: float, arrived_at: float) -> None:
        scores.append((probability, arrived_at))
        if sum(map(len, heard)) == frames:
            done.set()

    for scores, pcm16 in zip(heard, calls, strict=True):
        stream = detector.open(lambda p, at, _, scores=scores: note(scores, p, at))  # type: ignore[misc]
        for at in range(0, len(pcm16), step):
            piece = pcm16[at : at + step]
            stream.push(piece, (at + len(piece)) / 2 / INPUT_RATE_HZ)
    async with asyncio.timeout(30):
        await done.wait()
    return heard


async def test_speech_is_heard_in_a_recording_and_none_in_silence() -> None:
    async with detector() as silero:
        speech, silence = await scored(silero, recording("goforward"), SILENCE)
    assert max(probability for probability, _ in speech) > 0.9
    assert sum(probability > 0.5 for probability, _ in speech) > 0.3 * len(speech)
    assert max(probability for probability, _ in silence) < 0.1


async def test_noise_is_not_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 300, 2 * INPUT_RATE_HZ).astype("<i2").tobytes()
    async with detector() as silero:
        (scores,) = await scored(silero, noise)
    assert sum(probability > 0.5 for probability, _ in scores) < 2


async def test_calls_in_one_batch_do_not_hear_each_other() -> None:
    calls = [recording("goforward"), SILENCE, recording("cards-001"), recording("cards-004")]
    async with detector() as silero:
        together = await scored(silero, *calls)
        alone = [(await scored(silero, call))[0] for call in calls]
    for one, other in zip(together, alone, strict=True):
        assert [at for _, at in one] == [at for _, at in other]
        assert [p for p, _ in one] == pytest.approx([p for p, _ in other], abs=1e-4)


@pytest.mark.parametrize("step", [2, 640, 1024, 32000])
async def test_however_audio_is_cut_each_frame_arrives_when_its_last_sample_did(step: int) -> None:
    async with detector() as silero:
        (scores,) = await scored(silero, SILENCE[: 10 * FRAME_SAMPLES * 2], step=step)
    arrivals = [at for _, at in scores]
    assert arrivals == pytest.approx([FRAME_S * number for number in range(1, 11)])


async def test_a_closed_call_is_told_nothing_more() -> None:
    heard: list[float] = []
    async with detector() as silero:
        stream = silero.open(lambda probability, *_: heard.append(probability))
        stream.push(SILENCE, 1.0)
        stream.close()
        await scored(silero, SILENCE)
    assert heard == []
