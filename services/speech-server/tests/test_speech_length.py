"""The audio of one text has a longest length, on both wires and whatever the engine."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice
from speech_server.errors import TooLarge
from speech_server.speech_length import LengthLimitedSynthesiser

VOICE = Voice("English-US.Female-1", "en-US", 8_000)


class Endless:
    """Speaks until nobody listens."""

    voices: Sequence[Voice] = (VOICE,)
    closed = False

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to free."""

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        try:
            while True:
                yield SpokenChunk(bytes(16_000))
        finally:
            self.closed = True


async def test_audio_without_end_ends_with_an_error_and_the_engine_is_let_go() -> None:
    engine = Endless()
    chunks = LengthLimitedSynthesiser(engine, 5).speak(SpeechRequest("a", VOICE))
    for _ in range(5):
        await anext(chunks)
    with pytest.raises(TooLarge, match="longer than 5 s; send it in parts"):
        await anext(chunks)
    assert engine.closed


async def test_breaks_of_more_than_that_are_refused_before_anything_is_spoken() -> None:
    text = "<speak>" + '<break time="20s"/>a' * 60 + "</speak>"
    with pytest.raises(TooLarge, match="600 s long, and its audio may be 600 s in all"):
        await anext(LengthLimitedSynthesiser(Endless(), 600).speak(SpeechRequest(text, VOICE, ssml=True)))
