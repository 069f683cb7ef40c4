"""Does the real model stream? Recordings piece by piece through detector, level gate, utterances and batches."""

import asyncio
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from speech_server.core.asr.asr_types import Hints
from speech_server.core.asr.endpointer import Endpointing
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.silero_vad import SileroDetector
from speech_server.recognition.level_gate import LevelGate
from speech_server.recognition.utterance_segmenter import Final, Partial, TranscriptEvent, UtteranceSegmenter

from .conftest import Recording
from .words import plain, wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")
Engine = tuple[OfflineRecogniser, SileroDetector]
"""Loaded once for all tests here: each opens streams of its own."""
HINTS = Hints("en-US")
RATE_HZ = 16_000
PIECE_BYTES = 3200
RULES = Endpointing(0.3, 0.2, 0.8, 0.98)
AUSTEN = [f"austen-{number}" for number in ("0870", "0880", "0890", "0920", "0930")]


def hush(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE_HZ))


def pcm16(samples: npt.NDArray[np.float64]) -> bytes:
    return (samples * 32767).clip(-32768, 32767).astype("<i2").tobytes()


async def hear(engine: Engine, audio: bytes) -> list[TranscriptEvent]:
    """All of it, as a caller's stream."""
    recogniser, detector = engine
    utterances = await recogniser.open(HINTS)
    activity = LevelGate(detector.open(), -65)
    hearing = UtteranceSegmenter(utterances, activity, RULES, 0.3, 60)
    found: list[TranscriptEvent] = []
    for at in range(0, len(audio), PIECE_BYTES):
        found += [one async for one in hearing.push(audio[at : at + PIECE_BYTES], 0.0)]
        if utterances._open.running is not None:
            # As in real time, where a pass has time to end.
            await asyncio.wait({utterances._open.running})
    last = await hearing.finish(0.0)
    activity.close()
    await utterances.close()
    return found + ([last] if last is not None else [])


def finals(found: list[TranscriptEvent]) -> str:
    return " ".join(one.hypothesis.text for one in found if isinstance(one, Final) and one.hypothesis.text)


async def test_every_recording_comes_as_partials_and_one_final(
    engine: Engine, recordings: Mapping[str, Recording]
) -> None:
    said = []
    for one in recordings.values():
        found = await hear(engine, hush(0.5) + one.pcm16 + hush(1.2))
        said.append((one.text, finals(found)))
        assert any(isinstance(part, Partial) and part.hypothesis.text for part in found) or len(one.pcm16) < 48_000
    errors, words = wrong(said)
    assert errors <= 0.06 * words + 3, said


async def test_speech_without_a_pause_is_committed_on_the_way_and_loses_no_word(
    engine: Engine, recordings: Mapping[str, Recording]
) -> None:
    audio = b"".join(recordings[name].pcm16 for name in AUSTEN)
    assert len(audio) > 2 * RATE_HZ * 24
    found = await hear(engine, hush(0.5) + audio + hush(1.2))
    errors, words = wrong([(" ".join(recordings[name].text for name in AUSTEN), finals(found))])
    assert words >= 70
    assert errors <= 0.06 * words + 3, finals(found)
    shown = [len(one.hypothesis.text.split()) for one in found if isinstance(one, Partial)]
    assert max(shown) >= 50, "what was committed stays in the partials"


async def test_a_whole_recording_is_heard_in_sections(engine: Engine, recordings: Mapping[str, Recording]) -> None:
    names = AUSTEN * 5
    audio = b"".join(recordings[name].pcm16 + hush(0.6) for name in names)
    assert len(audio) > 2 * RATE_HZ * 120
    said = await engine[0].transcribe(audio, HINTS)
    errors, words = wrong([(" ".join(recordings[name].text for name in names), said.text)])
    assert errors <= 0.06 * words + 3
    times = [word.start_s for word in said.words]
    assert times == sorted(times)
    assert said.words[-1].end_s <= len(audio) / 2 / RATE_HZ


noise = np.random.default_rng(7).normal
seconds = np.arange(6 * RATE_HZ) / RATE_HZ
NO_SPEECH: Mapping[str, npt.NDArray[np.float64]] = {
    "zeros": np.zeros(6 * RATE_HZ),
    "soft noise": noise(0, 0.003, 6 * RATE_HZ),
    "noise": noise(0, 0.03, 6 * RATE_HZ),
    "loud noise": noise(0, 0.2, 6 * RATE_HZ),
    "rumble": np.convolve(noise(0, 0.5, 6 * RATE_HZ), np.ones(64) / 64, "same"),
    "a tone": 0.4 * np.sin(2 * np.pi * 440 * seconds),
    "a chord": 0.15 * np.sin(2 * np.pi * np.outer([261.6, 329.6, 392.0], seconds)).sum(axis=0),
    "a melody": 0.4 * np.sin(2 * np.pi * (220 * 2 ** (np.floor(seconds * 4) % 8 / 12)) * seconds),
    "a sweep": 0.4 * np.sin(2 * np.pi * (200 * seconds + 150 * seconds**2)),
    "digits of a telephone": 0.3
    * (np.sin(2 * np.pi * 770 * seconds) + np.sin(2 * np.pi * 1336 * seconds))
    * (seconds % 0.4 < 0.2),
    "clicks": np.where(np.arange(6 * RATE_HZ) % 8000 < 20, 0.9, 0.0),
}


@pytest.mark.parametrize("name", NO_SPEECH)
async def test_what_is_no_speech_has_no_words(engine: Engine, name: str) -> None:
    audio = pcm16(NO_SPEECH[name])
    assert finals(await hear(engine, audio)) == ""
    assert (await engine[0].transcribe(audio, HINTS)).text == ""


async def test_the_same_words_whether_the_silence_is_long_or_the_stream_ends(
    engine: Engine, recordings: Mapping[str, Recording]
) -> None:
    clip = recordings["goforward"].pcm16
    assert plain(finals(await hear(engine, clip))) == plain(finals(await hear(engine, clip + hush(3))))
