"""What if a caller's audio stops, comes in long messages, or its words come twice? No word is lost, none doubled."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pcm
import pytest
from fake_riva import ramp
from lab import lab
from raw_caller import Caller
from riva.client.proto import riva_asr_pb2 as asr
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
HELLO = (("hello", 100, 400),)


def goforward() -> bytes:
    """Four words, spoken, from the folder VOICE_AUDIO names."""
    return pcm.read_wav(Path(os.environ["VOICE_AUDIO"]) / "goforward.wav").pcm16


async def in_messages_of(seconds: float, audio: bytes, jitter_s: float = 0.02) -> AsyncIterator[bytes]:
    """As a client sends that waits until a message is full."""
    loop, size = asyncio.get_running_loop(), round(seconds * 16_000) * 2
    began = loop.time()
    for number, first in enumerate(range(0, len(audio), size)):
        await asyncio.sleep(began + (number + 1) * seconds + jitter_s * (number % 2) - loop.time())
        yield audio[first : first + size]


@pytest.mark.parametrize("seconds", [0.02, 1.0])
async def test_the_length_of_messages_does_not_split_speech(seconds: float) -> None:
    async with lab(vad="silero") as there:
        caller = await there.call()
        stream = await there.asr.stream()
        async for message in in_messages_of(seconds, goforward() + pcm.silence(1.0, 16_000)):
            await caller.send(audio=pb.Audio(data=message))
        await caller.turn(TurnEvent.SPEECH_STOPPED)
        kinds = [m.turn.kind for m in caller.of("turn")]
        assert kinds == [TurnEvent.SPEECH_STARTED, TurnEvent.SPEECH_STOPPED]
        assert stream.forced == 0
        await caller.hang_up()


@pytest.mark.parametrize("vad", ["silero", "none"])
async def test_audio_that_stops_after_the_last_word_gets_its_final(vad: str) -> None:
    async with lab(vad=vad) as there:
        caller = await there.call()
        stream = await there.asr.stream()
        async for message in in_messages_of(0.02, goforward()[:70_000]):
            await caller.send(audio=pb.Audio(data=message))
        stream.partial("go forward ten")
        await stream.asked()  # when: core/test_arrivals.py
        heard = await stream.heard(70_000 + 25_000)  # with silence, for a recogniser that can't be asked
        assert heard.endswith(bytes(25_000))
        stream.final("go forward ten meters")
        assert (await caller.turn(TurnEvent.TURN_ENDED)).text == "go forward ten meters"
        await caller.turn(TurnEvent.REPLY_ENDED)
        await caller.hang_up()


async def say(caller: Caller) -> None:
    await caller.send(audio=pb.Audio(data=ramp(8_000)))


async def test_a_final_that_comes_again_changes_nothing() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 1.0
        caller = await there.call()
        stream = await there.asr.stream()
        await say(caller)
        stream.final("hello", HELLO, processed_s=0.5)
        await caller.expect("reply_audio")
        stream.final("hello", HELLO, processed_s=0.5)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        stream.final("hello", HELLO, processed_s=0.5)
        before = len(stream.audio)
        await say(caller)
        until_s = len(await stream.heard(before + 16_000)) / 32_000
        until_ms = round(until_s * 1000)
        stream.final("hello", (("hello", until_ms - 400, until_ms - 100),), processed_s=until_s)
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert [asked.chat[-1][1] for asked in there.llm.asked] == ["hello", "hello"]
        kinds = {m.turn.kind for m in caller.of("turn")}
        assert not kinds & {TurnEvent.REPLY_RETRACTED, TurnEvent.REPLY_INTERRUPTED}
        await caller.hang_up()


async def test_what_recognition_takes_back_is_no_turn_and_does_not_stop_a_reply() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 1.0
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Tell me.")
        await caller.expect("reply_audio")
        stream.final(".")
        stream.say(asr.StreamingRecognitionResult(is_final=True))
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        stream.partial("uh")
        stream.say(asr.StreamingRecognitionResult(is_final=True))
        await caller.expect("transcript", lambda m: m.transcript.final and not m.transcript.text)
        stream.final("...")
        await caller.type("Go on.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert [asked.chat[-1][1] for asked in there.llm.asked] == ["Tell me.", "Go on."]
        await caller.hang_up()


async def test_without_a_detector_words_interrupt_a_reply() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 8.0
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Tell me.")
        await caller.expect("reply_audio")
        await say(caller)
        stream.partial("wait")
        await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        there.tts.seconds = lambda text: 0.1
        stream.final("wait a minute")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        await caller.hang_up()
