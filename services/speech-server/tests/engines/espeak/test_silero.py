"""Does the voice activity detector find speech, in many streams at once?"""

import asyncio

import pytest
from speech_server.engines.silero_vad import SileroDetector
from speech_server.errors import EngineUnavailable

from .conftest import Recordings, quiet


async def test_speech_is_found_where_it_is_and_none_in_silence(recordings: Recordings) -> None:
    detector = SileroDetector()
    await detector.start()
    stream = detector.open()
    scores = await stream.score(recordings.audio("goforward"))
    nothing = await detector.open().score(quiet(2.0))
    await detector.stop()
    speech = [at * stream.frame_s for at, score in enumerate(scores) if score > 0.5]
    assert 0.4 < speech[0] < 0.6
    assert 2.0 < speech[-1] < 2.4
    assert len(nothing) == 62
    assert max(nothing) < 0.1


async def test_a_stream_scores_the_same_alone_and_among_others(recordings: Recordings) -> None:
    clips = [recordings.audio(name) for name in ("goforward", "cards-001", "cards-004")] * 4
    detector = SileroDetector()
    await detector.start()
    alone = [await detector.open().score(clip) for clip in clips[:3]]
    together = await asyncio.gather(*(detector.open().score(clip) for clip in clips))
    await detector.stop()
    for at, scores in enumerate(together):
        assert scores == pytest.approx(alone[at % 3], abs=1e-4)


async def test_chunks_of_any_size_give_the_same_frames(recordings: Recordings) -> None:
    clip = recordings.audio("cards-001")
    detector = SileroDetector()
    await detector.start()
    whole = await detector.open().score(clip)
    stream = detector.open()
    pieces = [score for at in range(0, len(clip), 333) for score in await stream.score(clip[at : at + 333])]
    await detector.stop()
    assert pieces == pytest.approx(whole, abs=1e-6)


async def test_a_long_recording_scores_frame_by_frame_as_it_does_at_once(recordings: Recordings) -> None:
    clip = recordings.audio("goforward") * 3
    detector = SileroDetector()
    await detector.start()
    whole = await detector.open().score(clip)
    stream = detector.open()
    single = [score for at in range(0, len(clip), 1024) for score in await stream.score(clip[at : at + 1024])]
    await detector.stop()
    assert len(whole) == len(clip) // 1024
    assert whole == pytest.approx(single, abs=1e-6)


async def test_a_stream_need_not_wait_for_a_recording_to_end() -> None:
    detector = SileroDetector()
    await detector.start()
    recording = asyncio.create_task(detector.open().score(quiet(60)))
    stream = detector.open()
    for _ in range(20):
        assert len(await stream.score(quiet(0.096))) == 3
    assert not recording.done()
    assert len(await recording) == 60 * 16_000 // 512
    await detector.stop()


async def test_a_recording_nobody_waits_for_is_given_up() -> None:
    detector = SileroDetector()
    await detector.start()
    recording = asyncio.create_task(detector.open().score(quiet(60)))
    stream = detector.open()
    await stream.score(quiet(0.1))
    recording.cancel()
    with pytest.raises(asyncio.CancelledError):
        await recording
    await stream.score(quiet(0.1))
    assert not detector.waiting
    await detector.stop()


async def test_a_stopped_detector_says_so() -> None:
    detector = SileroDetector()
    await detector.start()
    stream = detector.open()
    waiting = asyncio.create_task(stream.score(quiet(60.0)))
    await stream.score(b"")
    await asyncio.sleep(0)
    await detector.stop()
    with pytest.raises(EngineUnavailable, match="stopped"):
        await waiting
    with pytest.raises(EngineUnavailable, match="not running"):
        await stream.score(quiet(0.1))
