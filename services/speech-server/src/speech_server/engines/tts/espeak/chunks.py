"""How do eSpeak's buffers and events become chunks with words? Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from speech_server.core.asr.asr_types import Word
from speech_server.core.tts.tts_types import SpokenChunk
from speech_server.engines.tts.espeak.voices import RATE_HZ

FIRST_CHUNK_S = 0.05
"""Short, so that speech begins at once."""
_PHONEMES = re.compile(r"\[\[.*?\]\]")
CHUNK_S = 0.2
"""Longer, so that later speech costs few messages."""


@dataclass(frozen=True, slots=True)
class WordBegan:
    """Characters `start`..`end` of the text begin to sound at `at_s`."""

    start: int
    end: int
    at_s: float


@dataclass(frozen=True, slots=True)
class SoundEnded:
    """A clause or sentence is over at `at_s`: a pause, or nothing, follows."""

    at_s: float


Event = WordBegan | SoundEnded


class Chunks:
    """Collects one text's audio into chunks; a chunk is let go when the ends of the words that begin in it are known.

    Waiting for a word's end costs a fraction of a millisecond, as eSpeak NG makes a second of speech in one.
    """

    def __init__(self, text: str, spelt: Sequence[str] = ()) -> None:
        """`spelt`: the words whose phonemes stand in [[ ]], in order."""
        self._text = text
        places = [found.span() for found in _PHONEMES.finditer(text)] if spelt else []
        self._spelt = [(start, end, word) for (start, end), word in zip(places, spelt, strict=False)]
        self._read_to = 0
        self._audio = b""
        self._words: list[Word] = []
        self._held: list[tuple[bytes, list[Word]]] = []
        self._sounding: list[Word] | None = None
        self._due_s = FIRST_CHUNK_S

    def push(self, pcm16: bytes, events: Iterable[Event]) -> list[SpokenChunk]:
        """Take a buffer and the events in it; the chunks that may go now."""
        for event in events:
            self._note(event)
        self._audio += pcm16
        if duration_s(self._audio) >= self._due_s:
            self._cut()
        return self._let_go()

    def flush(self, end_s: float) -> list[SpokenChunk]:
        """The text is over at `end_s`: what is left."""
        self._end_word(end_s)
        if self._audio:
            self._cut()
        return self._let_go()

    def _note(self, event: Event) -> None:
        self._end_word(event.at_s)
        if isinstance(event, WordBegan) and event.start >= self._read_to:
            # eSpeak reports the parts of a number or an abbreviation one by one; the first spans them all.
            self._read_to = event.end
            text = self._text[event.start : event.end].strip()
            for start, end, word in self._spelt:
                if start <= event.start < end:
                    text, self._read_to = word, end
            if text:
                self._words.append(Word(text, round(event.at_s, 3), 0.0))
                self._sounding = self._words

    def _end_word(self, at_s: float) -> None:
        if self._sounding is not None:
            self._sounding[-1] = replace(self._sounding[-1], end_s=round(at_s, 3))
            self._sounding = None

    def _cut(self) -> None:
        self._held.append((self._audio, self._words))
        self._audio, self._words, self._due_s = b"", [], CHUNK_S

    def _let_go(self) -> list[SpokenChunk]:
        free = 0
        while free < len(self._held) and self._held[free][1] is not self._sounding:
            free += 1
        chunks = [SpokenChunk(audio, tuple(words)) for audio, words in self._held[:free]]
        del self._held[:free]
        return chunks


def duration_s(pcm16: bytes) -> float:
    """Seconds of eSpeak NG's audio."""
    return len(pcm16) / 2 / RATE_HZ
