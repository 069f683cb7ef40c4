"""Real engines, real speech: recordings come from the folder VOICE_AUDIO names."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from pcm import read_wav, silence
from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk
from speech_server.engines.tts.espeak.synthesiser import EspeakSynthesiser


class Recordings:
    """Recordings by name, as 16 kHz PCM16."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def audio(self, name: str) -> bytes:
        return read_wav(self._folder / f"{name}.wav").at(ASR_RATE_HZ).pcm16


@pytest.fixture(scope="session")
def recordings() -> Recordings:
    folder = os.environ.get("VOICE_AUDIO")
    if not folder:
        raise RuntimeError("Set VOICE_AUDIO to a folder of NAME.wav and NAME.txt (scripts/fetch_recordings.py)")
    return Recordings(Path(folder))


@pytest.fixture
async def espeak() -> AsyncIterator[EspeakSynthesiser]:
    engine = EspeakSynthesiser(texts=8)
    await engine.start()
    yield engine
    await engine.stop()


async def say(
    engine: EspeakSynthesiser, text: str, voice: str = "English-US.Male-1", ssml: bool = False
) -> list[SpokenChunk]:
    """Every chunk of a text."""
    named = {each.name: each for each in engine.voices}
    return [chunk async for chunk in engine.speak(SpeechRequest(text, named[voice], ssml))]


def quiet(seconds: float) -> bytes:
    return silence(seconds, ASR_RATE_HZ)


def living_processes() -> set[psutil.Process]:
    """Every process that this one started, directly or not, and that is not yet dead."""
    return {
        each
        for each in psutil.Process().children(recursive=True)
        if each.is_running() and each.status() != psutil.STATUS_ZOMBIE
    }
