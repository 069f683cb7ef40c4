"""How does the server speak with a neural voice? Phrase by phrase: eSpeak's phonemes, Kokoro's sound."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pcm import SAMPLE_BYTES, duration_s, silence

from speech_server.core.asr.asr_types import Word
from speech_server.core.tts.pronunciations import substitute
from speech_server.core.tts.ssml import phrases
from speech_server.core.tts.text_chunking import Phrase, cut
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice
from speech_server.engines.onnx.loader import load_in_thread
from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.tts.espeak.phonemiser import EspeakPhonemiser
from speech_server.engines.tts.kokoro.model import KokoroModel
from speech_server.engines.tts.kokoro.model_files import RATE_HZ, KokoroFiles, read_folder
from speech_server.engines.tts.kokoro.symbols import numbers, symbols
from speech_server.engines.tts.kokoro.voices import KokoroVoice, voices_of
from speech_server.errors import EngineUnavailable

CHUNK_S = 0.2
"""Audio is handed on in chunks of this length."""
_PHONEMES = re.compile(r"\[\[(.*?)\]\]")
_END = re.compile(r"[.,;:!?…—।]+[\"')\]]*$")


@dataclass(frozen=True, slots=True)
class KokoroSetup:
    """Where the model lies and how it is run."""

    folder: Callable[[], Path]
    """Blocking: finds or fetches the model's folder. Raises EngineUnavailable."""
    precision: Precision = "int8"
    threads: int = 0
    phrase_limit_s: float = 30.0


class KokoroSynthesiser:
    """The neural voices. Word times are shares of their phrase's length: the model tells none."""

    def __init__(self, setup: KokoroSetup) -> None:
        self._setup = setup
        self._phonemiser = EspeakPhonemiser()
        self._files: KokoroFiles | None = None
        self._model: KokoroModel | None = None
        self._voices: dict[Voice, KokoroVoice] = {}

    @property
    def voices(self) -> Sequence[Voice]:
        """Those whose files are there; none before `start`."""
        return tuple(self._voices)

    @property
    def state(self) -> str:
        """One line for `/readyz`."""
        if self._files is None:
            return "not loaded"
        return f"kokoro {self._setup.precision} on cpu, {len(self._voices)} voices"

    async def start(self) -> None:
        """Find or fetch the model, load it, say a word. Raises EngineUnavailable with a sentence."""
        await self._phonemiser.start()
        files, self._model = await load_in_thread("kokoro", self._load)
        self._files = files
        self._voices = {one.voice: one for one in voices_of(files.styles)}
        if not self._voices:
            raise EngineUnavailable("The model's folder holds no voice of a language that is spoken here.")
        async for _ in self.speak(SpeechRequest("ready", self.voices[0])):
            pass

    async def stop(self) -> None:
        """Free model, thread and processes."""
        await self._phonemiser.stop()
        if self._model is not None:
            await asyncio.to_thread(self._model.close)
            self._model = None

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        """Audio of one phrase after another, each made while the one before is listened to."""
        known, files, model = self._voices.get(request.voice), self._files, self._model
        if known is None or files is None or model is None:
            raise EngineUnavailable(f"There is no voice {request.voice.name!r}; ask for one of the voice list")
        spelt = {ipa: word for word, ipa in request.pronunciations}
        at_s = 0.0
        for phrase in _phrases(request):
            inputs = await self._inputs(phrase, known, files)
            speed = min(4.0, max(0.25, phrase.speed * request.speed))
            styles = files.styles[known.style]
            pcm16 = b""
            if inputs:
                pcm16 = await model.speak(inputs, styles, speed, self._setup.phrase_limit_s)
            pcm16 += silence(phrase.pause_s, RATE_HZ)
            shown = _PHONEMES.sub(lambda found: spelt.get(found[1], found[1]), phrase.text)
            words = _words(shown, at_s, duration_s(pcm16, RATE_HZ) - phrase.pause_s)
            for chunk in _chunks(pcm16, words, at_s):
                yield chunk
            at_s += duration_s(pcm16, RATE_HZ)

    def _load(self) -> tuple[KokoroFiles, KokoroModel]:
        files = read_folder(self._setup.folder(), self._setup.precision)
        return files, KokoroModel(files.model, self._setup.threads)

    async def _inputs(self, phrase: Phrase, voice: KokoroVoice, files: KokoroFiles) -> list[int]:
        # Odd pieces are phonemes already.
        pieces = _PHONEMES.split(phrase.text)
        made = await self._phonemiser.phonemes(pieces[::2], voice.identifier)
        spoken = [ipa for pair in zip(made, [*pieces[1::2], ""], strict=True) for ipa in pair]
        end = _END.search(phrase.text)
        said = " ".join(ipa.strip() for ipa in spoken if ipa.strip())
        return numbers(symbols(said, voice.voice.language) + (end[0] if end else ""), files.vocabulary)


def _phrases(request: SpeechRequest) -> list[Phrase]:
    text = request.text if request.ssml else request.text.replace("[[", "  ")
    if request.pronunciations:
        text, _ = substitute(text, request.pronunciations, lambda ipa: f"[[{ipa}]]")
    return phrases(text) if request.ssml else [Phrase(piece) for piece in cut(text)]


def _words(text: str, at_s: float, length_s: float) -> list[Word]:
    letters = max(1, sum(len(word) + 1 for word in text.split()))
    words: list[Word] = []
    for word in text.split():
        end_s = at_s + length_s * (len(word) + 1) / letters
        words.append(Word(word, round(at_s, 3), round(end_s, 3)))
        at_s = end_s
    return words


def _chunks(pcm16: bytes, words: Sequence[Word], began_s: float) -> list[SpokenChunk]:
    size = round(CHUNK_S * RATE_HZ) * SAMPLE_BYTES
    chunks: list[SpokenChunk] = []
    for at in range(0, len(pcm16), size):
        start_s = began_s + at / SAMPLE_BYTES / RATE_HZ
        begun = tuple(word for word in words if start_s <= word.start_s < start_s + CHUNK_S)
        chunks.append(SpokenChunk(pcm16[at : at + size], begun))
    return chunks
