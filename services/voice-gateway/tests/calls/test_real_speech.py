"""What happens when a person speaks? Recorded speech, the real detector."""

import asyncio
import os
from pathlib import Path

import pcm
import pytest
from fake_llm import Answer
from lab import lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


@pytest.fixture
def speech() -> bytes:
    """A person speaking and a pause, PCM16 at 16 kHz, from the folder VOICE_AUDIO names."""
    folder = os.environ.get("VOICE_AUDIO")
    if not folder:
        raise RuntimeError("Set VOICE_AUDIO to a folder of NAME.wav and NAME.txt (scripts/fetch_recordings.py)")
    clip = pcm.read_wav(Path(folder) / "goforward.wav")
    return clip.pcm16[:60_000] + pcm.silence(0.6, 16_000)


async def speak(caller: Caller, audio: bytes) -> None:
    """As a microphone would: every 20 ms."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n, first in enumerate(range(0, len(audio), 640)):
        await asyncio.sleep(began + n * 0.02 - loop.time())
        await caller.send(audio=pb.Audio(data=audio[first : first + 640]))


async def test_speech_over_a_reply_stops_it_everywhere_and_the_history_holds_what_was_heard(speech: bytes) -> None:
    async with lab(vad="silero") as there:
        there.tts.seconds = lambda text: 10
        there.llm.answers.append(Answer("One two three four five six seven eight nine ten. And then", "hang"))
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Count.")
        await caller.expect("reply_audio", lambda m: m.reply_audio.offset > 8_000)
        microphone = asyncio.create_task(speak(caller, speech), name="microphone")
        await caller.turn(TurnEvent.SPEECH_STARTED)
        stream.partial("go for")
        cut = await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        await there.llm.quiet()
        await there.tts.quiet()
        assert there.llm.asked[0].cancelled
        sent_s = len(caller.audio(1)) / 32_000
        assert cut.heard_ms / 1000 == pytest.approx(sent_s - 0.2, abs=0.15)
        await microphone
        await caller.send(playout=pb.PlayoutReport(reply=1, samples_played=cut.heard_ms * 16, final=True))
        there.tts.seconds = lambda text: 0.06
        await caller.turn(TurnEvent.SPEECH_STOPPED)
        stream.final("Go forward ten meters.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert len(caller.audio(1)) / 32_000 == sent_s
        assert there.llm.asked[1].chat == [
            ("user", "Count."),
            *([("assistant", cut.heard_text)] if cut.heard_text else []),
            ("user", "Go forward ten meters."),
        ] or there.llm.asked[1].chat == [("user", "Count.\nGo forward ten meters.")]
        barge_in = [message.latency for message in caller.of("latency") if message.latency.HasField("barge_in_stop")]
        assert 0 < barge_in[0].barge_in_stop < 1


async def test_recognition_that_says_nothing_to_a_person_speaking_is_told_and_left_for_another_stream(
    speech: bytes,
) -> None:
    async with lab(vad="silero", turn_max_lag_s=0.3) as there:
        caller = await there.call()
        await speak(caller, speech)
        error = await caller.error(pb.Error.ASR_TIMEOUT)
        assert "said nothing for 0.3 s; say it again" in error.message
        assert not error.fatal
        second = await there.asr.stream(2)
        assert await second.heard(32_000)
        second.final("Go forward ten meters.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
