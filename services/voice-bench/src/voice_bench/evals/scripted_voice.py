"""How does the voice of a scenario sound? Every sample of its audio says which word it belongs to.

Riva's wire, on a scripted channel. All samples of a word hold its number, the last one the negative of it, so that
what a caller has really heard can be read off the audio, however it was cut.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from riva.client.proto import riva_tts_pb2 as riva

from voice_bench.evals.moments import Moments
from voice_bench.evals.scenario import VoiceFault, VoiceScript
from voice_bench.evals.scripted_channel import ScriptedCall
from voice_bench.evals.speech_timing import timed

_FIRST_NUMBER = 200
"""Louder than what a client takes for silence."""
_LAST_NUMBER = 32_000
_FAILURES = {"dies": grpc.StatusCode.UNAVAILABLE, "refuses": grpc.StatusCode.INVALID_ARGUMENT}


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a phrase that was spoken."""

    text: str
    phrase: int
    place: int
    """Of the word in its phrase."""


class Voice:
    """The server. Knows every word that it ever spoke, by its number."""

    def __init__(self, script: VoiceScript, moments: Moments) -> None:
        self.script = script
        self.trouble: grpc.StatusCode | None = None
        self.words: dict[int, SpokenWord] = {}
        self._moments = moments
        self._calls: Counter[str] = Counter()
        self._phrases: dict[str, int] = {}
        self._next = _FIRST_NUMBER

    async def well(self) -> None:
        """It always answers."""

    def begin(self, call: ScriptedCall) -> "SpokenPhrase":
        """A new call, for one phrase."""
        return SpokenPhrase(self, call)

    def asked(self, text: str) -> VoiceFault | None:
        """A phrase is asked for; what goes wrong with it."""
        first = self._calls[text] == 0
        number = self._phrases.setdefault(text, len(self._phrases) + 1)
        self._calls[text] += 1
        if first:
            self._moments.note("phrase spoken", text)
        return next(
            (one for one in self.script.faults if one.phrase <= number and self._meets(one, number, text)), None
        )

    def _meets(self, fault: VoiceFault, number: int, text: str) -> bool:
        before = sum(calls for other, calls in self._calls.items() if self._phrases[other] >= fault.phrase)
        return before <= fault.times

    def render(self, text: str, rate_hz: int) -> tuple[bytes, Sequence[tuple[str, int]]]:
        """The audio of a phrase, and its words with the sample after each."""
        pieces, ends, at = [], [], 0
        phrase = self._phrases[text]
        for place, word in enumerate(timed(text, self.script.words_per_minute)):
            end = round(word.end_s * rate_hz)
            number, self._next = self._next, self._next + 1 if self._next < _LAST_NUMBER else _FIRST_NUMBER
            self.words[number] = SpokenWord(word.text, phrase, place)
            samples = np.full(end - at, number, dtype="<i2")
            samples[-1] = -number
            pieces.append(samples.tobytes())
            ends.append((word.text, end))
            at = end
        return b"".join(pieces), ends

    def whole_words(self, pcm16: bytes) -> list[tuple[SpokenWord, int]]:
        """The words whose last sample is in this audio, with the sample after it."""
        samples = np.frombuffer(pcm16, dtype="<i2")
        ends = np.flatnonzero(samples < 0)
        return [(self.words[-int(samples[at])], int(at) + 1) for at in ends]


class SpokenPhrase:
    """One call: a phrase in, audio out."""

    def __init__(self, voice: Voice, call: ScriptedCall) -> None:
        self._voice = voice
        self._call = call
        self._request: Any = None
        self._speaking: asyncio.Task[None] | None = None

    def take(self, request: Any) -> None:
        """The phrase."""
        self._request = request

    def half_closed(self) -> None:
        """Nothing follows: it is spoken."""
        if self._request is not None:
            self._speaking = asyncio.get_running_loop().create_task(self._speak(), name="scripted voice")

    def over(self) -> None:
        """Nobody listens any more."""
        if self._speaking and self._speaking is not asyncio.current_task():
            self._speaking.cancel()

    async def _speak(self) -> None:
        text, rate_hz, script = self._request.text, self._request.sample_rate_hz, self._voice.script
        fault = self._voice.asked(text)
        audio, words = self._voice.render(text, rate_hz)
        await asyncio.sleep(script.first_audio)
        end = len(audio) if fault is None else 0 if fault.kind in ("zero audio", "refuses") else None
        if end is None:
            assert fault is not None, "only a fault cuts audio"
            end = min(len(audio), 2 * round(fault.after * rate_hz))
        step = 2 * round(script.chunk * rate_hz)
        for first in range(0, end, step):
            last = min(first + step, end)
            told = [
                riva.WordTiming(word=word, end_time=round(at / rate_hz * 1000))
                for word, at in words
                if script.word_times and first < 2 * at <= last
            ]
            meta = riva.SynthesizeSpeechResponseMetadata(words=told)
            self._call.answer(riva.SynthesizeSpeechResponse(audio=audio[first:last], meta=meta))
            await asyncio.sleep(script.chunk / script.faster)
        if fault and fault.kind in _FAILURES:
            self._call.fail(_FAILURES[fault.kind])
        elif not (fault and fault.kind == "hangs"):
            self._call.end()
