"""What does the caller say? Audio goes to the recogniser and to the detector; facts and transcripts come out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from voice_gateway.core.absence import Arrivals, Gap
from voice_gateway.core.events import INPUT_RATE_HZ, Failed, Failure, Transcribed, TurnChanged, TurnKind
from voice_gateway.core.speech_gate import GateChange, GatePolicies, SpeechGate, gate
from voice_gateway.core.transcript import RecognitionResult, TranscriptState, update_transcript
from voice_gateway.core.turn_types import Heard, SpeechStarted, SpeechStopped
from voice_gateway.interfaces import RecognitionStream, VoiceActivityDetector
from voice_gateway.session.asr_watchdog import AsrWatchdog
from voice_gateway.session.overlap_annotation import OverlapAnnotation
from voice_gateway.session.turn_clock import TurnClock
from voice_gateway.session.turn_scoring import TurnScoring

_FINAL_WINDOW_S = 0.16
"""How far apart the detector and the recogniser may see the end of speech, and a chunk of audio on top."""
_SETTLED_AFTER_S = 1.0
"""Silence after the final of the last speech, in which a recogniser has nothing left to say."""
_ACKNOWLEDGES_S = 1.3
"""Who acknowledges does so within a second, and some time on the way."""
_LINK_BACK_S = 8.0
"""A link that stands still for longer does not come back by itself."""
_LOOK_AGAIN_S = 0.1
_PAUSE_S = 0.09
"""Silence after which the turn may be over soon: three frames."""


class InputListener(Protocol):
    """Who wants to know how the caller's audio goes on."""

    def speech_paused(self) -> None:
        """The turn may be over soon."""

    def words_lost(self) -> None:
        """The recogniser said nothing of what was spoken."""

    def link_stalled(self, stalled: bool) -> None:
        """Nothing comes from the caller, or comes again."""


class InputSink(Protocol):
    """Where facts and events go."""

    def post(self, fact: SpeechStarted | SpeechStopped | Heard) -> None:
        """For the turn machine."""

    def send(self, event: Transcribed | TurnChanged | Failed) -> None:
        """For the caller."""

    @property
    def turn(self) -> int:
        """Number of the turn that is going on."""

    @property
    def overdue_s(self) -> float:
        """How long the caller owes a sign of life."""

    @property
    def is_replying(self) -> bool:
        """Whether a reply has the floor: then speech is judged more quickly."""


@dataclass(frozen=True, slots=True)
class CallerInputSettings:
    """When speech starts and stops, when the recogniser says its final, and when it is stuck; seconds."""

    policies: GatePolicies
    final_after_s: tuple[float, ...]
    """Silences after which the recogniser says its final, or in its first pass that the utterance ends."""
    max_lag_s: float


class CallerInput:  # size: recogniser, detector and absence judge the same audio, each by what the others have seen
    """One call's input."""

    def __init__(
        self,
        stream: RecognitionStream,
        detector: VoiceActivityDetector | None,
        settings: CallerInputSettings,
        sink: InputSink,
        listener: InputListener,
        clock: Callable[[], float],
        turn_clock: TurnClock,
        scoring: TurnScoring | None = None,
        overlaps: OverlapAnnotation | None = None,
    ) -> None:
        self._stream = stream
        self._overlaps = overlaps
        self._scoring = scoring
        self._settings = settings
        self._policies = settings.policies
        self._sink = sink
        self._clock = clock
        self._listener = listener
        self._turn_clock = turn_clock
        self._paused = False
        """In a pause of speech that the listener was told of."""
        self._watchdog = AsrWatchdog(settings.max_lag_s, self)
        self._gate = SpeechGate()
        self._transcript = TranscriptState()
        self._frames = 0
        self._last_probability = 0.0
        self._arrivals = Arrivals()
        self._audio = asyncio.Event()
        """Audio comes, and the caller does not count as absent."""
        self._gap: Gap | None = None
        """Audio that was kept while the link was down, or held back by it, and may still come."""
        self._detector = detector.open(self._scored) if detector else None
        self._processed_s = inf
        """Audio the recogniser has accounted for; inf = it does not tell."""
        self.final_at = 0.0
        """When the last final came."""
        self.last_speech_sample = 0
        """The input sample after the last speech frame."""
        self._discarded_s = 0.0
        """Audio of the stream until here was taken back: what is said of it is no word of the caller's."""

    @property
    def last_speech_at(self) -> float:
        """When the last speech frame arrived: T0."""
        return self._gate.last_at

    @property
    def speech_began_at(self) -> float:
        """When the first frame of the last speech arrived."""
        return self._gate.first_at

    @property
    def is_catching_up(self) -> bool:
        """Whether audio from before now may still come, and with it the rest of a turn."""
        return self._gap is not None

    @property
    def received_s(self) -> float:
        """Seconds of audio taken so far."""
        return self._stream.received_s

    @property
    def behind_s(self) -> float:
        """Seconds of audio that wait for the recogniser."""
        return self._stream.behind_s

    @property
    def open_audio(self) -> bytes:
        """Audio no final stands for yet: what another recogniser would have to hear again."""
        return self._stream.open_audio

    @property
    def _has_open_speech(self) -> bool:
        """Whether something was said that has no final yet."""
        return bool(self._transcript.partial) or self.final_at < self._gate.last_at

    async def run(self) -> None:
        """Keep the recognition stream up until cancelled. Raises Upstream."""
        try:
            await self._stream.run(self._recognised)
        finally:
            if self._detector:
                self._detector.close()

    async def watch(self) -> None:
        """Notice, until cancelled, a recogniser that is stuck and a caller whose audio stops."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watchdog.run(), name="recogniser watch")
            tasks.create_task(self._watch_audio(), name="audio watch")

    async def _watch_audio(self) -> None:
        """A caller whose audio stops for too long is absent."""
        while True:
            await self._audio.wait()
            if (wait_s := self._stays_s()) > 0:
                await asyncio.sleep(wait_s)
            elif self._audio.is_set():
                self._audio.clear()
                self._gap = None
                self._listener.link_stalled(False)
                self._went_absent()

    def _stays_s(self) -> float:
        """How long the caller does not count as absent yet. While nothing at all comes, acknowledgements neither, the
        link stands still: then the turn clock does, too, for as long as a link may come back."""
        now = self._clock()
        if self._gap and (gap := self._gap.left(now)) is not self._gap:
            self._gap = gap
            self._listener.link_stalled(gap is not None)
        if (left_s := self._arrivals.absent_at - now) > 0:
            return min(left_s, _LOOK_AGAIN_S) if self._gap else left_s
        overdue_s = self._sink.overdue_s
        if not 0.0 < overdue_s < _LINK_BACK_S:
            return 0.0
        if overdue_s > _ACKNOWLEDGES_S:
            self._gap = self._gap or Gap(self._arrivals.last_at)
            self._listener.link_stalled(True)
        return _LOOK_AGAIN_S

    def _went_absent(self) -> None:
        """Audio that stops in the midst of speech has stopped the speech, too; what was said gets its final. The
        recogniser hears no silence from a caller who sends none, so it is asked, and sent some."""
        if self._gate.speaking:
            self._gate = replace(self._gate, speaking=False)
            self._stopped()
        has_spoken = self._has_open_speech
        if has_spoken or self._detector is None:
            self._stream.finish_utterance(in_silence=True)
        if has_spoken:
            self._watchdog.asked()
            # The recogniser was sent no silence meanwhile: the turn waits for its final as for that of a late one.
            heard_until = self._turn_clock.now() - (self._clock() - self._arrivals.last_at)
            self._sink.post(Heard("", False, until=heard_until))

    def left(self) -> None:
        """The caller's stream is gone: that no audio comes means nothing now."""
        self._audio.clear()
        if self._gap:
            self._gap = replace(self._gap, watched_at=None)
        elif self._arrivals.last_at:
            self._gap = Gap(self._arrivals.last_at)

    def returned(self) -> None:
        """The caller is back, and may send what was kept meanwhile."""
        if self._arrivals.last_at:
            now = self._clock()
            self._gap = (self._gap or Gap(self._arrivals.last_at)).moves(now)
            self._arrivals = replace(self._arrivals, last_at=now)
            self._audio.set()

    def acted(self) -> None:
        """The caller does something that is meant for now: nothing of before is waited for."""
        self._gap = None

    def close_input(self) -> None:
        """No more audio comes: `run` returns when the recogniser has said what it has to say."""
        self._audio.clear()
        self._stream.close_input()
        if self._has_open_speech:
            self._watchdog.asked()

    def push(self, pcm16: bytes, spoken_until: float | None = None) -> None:
        """The caller's audio as it arrives, or, where it comes faster than it can have been spoken, with the moment at
        which it can be over: the detector's silences are measured so. Raises Upstream when the recogniser is too far
        behind."""
        now, length_s = self._clock(), len(pcm16) / 2 / INPUT_RATE_HZ
        self._arrivals = self._arrivals.arrived(now, length_s)
        if self._gap:
            self._gap = self._gap.moves(now, length_s)
        self._audio.set()
        if self._scoring:
            self._scoring.push(pcm16)
        if self._detector:
            self._detector.push(pcm16, now if spoken_until is None else spoken_until)
        self._stream.push(pcm16, urgent=self._is_urgent(now))

    def finish_utterance(self) -> None:
        """The caller says the turn is over: ask for the final. Where all that was said has its final already, none is
        owed: a recogniser that has nothing to say stays silent."""
        self._stream.finish_utterance()
        if self._has_open_speech or self._detector is None:  # without a detector nobody knows what was said
            self._watchdog.asked()

    def listen_from(self, threshold: float) -> None:
        """Speech starts from this probability on; 0 = as the operator set it."""
        self._policies = self._settings.policies.starting_from(threshold)

    def discard(self) -> None:
        """What came until now counts as not said."""
        if self._has_open_speech:
            self._discarded_s = self._stream.received_s
            self._stream.finish_utterance()
        self._transcript = replace(self._transcript, partial="")

    def recogniser_slow(self) -> None:
        """Listener of the watchdog."""
        self._stream.reopen(elsewhere=True)

    def recogniser_stuck(self) -> None:
        """Listener of the watchdog."""
        limit_s = self._settings.max_lag_s
        sentence = f"speech recognition has said nothing for {limit_s:g} s; say it again"
        self._sink.send(Failed(Failure.ASR_TIMEOUT, sentence, retryable=True))
        self._listener.words_lost()
        self._stream.reopen()

    def _is_urgent(self, now: float) -> bool:
        """Whether a final may hang on this audio: speech has paused for about as long as the recogniser waits.
        Before and after that, audio may wait for a fuller message, which costs a fifth as much."""
        if self._detector is None:
            return False
        paused = self._last_probability < self._policies.turn.stop
        silence_s = now - self._gate.last_at
        return paused and any(abs(silence_s - after_s) < _FINAL_WINDOW_S for after_s in self._settings.final_after_s)

    def _scored(self, probability: float, arrived_at: float, frame_s: float) -> None:
        self._frames += 1
        self._last_probability = probability
        sample = round(self._frames * frame_s * INPUT_RATE_HZ)
        policy = self._policies.overlap if self._sink.is_replying else self._policies.turn
        self._gate, change = gate(self._gate, probability, arrived_at, frame_s, policy)
        if self._scoring:
            self._scoring.frame(self._gate, change, arrived_at, sample)
        if self._gate.hears:
            self.last_speech_sample = sample
            self._watchdog.spoken(frame_s)
            self._paused = False
        elif self._gate.speaking and not self._paused and arrived_at - self._gate.last_at >= _PAUSE_S:
            self._paused = True
            self._listener.speech_paused()
        elif self.final_at >= self._gate.last_at and arrived_at - self._gate.last_at > _SETTLED_AFTER_S:
            self._stream.trim_silence()
        if change is GateChange.STARTED:
            self._sink.send(TurnChanged(TurnKind.SPEECH_STARTED, self._sink.turn, self._clock(), sample=sample))
            self._sink.post(SpeechStarted())
            if self._overlaps:
                self._overlaps.speech_started(self._turn_clock.now())
        elif change is GateChange.STOPPED:
            self._stopped()

    def _stopped(self) -> None:
        stopped = self.last_speech_sample
        self._sink.send(TurnChanged(TurnKind.SPEECH_STOPPED, self._sink.turn, self._clock(), sample=stopped))
        self._sink.post(SpeechStopped(max(0.0, stopped / INPUT_RATE_HZ - self._processed_s)))
        if self._overlaps:
            self._overlaps.speech_stopped(self._turn_clock.now())

    def _is_discarded(self, result: RecognitionResult) -> bool:
        """Whether a result is of audio that was taken back: until its final has come, or later audio is worked on."""
        processed_s = result.audio_processed_s or 0.0
        later = processed_s > self._discarded_s + _FINAL_WINDOW_S
        if later or result.final:
            self._discarded_s = 0.0
        return not later

    def _recognised(self, result: RecognitionResult) -> None:
        processed_s = result.audio_processed_s
        if processed_s is not None:
            self._processed_s = processed_s
        is_through = processed_s is not None and processed_s >= self._stream.received_s - _FINAL_WINDOW_S
        self._watchdog.answered(settles=result.final or is_through)
        if self._discarded_s and self._is_discarded(result):
            return
        self._transcript, transcribed, heard = update_transcript(
            self._transcript,
            result,
            turn=self._sink.turn,
            received_s=self._stream.received_s,
            now=self._turn_clock.now(),
        )
        if heard.final and heard.text:
            self.final_at = self._clock()
        if transcribed:
            self._sink.send(transcribed)
        self._sink.post(self._overlaps.annotated(heard, self._turn_clock.now()) if self._overlaps else heard)
