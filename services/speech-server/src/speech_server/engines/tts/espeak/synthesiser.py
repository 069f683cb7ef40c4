"""How does the server speak without weights or GPU? With eSpeak NG, in a program of its own, one process per text.

eSpeak NG has one global state, may crash, and is under the GPL: it never enters the server's process.
"""

import importlib.util
import json
from collections.abc import AsyncGenerator, Sequence

from speech_server.core.asr.asr_types import Word
from speech_server.core.tts.pronunciations import substitute
from speech_server.core.tts.ssml import with_capped_breaks
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice
from speech_server.engines.process.pool import ProcessPool
from speech_server.engines.process.protocol import DONE, SPEAK, WORDS, unpack_words
from speech_server.engines.tts.espeak.ipa_spelling import spell
from speech_server.engines.tts.espeak.voices import VOICES
from speech_server.errors import EngineUnavailable


class EspeakSynthesiser:
    """At most `texts` at once, each in a process forked for it; what nobody fetches waits there, some 5 s of speech."""

    def __init__(self, texts: int = 64) -> None:
        module = "speech_server.engines.tts.espeak.worker"
        self._engine = ProcessPool("eSpeak NG", module, texts)
        self._voices = {one.voice: one for one in VOICES}

    @property
    def voices(self) -> Sequence[Voice]:
        """All voices; the first is the default."""
        return tuple(self._voices)

    @property
    def state(self) -> str:
        """One line for `/readyz`."""
        return f"eSpeak NG on cpu, one process for each text, {len(self._voices)} voices"

    async def start(self) -> None:
        """Load eSpeak NG in its own process. Raises EngineUnavailable with a sentence."""
        if importlib.util.find_spec("espeakng_loader") is None:
            raise EngineUnavailable(
                "SPEECH_TTS_ENGINE=espeak needs eSpeak NG (GPL-3.0-or-later), which is optional: "
                "run pip install espeakng-loader, or choose another synthesiser"
            )
        await self._engine.start()

    async def stop(self) -> None:
        """End all processes; texts being spoken get EngineUnavailable."""
        await self._engine.stop()

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        """A first chunk of 60 ms, then of 240 ms; closing the generator ends the text's process at once.

        Raises EngineUnavailable for a voice that is not in `voices`, EngineBusy when all processes are in use.
        """
        voice = self._voices.get(request.voice)
        if voice is None:
            raise EngineUnavailable(f"There is no voice {request.voice.name!r}; ask for one of the voice list")
        text = with_capped_breaks(request.text) if request.ssml else request.text
        text, words_spelt = _spelt(_speakable(text), request.pronunciations)
        order = {
            "text": text,
            "spelt": words_spelt,
            "identifier": voice.identifier,
            "words_per_minute": round(voice.words_per_minute * request.speed),
            "ssml": request.ssml,
        }
        stream = await self._engine.open()
        try:
            await stream.send(SPEAK, json.dumps(order).encode())
            words: tuple[Word, ...] = ()
            while True:
                kind, payload = await stream.receive()
                if kind == DONE:
                    return
                if kind == WORDS:
                    words = unpack_words(payload)
                else:
                    yield SpokenChunk(payload, words)
        finally:
            self._engine.release(stream)


def _spelt(text: str, pronunciations: tuple[tuple[str, str], ...]) -> tuple[str, list[str]]:
    """The text with phonemes in place of words, and those words. Raises BadRequest for phonemes it can't say."""
    if not pronunciations:
        return text, []
    return substitute(text.replace("[[", "  "), pronunciations, spell)


def _speakable(text: str) -> str:
    """The text with each control character as a space, so that positions in it stay what they were."""
    return "".join(" " if ord(character) < 32 else character for character in text)
