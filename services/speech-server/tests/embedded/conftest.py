"""The real voice."""

from collections.abc import AsyncIterator

import psutil
import pytest
from pcm import silence
from speech_server.embedded.espeak import EspeakSynthesiser
from speech_server.ports import ASR_RATE_HZ, SpeechRequest, SpokenChunk


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
