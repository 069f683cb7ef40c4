"""Does the recogniser understand eSpeak NG? The whole laptop loop, without a microphone."""

from collections.abc import AsyncIterator

import pytest
from pcm import Clip
from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hints
from speech_server.engines.asr.moonshine.spec import build
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.silero_vad import SileroDetector
from speech_server.engines.tts.espeak.synthesiser import EspeakSynthesiser
from speech_server.engines.tts.espeak.voices import RATE_HZ
from speech_server.settings import Settings
from speech_server.timeline import Timeline

from .conftest import quiet, say

QUESTIONS = (
    "What time is it?",
    "Tell me a joke.",
    "My name is Anna.",
    "What is seven times eight?",
    "Do you remember my name?",
    "I would like to know how far away the moon is.",
)


@pytest.fixture
async def recogniser() -> AsyncIterator[OfflineRecogniser]:
    detector = SileroDetector()
    made = build(Settings(), Timeline(None), detector)
    await detector.start()
    await made.start()
    yield made
    await made.stop()
    await detector.stop()


def words(text: str) -> list[str]:
    spelt = {"7": "seven", "8": "eight", "x": "times"}
    plain = "".join(sign if sign.isalnum() else " " for sign in text.lower())
    return [spelt.get(word, word) for word in plain.split()]


async def test_the_callers_voice_is_understood(recogniser: OfflineRecogniser, espeak: EspeakSynthesiser) -> None:
    for question in QUESTIONS:
        chunks = await say(espeak, question, "English-US.Rob")
        speech = Clip(b"".join(chunk.pcm16 for chunk in chunks), RATE_HZ).at(ASR_RATE_HZ).pcm16
        heard = await recogniser.transcribe(quiet(0.3) + speech + quiet(0.5), Hints("en-US"))
        assert words(heard.text) == words(question)
