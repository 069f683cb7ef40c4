"""How long may the audio of one text become? Whatever the engine: a few characters can ask for hours of it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pcm import duration_s

from speech_server.core.tts.ssml import pauses_s
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice
from speech_server.errors import TooLarge
from speech_server.interfaces import Synthesiser


class LengthLimitedSynthesiser:
    """A synthesiser that ends a text's audio with an error at `longest_s`, and refuses pauses of so long before."""

    def __init__(self, synthesiser: Synthesiser, longest_s: float) -> None:
        self._synthesiser = synthesiser
        self._longest_s = longest_s

    @property
    def voices(self) -> Sequence[Voice]:
        """The synthesiser's."""
        return self._synthesiser.voices

    async def start(self) -> None:
        """Start the synthesiser."""
        await self._synthesiser.start()

    async def stop(self) -> None:
        """Stop the synthesiser."""
        await self._synthesiser.stop()

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        """Audio as it is made. Raises TooLarge."""
        paused_s = pauses_s(request.text) if request.ssml else 0.0
        if paused_s >= self._longest_s:
            raise TooLarge(
                f"The breaks of this text are {paused_s:g} s long, and its audio may be {self._longest_s:g} s in all; "
                "send it in parts, or with shorter breaks."
            )
        made_s = 0.0
        async with aclosing(self._synthesiser.speak(request)) as chunks:
            async for chunk in chunks:
                made_s += duration_s(chunk.pcm16, request.voice.rate_hz)
                if made_s > self._longest_s:
                    raise TooLarge(f"The audio of this text is longer than {self._longest_s:g} s; send it in parts.")
                yield chunk
