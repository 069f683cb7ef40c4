"""One transcription stream from admit to close: audio in, partials and finals out, no turns and no replies.

It hears as a call does (recogniser, detector and watchdog are those of `caller_input`), and ends with everything heard:
a caller who ends, an idle one, one who is at the longest duration and one whose gateway drains get their last final.
"""

import asyncio
import logging
from dataclasses import replace
from math import inf

from structlog.contextvars import bind_contextvars

from voice_gateway.core.events import (
    INPUT_RATE_HZ,
    CallEnded,
    Caller,
    EndReason,
    Failed,
    Failure,
    GoAway,
    SessionEvent,
    Transcribed,
    TurnChanged,
    TurnKind,
)
from voice_gateway.core.interim_pacing import InterimPacing
from voice_gateway.core.transcription import TranscriptionOptions
from voice_gateway.core.turn_types import Heard, SpeechStarted, SpeechStopped
from voice_gateway.errors import Upstream, failed
from voice_gateway.session.call_log import CallLog
from voice_gateway.session.caller_input import CallerInput, CallerInputSettings
from voice_gateway.session.outbox import Outbox, OutboxFull
from voice_gateway.session.session import CallResources
from voice_gateway.session.turn_clock import TurnClock

log = logging.getLogger(__name__)

FLUSH_S = 10.0
"""The longest wait for the last final: long enough for another server to hear the open audio again."""
HURRIED_FLUSH_S = 1.5
"""... of a gateway that leaves."""
_MOMENT_S = 0.001
"""Less is nothing to wait for."""
_FAST_CLOCK = 0.01
"""A client's clock that is a little fast does not run ahead of ours for ever."""
_FLUSHED = (EndReason.CALLER_ENDED, EndReason.IDLE, EndReason.MAX_DURATION, EndReason.DRAINED)


class TranscriptionStream:  # size: the caller's side, the registry's side, and both listeners of the input
    """One stream. Implements the sink and the listener of `CallerInput`."""

    turn = 1
    is_replying = False
    overdue_s = 0.0

    def __init__(self, name: str, options: TranscriptionOptions, resources: CallResources, caller: Caller) -> None:
        self.name = name
        self.caller = caller
        self.options = options
        self.outbox = Outbox()
        self._resources = resources
        self._clock = resources.clock
        self._began_at = self._audio_at = self._clock()
        self._spoken_until = self._clock()
        """When the last audio that came was spoken, at the earliest: audio that is poured in takes its time."""
        self._log = CallLog(name, caller, {})
        self._log.transcription_began(options)
        self._ended: CallEnded | None = None
        self._over = asyncio.Event()
        self._pacing = InterimPacing()
        self._partial_came = asyncio.Event()
        self._is_speaking = resources.detector is None
        """Without a detector whoever has an open partial counts as speaking."""
        self._speech_began_at: float | None = None
        """When the speech of the open utterance began; None = it has not."""
        self._caller_input = CallerInput(
            resources.recogniser.open(options.recognition),
            resources.detector,
            CallerInputSettings(resources.gate_policies, _final_after_s(options, resources), options.max_lag_s),
            self,
            self,
            self._clock,
            TurnClock(self._clock),
        )

    @property
    def age_s(self) -> float:
        """Seconds since the stream began."""
        return self._clock() - self._began_at

    @property
    def received_s(self) -> float:
        """Audio taken so far."""
        return self._caller_input.received_s

    @property
    def behind_s(self) -> float:
        """Audio that waits for the recogniser."""
        return self._caller_input.behind_s

    # -------------------------------------------------------------------------------- what a caller does

    def push(self, pcm16: bytes) -> None:
        """Audio, PCM16 at INPUT_RATE_HZ. Never blocks."""
        self._audio_at = self._clock()
        length_s = (1 - _FAST_CLOCK) * len(pcm16) / 2 / INPUT_RATE_HZ
        self._spoken_until = max(self._clock(), self._spoken_until + length_s)
        try:
            self._caller_input.push(pcm16, self._spoken_until)
        except Upstream as error:
            self._fail(failed(error, fatal=True))

    def note_message(self) -> None:
        """The caller sends something: it is not idle."""
        self._audio_at = self._clock()

    def finish_utterance(self) -> None:
        """A final of what was said so far, now."""
        self._caller_input.finish_utterance()

    def hold(self, held: bool) -> None:
        """The caller's audio is held back by us, or comes again: that none comes means nothing meanwhile."""
        if held:
            self._audio_at = inf
            self._caller_input.left()
        else:
            self.note_message()
            self._caller_input.returned()

    def held_back(self, reason: str, failure: Failed) -> None:
        """The caller is told that its audio is held back, or, fatal, that it was for too long."""
        self._resources.metrics.transcriptions_held_back.labels(reason).inc()
        if failure.fatal:
            self._fail(failure)
        else:
            self.send(failure)

    def end(self, reason: EndReason, sentence: str = "") -> None:
        """Hang up, after the last final where somebody waits for it. The first reason counts."""
        if self._ended is None or reason is EndReason.FAILED:
            self._ended = CallEnded(reason, sentence)
        self._over.set()

    # ------------------------------------------------------------------- what the input tells (InputSink)

    def post(self, fact: SpeechStarted | SpeechStopped | Heard) -> None:
        """No turn machine wants to know."""

    def send(self, event: SessionEvent) -> None:
        """Something the caller should know; partials wait for their moment."""
        if isinstance(event, Transcribed) and not event.final:
            self._pacing = self._pacing.heard(event)
            self._partial_came.set()
            return
        if isinstance(event, Transcribed):
            self._pacing, self._speech_began_at = InterimPacing(), None
        elif isinstance(event, TurnChanged) and self._resources.detector:
            self._is_speaking = event.kind is TurnKind.SPEECH_STARTED
            if self._is_speaking and self._speech_began_at is None:
                self._speech_began_at = self._caller_input.speech_began_at
            self._partial_came.set()
        elif isinstance(event, Failed):
            self._resources.metrics.failures.labels(event.failure.value).inc()
        self._put(event)

    def speech_paused(self) -> None:
        """Nobody prepares a reply."""

    def words_lost(self) -> None:
        """The caller was told by the failure."""

    def link_stalled(self, stalled: bool) -> None:
        """No turn has to wait."""

    # ---------------------------------------------------------------------------------------- its life

    async def run(self) -> EndReason:
        """Hold the stream until it is over."""
        bind_contextvars(session=self.name)
        ended = CallEnded(EndReason.FAILED)
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen(), name=f"{self.name} hearing")
                background = [
                    tasks.create_task(self._caller_input.watch(), name=f"{self.name} silence"),
                    tasks.create_task(self._send_partials(), name=f"{self.name} partials"),
                    tasks.create_task(self._watch_limits(), name=f"{self.name} limits"),
                ]
                ended = await self._until_over(listening)
                for task in (listening, *background):
                    task.cancel()
        except* Exception as group:
            log.exception("transcription %s failed", self.name, exc_info=group)
            self.send(Failed(Failure.INTERNAL, "the gateway failed; connect again", True, fatal=True))
        self._put(ended)
        return ended.reason

    async def _listen(self) -> None:
        try:
            await self._caller_input.run()
        except Upstream as error:
            self._fail(failed(error, fatal=True))

    async def _until_over(self, listening: asyncio.Task[None]) -> CallEnded:
        await self._over.wait()
        reason = self._ended.reason if self._ended else EndReason.FAILED
        if reason in _FLUSHED:
            await self._flush(listening, HURRIED_FLUSH_S if reason is EndReason.DRAINED else FLUSH_S)
        return self._ended or CallEnded(EndReason.FAILED)

    async def _flush(self, listening: asyncio.Task[None], within_s: float) -> None:
        """Let the recogniser say what is left."""
        self._caller_input.close_input()
        if not (await asyncio.wait({listening}, timeout=within_s))[0]:
            sentence = f"speech recognition did not finish within {within_s:g} s; the last words may be missing"
            self.send(Failed(Failure.ASR_TIMEOUT, sentence, retryable=True))
        if self._pacing.latest and self.options.interim:  # nothing comes after it: what is known is told
            self._put(self._pacing.latest)

    async def _send_partials(self) -> None:
        """Partials at their moments, until cancelled."""
        while True:
            self._partial_came.clear()
            due_at = self._pacing.due_at(self.options.interim_s, is_speaking=self._is_speaking)
            wait_s = None if due_at is None or not self.options.interim else max(0.0, due_at - self._clock())
            if wait_s is None or wait_s > _MOMENT_S:
                try:
                    async with asyncio.timeout(wait_s):
                        await self._partial_came.wait()
                except TimeoutError:
                    pass
            elif latest := self._pacing.latest:
                self._tell_partial(latest)

    def _tell_partial(self, latest: Transcribed) -> None:
        now = self._clock()
        if self._pacing.told_at is None and self._speech_began_at is not None:
            self._resources.metrics.first_partial.observe(max(0.0, now - self._speech_began_at))
        if self._pacing.is_told:
            latest = replace(latest, last_sample=round(self.received_s * INPUT_RATE_HZ))
        self._pacing = self._pacing.told(now)
        self._put(latest)

    async def _watch_limits(self) -> None:
        """An idle stream, and one that is too long, is ended."""
        resources = self._resources
        ends_at = self._began_at + resources.max_session_s
        tells_at = ends_at - resources.go_away_before_s if resources.go_away_before_s else ends_at
        while self._ended is None:
            now = self._clock()
            idle_at = self._audio_at + self.options.idle_s
            if now >= ends_at:
                self.end(EndReason.MAX_DURATION, f"the longest duration of a stream is {resources.max_session_s:g} s")
            elif now >= idle_at:
                self.end(EndReason.IDLE, f"nothing came for {self.options.idle_s:g} s")
            elif now >= tells_at:
                self.send(GoAway("MAX_DURATION", ends_at - now))
                tells_at = ends_at
            else:
                # While the audio is held back it is never idle; when that is over, idleness begins anew.
                await asyncio.sleep(min(idle_at, ends_at, tells_at, now + self.options.idle_s) - now)

    def _fail(self, failure: Failed) -> None:
        if self._ended is None or self._ended.reason is not EndReason.FAILED:
            self.send(failure)
            self.end(EndReason.FAILED, failure.sentence)

    def _put(self, event: SessionEvent) -> None:
        self._log.record(event, self.age_s)
        try:
            self.outbox.put(event)
        except OutboxFull:
            self.end(EndReason.FAILED, "the client reads too slowly")


def _final_after_s(options: TranscriptionOptions, resources: CallResources) -> tuple[float, ...]:
    own_ms = options.recognition.stop_history_ms
    return (own_ms / 1000,) if own_ms else resources.final_after_s
