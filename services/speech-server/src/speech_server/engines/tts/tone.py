"""What does the tone synthesiser say? A tone for every word, as long as its letters ask for.

Faults: `silent` ends without audio, `stall` never begins, `unavailable` fails. The first `fault_after` requests are
spared; the fault strikes `fault_times` times (0: always).
"""

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pcm import SAMPLE_BYTES, duration_s

from speech_server.core.asr.asr_types import Word
from speech_server.core.tts.ssml import spoken_words
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice
from speech_server.engines.pacing import sleep_until
from speech_server.engines.spec import TtsSpec
from speech_server.errors import EngineUnavailable
from speech_server.settings import Settings
from speech_server.timeline import Timeline

LETTER_S, GAP_S = 0.06, 0.06
"""Five letters and a gap are 360 ms: 167 words a minute, a brisk speaker."""
FIRST_CHUNK_S, CHUNK_S = 0.08, 0.2
LEVEL = 0.25
"""Peak, part of full scale."""


@dataclass(frozen=True, slots=True)
class ToneScript:
    """How fast, and what goes wrong."""

    first_chunk_s: float = 0.08
    """Text to first audio."""
    rtf: float = 0.0
    """Making time by audio time after the first chunk; 0 = at once."""
    rate_hz: int = 22_050
    fault: str = "none"
    fault_after: int = 0
    fault_times: int = 0


class ToneSynthesiser:
    """A synthesiser that costs nearly nothing."""

    def __init__(self, script: ToneScript, timeline: Timeline) -> None:
        self._script = script
        self._timeline = timeline
        self._requests = 0
        self._struck = 0

    @property
    def voices(self) -> Sequence[Voice]:
        """Two names for one tone."""
        rate_hz = self._script.rate_hz
        return (Voice("English-US.Female-1", "en-US", rate_hz), Voice("English-US.Male-1", "en-US", rate_hz))

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to free."""

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        """Chunks, each at its due time."""
        arrived_at = time.monotonic()
        self._timeline.note("tts.request", arrived_at, text=request.text)
        if await self._silenced():
            return
        due = arrived_at + self._script.first_chunk_s
        first = True
        text = spoken_words(request.text) if request.ssml else request.text
        for chunk in cut(*tones(text, request.voice, request.speed), request.voice.rate_hz):
            await sleep_until(due)
            if first:
                self._timeline.note("tts.first_chunk", text=request.text)
                first = False
            yield chunk
            due += self._script.rtf * duration_s(chunk.pcm16, request.voice.rate_hz)

    async def _silenced(self) -> bool:
        self._requests += 1
        script = self._script
        spared = self._requests <= script.fault_after
        worn_out = script.fault_times and self._struck >= script.fault_times
        if script.fault == "none" or spared or worn_out:
            return False
        self._struck += 1
        if script.fault == "stall":
            await asyncio.Event().wait()
        if script.fault == "unavailable":
            raise EngineUnavailable("The tone synthesiser is unavailable, as its script says.")
        return True


LONGEST_KEPT = 40
"""Letters of a word whose tone is remembered."""


def tones(text: str, voice: Voice, speed: float = 1.0) -> tuple[bytes, tuple[Word, ...]]:
    """The whole audio of a text and its words' exact times."""
    parts: list[bytes] = []
    words: list[Word] = []
    at = 0
    for word in text.split():
        # A long "word" has megabytes: not kept.
        make = _tone if len(word) <= LONGEST_KEPT else _tone.__wrapped__
        tone = make(word, voice.rate_hz, LETTER_S / speed)
        length = len(tone) // SAMPLE_BYTES
        words.append(Word(word, at / voice.rate_hz, (at + length) / voice.rate_hz))
        gap = round(GAP_S / speed * voice.rate_hz)
        parts += [tone, bytes(gap * SAMPLE_BYTES)]
        at += length + gap
    return b"".join(parts), tuple(words)


def cut(pcm16: bytes, words: Sequence[Word], rate_hz: int) -> list[SpokenChunk]:
    """A small first chunk, larger later ones, each with the words that begin in it."""
    chunks: list[SpokenChunk] = []
    at, size = 0, round(FIRST_CHUNK_S * rate_hz) * SAMPLE_BYTES
    while at < len(pcm16):
        begin_s, end_s = (byte / SAMPLE_BYTES / rate_hz for byte in (at, at + size))
        begun = tuple(word for word in words if begin_s <= word.start_s < end_s)
        chunks.append(SpokenChunk(pcm16[at : at + size], begun))
        at, size = at + size, round(CHUNK_S * rate_hz) * SAMPLE_BYTES
    return chunks


@lru_cache(maxsize=4096)
def _tone(word: str, rate_hz: int, letter_s: float) -> bytes:
    """The same word always sounds the same; soft edges, so that it doesn't click."""
    letters = max(2, sum(character.isalnum() for character in word))
    hertz = 200 + zlib.crc32(word.lower().encode()) % 600
    times = np.arange(round(letters * letter_s * rate_hz)) / rate_hz
    edge = np.clip(np.minimum(times, times[::-1]) / 0.005, 0, 1)
    wave = LEVEL * 32767 * edge * np.sin(2 * np.pi * hertz * times)
    return wave.astype("<i2").tobytes()


def build(settings: Settings, timeline: Timeline) -> ToneSynthesiser:
    """The engine."""
    chosen = settings.script
    script = ToneScript(
        first_chunk_s=chosen.tone_first_chunk_ms / 1000,
        rtf=chosen.tone_rtf,
        rate_hz=chosen.tone_rate_hz,
        fault=chosen.tone_fault,
        fault_after=chosen.tone_fault_after,
        fault_times=chosen.tone_fault_times,
    )
    return ToneSynthesiser(script, timeline)


SPEC = TtsSpec(build)
