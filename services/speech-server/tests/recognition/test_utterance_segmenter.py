"""What reaches the engine, and how much may wait for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from riva.caller import hum, hush, pieces
from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.endpointer import Endpointing
from speech_server.engines.asr.scripted.energy_vad import EnergyActivity
from speech_server.errors import TooQuiet
from speech_server.recognition.audio_queue import AudioQueue
from speech_server.recognition.utterance_segmenter import Final, TranscriptEvent, UtteranceSegmenter

RULES = Endpointing(stop_history_s=0.2)


class Notebook:
    """An engine that writes down what it is given."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.utterances: list[bytes] = []

    async def accept(self, pcm16: bytes) -> Hypothesis:
        self.chunks.append(pcm16)
        return Hypothesis("")

    async def finish(self) -> Hypothesis:
        self.utterances.append(b"".join(self.chunks))
        self.chunks.clear()
        return Hypothesis("")

    async def close(self) -> None:
        """Nothing is kept."""


def seconds(pcm16: bytes) -> float:
    return len(pcm16) / 2 / ASR_RATE_HZ


async def heed(coming: AsyncIterator[TranscriptEvent]) -> list[TranscriptEvent]:
    return [one async for one in coming]


async def hear(
    notebook: Notebook, pcm16: bytes, waiting_s: float = 0.0, longest_s: float = 60
) -> list[TranscriptEvent]:
    segmenter = UtteranceSegmenter(notebook, EnergyActivity(-45, 10), RULES, 0.3, longest_s)
    heard = [one for piece in pieces(pcm16) async for one in segmenter.push(piece, 0.0, waiting_s)]
    last = await segmenter.finish(0.0)
    return [*heard, last] if last else heard


async def test_silence_never_reaches_the_engine() -> None:
    notebook = Notebook()
    assert await hear(notebook, hush(5)) == []
    assert notebook.chunks == []


async def test_an_utterance_is_its_speech_with_pre_roll_and_the_silence_that_ended_it() -> None:
    notebook = Notebook()
    await hear(notebook, hush(2) + hum(1) + hush(3))
    assert notebook.utterances == [hush(0.3) + hum(1) + hush(0.2)]


async def test_the_pre_roll_of_an_utterance_does_not_repeat_the_one_before() -> None:
    notebook = Notebook()
    synthesise = hum(1) + hush(0.3) + hum(1) + hush(0.2)
    await hear(notebook, synthesise)
    assert b"".join(notebook.utterances) == synthesise


async def test_speech_from_the_first_sample_on_is_heard_whole() -> None:
    notebook = Notebook()
    await hear(notebook, hum(0.505))
    assert notebook.utterances == [hum(0.505)]


async def test_the_engine_gets_audio_with_every_second_message_of_20_ms_when_it_keeps_up() -> None:
    notebook = Notebook()
    await hear(notebook, hum(1) + hush(0.1))
    lengths = [seconds(notebook.utterances[0])]
    assert lengths == [pytest.approx(1.1)]
    segmenter = UtteranceSegmenter(notebook, EnergyActivity(-45, 10), RULES, 0.3, 60)
    for piece in pieces(hum(1)):
        await heed(segmenter.push(piece, 0.0))
    assert {round(seconds(chunk), 2) for chunk in notebook.chunks} <= {0.04, 0.06}


async def test_an_engine_that_is_behind_gets_larger_chunks_and_no_sample_less() -> None:
    notebook = Notebook()
    segmenter = UtteranceSegmenter(notebook, EnergyActivity(-45, 10), RULES, 0.3, 60)
    for piece in pieces(hum(3)):
        await heed(segmenter.push(piece, 0.0, waiting_s=4.0))
    assert [round(seconds(chunk), 2) for chunk in notebook.chunks] == [1.0, 1.0, 1.0]


async def test_an_utterance_cut_for_its_length_loses_no_sample() -> None:
    notebook = Notebook()
    heard = await hear(notebook, hum(2.5), longest_s=1)
    assert b"".join(notebook.utterances) == hum(2.5)
    assert [round(one.start_s, 2) for one in heard if isinstance(one, Final)] == [0.0, 1.0, 2.0]


async def test_processed_is_what_was_decoded_and_never_goes_back() -> None:
    notebook = Notebook()
    segmenter = UtteranceSegmenter(notebook, EnergyActivity(-45, 10), RULES, 0.3, 60)
    positions = []
    for piece in pieces(hush(1) + hum(1)):
        await heed(segmenter.push(piece, 0.0, waiting_s=0.5))
        positions.append(segmenter.processed_s)
    assert positions == sorted(positions)
    # The engine has taken 0.7..1.7 s in chunks of half a second; what waits to be decoded is not processed.
    assert positions[-1] == pytest.approx(0.7 + seconds(b"".join(notebook.chunks)))
    assert positions[-1] < 2.0


async def test_a_full_intake_holds_the_reader_until_there_is_room() -> None:
    intake = AudioQueue(most_ahead_s=0.5)
    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(intake.put(hum(1), False, lambda: None))
        await asyncio.sleep(0)
        assert intake.is_full
        assert intake.waiting_s == pytest.approx(0.5)
        for _ in range(10):
            assert await intake.take() is not None
        await reader
    assert intake.arrived_s == pytest.approx(1.0)
    assert not intake.is_full


async def test_an_error_comes_after_the_audio_before_it() -> None:
    intake = AudioQueue(most_ahead_s=5)
    await intake.put(hum(0.1), False, lambda: None)
    intake.fail(TooQuiet("quiet"))
    assert await intake.take() is not None
    with pytest.raises(TooQuiet):
        await intake.take()
