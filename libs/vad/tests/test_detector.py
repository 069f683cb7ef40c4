"""Streams are scored in order, each by itself, whoever else waits; a closed or broken listener harms nobody."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from vad import FRAME_SAMPLES, RATE_HZ, OnScores, SileroDetector

FRAME_BYTES = FRAME_SAMPLES * 2
NOISE = np.random.default_rng(1).normal(0, 3000, 40 * FRAME_SAMPLES).astype("<i2").tobytes()
HUM = (9000 * np.sin(2 * np.pi * 220 * np.arange(40 * FRAME_SAMPLES) / RATE_HZ)).astype("<i2").tobytes()


@pytest.fixture(params=[0.0, 0.02])
async def detector(request: pytest.FixtureRequest) -> AsyncIterator[SileroDetector]:
    """One that runs; it gathers frames, or does not."""
    made = SileroDetector(request.param)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.wait([running])


async def scored(detector: SileroDetector, pcm16: bytes, step: int = 10 * FRAME_BYTES) -> list[float]:
    """The scores of all whole frames of audio that comes in pieces."""
    found: list[float] = []
    done = asyncio.Event()
    frames = len(pcm16) // FRAME_BYTES

    def told(scores: Sequence[float]) -> None:
        found.extend(scores)
        if len(found) == frames:
            done.set()

    stream = detector.open(told)
    completed = sum(stream.push(pcm16[at : at + step]) for at in range(0, len(pcm16), step))
    assert completed == frames
    async with asyncio.timeout(10):
        await done.wait()
    return found


async def test_a_stream_scores_the_same_alone_among_others_and_in_any_pieces(detector: SileroDetector) -> None:
    alone = [await scored(detector, NOISE), await scored(detector, HUM)]
    together = await asyncio.gather(*(scored(detector, clip, 333) for clip in (NOISE, HUM) * 50))
    for number, scores in enumerate(together):
        assert scores == pytest.approx(alone[number % 2], abs=1e-4)


async def test_what_is_left_of_a_frame_waits_for_its_end(detector: SileroDetector) -> None:
    found: list[float] = []
    stream = detector.open(found.extend)
    assert stream.push(NOISE[: FRAME_BYTES + 10]) == 1
    assert stream.rest_bytes == 10
    assert stream.push(NOISE[: FRAME_BYTES - 10]) == 1
    assert (stream.rest_bytes, stream.frames) == (0, 2)


def broken(scores: Sequence[float]) -> None:
    """A listener that breaks."""
    raise RuntimeError("a listener breaks")


def never(scores: Sequence[float]) -> None:
    """A listener that is closed in time."""
    raise AssertionError(f"told {scores}")


@pytest.mark.parametrize(("listener", "closes"), [(broken, False), (never, True)])
async def test_whoever_breaks_or_leaves_does_so_alone(
    listener: OnScores, closes: bool, detector: SileroDetector, caplog: pytest.LogCaptureFixture
) -> None:
    stream = detector.open(listener)
    stream.push(NOISE)
    if closes:
        stream.close()
    assert len(await scored(detector, HUM)) == 40
    assert not detector.waiting
    assert ("told nothing more" in caplog.text) is not closes


async def test_a_newcomer_is_told_before_a_long_recording_ends() -> None:
    detector = SileroDetector()
    running = asyncio.create_task(detector.run())
    found: list[float] = []
    detector.open(found.extend).push(NOISE * 100)
    assert len(await scored(detector, HUM[:FRAME_BYTES])) == 1
    assert len(found) < 4000
    running.cancel()
    await asyncio.wait([running])
