"""How does audio become utterances? Voice activity cuts them out, the engine hears them, silence never reaches it."""

import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from pcm import SAMPLE_BYTES

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.endpointer import EndExpected, Endpointer, Endpointing, Fact, Started, Stopped
from speech_server.core.asr.pause_detector import PauseDetector
from speech_server.interfaces import SpeculativeUtterances, UtteranceObserver, Utterances, VoiceActivity

DECODE_S, DECODE_BEHIND_S = 0.03, 1.0
"""The engine gets audio as the detector scores it; when it is behind, up to a second at once, which costs it less."""
_SCORES_S = 30.0
"""Scores nobody takes are forgotten after this long."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What the open utterance is believed to be; `ending` after the shorter silence."""

    hypothesis: Hypothesis
    ending: bool = False


@dataclass(frozen=True, slots=True)
class Final:
    """What an utterance was. Its words' times count from `start_s` of the stream; `stopped_at` is time.monotonic()."""

    hypothesis: Hypothesis
    start_s: float
    stopped_at: float
    engine_s: float = 0.0
    """How long the engine worked on it."""
    audio_s: float = 0.0
    """How much of it the engine heard."""


TranscriptEvent = Partial | Final


class UtteranceSegmenter:  # size: sample counts of one stream, which move together
    """One stream of audio. `push` in order, then `finish`."""

    def __init__(
        self,
        utterances: Utterances,
        activity: VoiceActivity,
        rules: Endpointing,
        pre_roll_s: float,
        longest_utterance_s: float,
    ) -> None:
        self._utterances = utterances
        self._activity = activity
        self._endpointer = Endpointer(rules, activity.frame_s)
        self._speculative = utterances if isinstance(utterances, SpeculativeUtterances) else None
        self._pause = PauseDetector(activity.frame_s, rules.offset)
        self._frame = round(activity.frame_s * ASR_RATE_HZ)
        self._pre_roll = round(pre_roll_s * ASR_RATE_HZ)
        self._keep = round(rules.start_history_s * ASR_RATE_HZ) + self._pre_roll + self._frame
        self._longest = round(longest_utterance_s * ASR_RATE_HZ)
        self._audio = bytearray()
        # Sample numbers since the stream began.
        self._base = 0
        self._scored = 0
        self._decoded = 0
        self._began = 0
        self._processed = 0
        self.engine_s = 0.0
        """How long the engine has worked on the stream."""
        self._engine_before_s = 0.0
        self._scores: deque[float] = deque(maxlen=round(_SCORES_S / activity.frame_s))

    @property
    def in_utterance(self) -> bool:
        """Is an utterance open?"""
        return self._endpointer.in_speech

    @property
    def began_s(self) -> float:
        """Where the utterance that began last begins, in seconds of the stream, its pre-roll included."""
        return self._began / ASR_RATE_HZ

    @property
    def processed_s(self) -> float:
        """Seconds of the stream that need no more work: decoded, or known to be silence. Never goes back."""
        # An utterance begins in audio that had passed for silence (pre-roll): until it is decoded, nothing is new.
        self._processed = max(self._processed, self._decoded if self.in_utterance else self._scored)
        return self._processed / ASR_RATE_HZ

    async def push(
        self, pcm16: bytes, arrived_at: float, waiting_s: float = 0.0
    ) -> AsyncGenerator[TranscriptEvent, None]:
        """What this audio brought; `waiting_s` of further audio wait behind it."""
        self._audio += pcm16
        for probability in await self._activity.score(pcm16):
            self._scored += self._frame
            self._scores.append(probability)
            fact = self._endpointer.push(probability)
            if fact is not None:
                async for event in self._follow(fact, arrived_at):
                    yield event
            else:
                await self._look_ahead(probability)
            if fact is None and self.in_utterance and self._scored - self._began >= self._longest:
                self._endpointer.reset()
                yield await self._close(arrived_at)
        if not self.in_utterance:
            self._forget(self._scored - self._keep)
        elif self._scored - self._decoded >= min(max(DECODE_S, waiting_s), DECODE_BEHIND_S) * ASR_RATE_HZ:
            yield Partial(await self._decode())

    def take_scores(self) -> list[float]:
        """The detector's scores since the last call, of half a minute at most, oldest first."""
        taken = list(self._scores)
        self._scores.clear()
        return taken

    async def force_end(self, now: float) -> Final:
        """End the utterance here; an empty final when none is open, so that the caller need not wait in vain."""
        if not self.in_utterance:
            return Final(Hypothesis(""), self.processed_s, now)
        self._endpointer.reset()
        return await self._close(now)

    async def finish(self, now: float) -> Final | None:
        """The stream is over: the last utterance, if one is open."""
        rest = self._base + len(self._audio) // SAMPLE_BYTES
        was_open = self.in_utterance
        self._scored = max(self._scored, rest)
        return await self.force_end(now) if was_open else None

    async def _follow(self, fact: Fact, arrived_at: float) -> AsyncGenerator[TranscriptEvent, None]:
        match fact:
            case Started(first_frame):
                first = first_frame * self._frame - self._pre_roll
                # Never back into the utterance before: its end is decoded.
                self._began = self._decoded = max(first, self._decoded, self._base)
                self._engine_before_s = self.engine_s
                self._pause.reset()
            case EndExpected():
                hypothesis = await self._decode()
                if self._speculative is not None:
                    hypothesis = await self._speculative.expected()
                yield Partial(hypothesis, ending=True)
            case Stopped():
                if isinstance(self._utterances, UtteranceObserver):
                    self._utterances.stopped(arrived_at)
                yield await self._close(arrived_at)

    async def _look_ahead(self, probability: float) -> None:
        if self._speculative is None or not self.in_utterance:
            return
        match self._pause.push(probability):
            case "paused":
                await self._decode()
                self._speculative.paused()
            case "resumed":
                self._speculative.resumed()

    async def _decode(self) -> Hypothesis:
        start, end = (at - self._base for at in (self._decoded, self._scored))
        pcm16 = bytes(self._audio[start * SAMPLE_BYTES : end * SAMPLE_BYTES])
        began = time.monotonic()
        hypothesis = await self._utterances.accept(pcm16)
        self.engine_s += time.monotonic() - began
        self._decoded = self._scored
        self._forget(self._decoded)
        return hypothesis

    async def _close(self, stopped_at: float) -> Final:
        if self._scored > self._decoded:
            await self._decode()
        began = time.monotonic()
        hypothesis = await self._utterances.finish()
        self.engine_s += time.monotonic() - began
        engine_s = self.engine_s - self._engine_before_s
        audio_s = (self._decoded - self._began) / ASR_RATE_HZ
        return Final(hypothesis, self._began / ASR_RATE_HZ, stopped_at, engine_s, audio_s)

    def _forget(self, before: int) -> None:
        dropped = before - self._base
        if dropped > 0:
            del self._audio[: dropped * SAMPLE_BYTES]
            self._base = before
