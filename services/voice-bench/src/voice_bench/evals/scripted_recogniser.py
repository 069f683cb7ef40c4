"""What does the recogniser of a scenario say? What the caller's audio holds, as late and as wrong as the script says.

Riva's wire, on a scripted channel. The audio that comes is looked up in the caller's microphone, so a stream that is
opened anew and sent the same audio again hears the same words again.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import grpc
from riva.client.proto import riva_asr_pb2 as riva

from voice_bench.evals.microphone import RATE_HZ, Microphone, Sound, SoundWord, spread
from voice_bench.evals.moments import Moments
from voice_bench.evals.scenario import Outage, RecogniserScript, RecordedResult
from voice_bench.evals.scripted_channel import ScriptedCall

_STOP_HISTORY_S = 0.8
"""Riva's own, where the gateway asks for none."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a stream's audio; `sample` is where it lies in the caller's, None = it is silence of the gateway."""

    stream_s: float
    sample: int | None
    samples: int


class RecogniserServer:
    """One server of the recogniser."""

    def __init__(self, script: RecogniserScript, number: int, microphone: Microphone, moments: Moments) -> None:
        self.script = script
        self.microphone = microphone
        self.moments = moments
        self.calls: list[ScriptedCall] = []
        self._outages = [outage for outage in script.outages if outage.server == number]
        self._loop = asyncio.get_running_loop()
        self.number = number

    def begin_outages(self) -> None:
        """The call begins now: from here on outages count."""
        for outage in self._outages:
            if outage.kind == "dies":
                self._loop.call_later(outage.at, self._die)

    def _die(self) -> None:
        for call in self.calls:
            call.fail(grpc.StatusCode.UNAVAILABLE)
        self.calls.clear()

    def _outage(self) -> Outage | None:
        now = self.moments.now
        return next((one for one in self._outages if one.at <= now + 1e-6 < one.at + one.lasts), None)

    @property
    def trouble(self) -> grpc.StatusCode | None:
        """What new calls end with."""
        outage = self._outage()
        return grpc.StatusCode.UNAVAILABLE if outage and outage.kind == "dies" else None

    def hangs_until(self) -> float | None:
        """The second of the call until which nothing is answered; None = it answers."""
        outage = self._outage()
        return outage.at + outage.lasts if outage and outage.kind == "hangs" else None

    async def well(self) -> None:
        """Return while it answers at all."""
        while (until := self.hangs_until()) is not None:
            if until == inf:
                await asyncio.Event().wait()
            await asyncio.sleep(until - self.moments.now)

    def begin(self, call: ScriptedCall) -> "RecognisedStream":
        """A new stream."""
        self.calls.append(call)
        self.moments.note("recogniser opened", reason=f"server {self.number}")
        return RecognisedStream(self, call)


class RecognisedStream:  # size: one stream's audio, and what was said of it
    """One stream: audio in, results out."""

    def __init__(self, server: RecogniserServer, call: ScriptedCall) -> None:
        self._server = server
        self._script = server.script
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._pieces: list[_Piece] = []
        self._waiting: deque[tuple[bytes, bool]] = deque()
        """Audio that it has not got to."""
        self._stream_s = 0.0
        self._begins_at: int | None = None
        """The first sample of the caller's that it was sent."""
        self._until = 0
        """The sample after the last one of the caller's."""
        self._silence_s = 0.0
        """Of the gateway's own, since the last audio of the caller's."""
        self._settled = 0
        """The sample up to which finals stand."""
        self._partial_at_s = 0.0
        self._told_first_pass = False
        self._final_after_s = _STOP_HISTORY_S
        self._first_pass_after_s: float | None = None
        self._idle: asyncio.TimerHandle | None = None
        if self._script.results is not None:
            self._recorded(self._script.results)

    # --------------------------------------------------------------------------------------- requests

    def take(self, request: Any) -> None:
        """A message of the gateway's; it is looked at once the recogniser gets to it."""
        if self._script.idle_limit is not None:
            if self._idle:
                self._idle.cancel()
            self._idle = self._loop.call_later(self._script.idle_limit, self._idled)
        if request.HasField("streaming_config"):
            self._configure(request.streaming_config.config.endpointing_config)
            return
        force = request.runtime_config.get("force_eou") == "true"
        self._later(self._script.delay, request.audio_content, force)

    def half_closed(self) -> None:
        """The gateway never does that."""

    def over(self) -> None:
        """Nothing more is said."""
        if self._idle:
            self._idle.cancel()
        if self._call in self._server.calls:
            self._server.calls.remove(self._call)

    def _idled(self) -> None:
        """Riva ends a stream that brings no audio for long."""
        self._call.fail(grpc.StatusCode.DEADLINE_EXCEEDED, "no audio came for too long")

    def _configure(self, endpointing: Any) -> None:
        asked_s = endpointing.stop_history / 1000 or _STOP_HISTORY_S
        self._final_after_s = self._script.final_after if self._script.final_after is not None else asked_s
        first_pass_s = endpointing.stop_history_eou / 1000 or None
        self._first_pass_after_s = (
            self._script.first_pass_after if self._script.first_pass_after is not None else first_pass_s
        )

    def _later(self, delay_s: float, audio: bytes, force: bool) -> None:
        self._waiting.append((audio, force))
        self._loop.call_later(delay_s, self._hear)

    def _hear(self) -> None:
        """The oldest of what waits: timers of the same moment come in any order."""
        if self._call.done() or self._script.results is not None:
            return
        if (until := self._server.hangs_until()) is not None:
            if until < inf:
                self._loop.call_later(until - self._server.moments.now, self._hear)
            return
        audio, force = self._waiting.popleft()
        self._place(audio)
        self._judge(force)

    def _place(self, audio: bytes) -> None:
        samples = len(audio) // 2
        if not samples:
            return
        found = self._server.microphone.find(audio, self._until if self._pieces else None)
        self._pieces.append(_Piece(self._stream_s, found, samples))
        self._stream_s += samples / RATE_HZ
        if found is None:
            self._silence_s += samples / RATE_HZ
            return
        if self._begins_at is None:
            self._begins_at = self._settled = found
        self._until, self._silence_s = found + samples, 0.0

    # ---------------------------------------------------------------------------------------- results

    def _judge(self, force: bool) -> None:
        microphone = self._server.microphone
        words = microphone.words(self._settled, self._until)
        silent_s = (self._until - microphone.silent_since(self._until)) / RATE_HZ + self._silence_s
        if not words:
            return
        if self._script.finals and (force or silent_s >= self._final_after_s):
            self._finish(words)
        elif self._first_pass_after_s is not None and silent_s >= self._first_pass_after_s:
            if not self._told_first_pass:
                self._told_first_pass = True
                self._say(self._partial(words), final=False, stability=1.0)
        elif self._script.partials and self._stream_s - self._partial_at_s >= self._script.partials - 1e-6:
            self._partial_at_s = self._stream_s
            self._told_first_pass = False
            self._say(self._partial(words), final=False, stability=self._script.stability)

    def _partial(self, words: Sequence[tuple[Sound, SoundWord]]) -> str:
        return " ".join(word.text for _, word in words)

    def _finish(self, words: Sequence[tuple[Sound, SoundWord]]) -> None:
        text, timed = _final(words)
        self._settled, self._told_first_pass = self._until, False
        infos = [self._info(word) for word in timed] if self._script.word_times else []
        processed_s = self._stream_s
        self._loop.call_later(
            self._script.final_delay, lambda: self._say(text, final=True, words=infos, processed_s=processed_s)
        )

    def _info(self, word: SoundWord) -> riva.WordInfo:
        start_ms, end_ms = round(self._at_ms(word.first)), round(self._at_ms(word.last))
        return riva.WordInfo(word=word.text, start_time=start_ms, end_time=end_ms, confidence=1.0)

    def _at_ms(self, sample: int) -> float:
        """Where a sample of the caller's lies in this stream."""
        for piece in reversed(self._pieces):
            if piece.sample is not None and piece.sample <= sample:
                return 1000 * (piece.stream_s + min(sample - piece.sample, piece.samples) / RATE_HZ)
        return 0.0

    def _say(
        self,
        text: str,
        *,
        final: bool,
        stability: float = 0.0,
        words: Sequence[riva.WordInfo] = (),
        processed_s: float | None = None,
    ) -> None:
        best = [riva.SpeechRecognitionAlternative(transcript=text, words=words)] if text else []
        result = riva.StreamingRecognitionResult(
            alternatives=best,
            is_final=final,
            stability=stability,
            audio_processed=self._stream_s if processed_s is None else processed_s,
        )
        self._call.answer(riva.StreamingRecognizeResponse(results=[result]))

    def _recorded(self, results: Sequence[RecordedResult]) -> None:
        """Say these, at their times."""
        now = self._server.moments.now
        for result in results:
            until_s = result.at if result.until is None else min(result.until, result.at)
            if result.at < now:
                continue
            say = partial(self._say, final=result.final, stability=result.stability, processed_s=max(0.001, until_s))
            self._loop.call_later(result.at - now, say, result.text)


def _final(words: Sequence[tuple[Sound, SoundWord]]) -> tuple[str, list[SoundWord]]:
    """What the final says of these words, with times: of a sound that is whole in it, its final text."""
    texts: list[str] = []
    timed: list[SoundWord] = []
    sounds = list(dict.fromkeys(id(sound) for sound, _ in words))
    for one in sounds:
        own = [(sound, word) for sound, word in words if id(sound) == one]
        sound = own[0][0]
        if sound.final and len(own) == len(sound.words):
            texts.append(sound.final)
            voiced = [(first, last) for first, last in sound.voiced if last > first]
            timed += spread(sound.final, voiced)
        else:
            texts.append(" ".join(word.text for _, word in own))
            timed += [word for _, word in own]
    return " ".join(text for text in texts if text), timed
