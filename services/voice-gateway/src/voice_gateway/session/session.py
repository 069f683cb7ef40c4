"""One call from admit to close: facts into the turn machine, its orders carried out, all in one TaskGroup.

The call belongs to the registry, not to a stream: an edge attaches to it and detaches from it, and a detached call
waits for its caller to come back.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from voice_gateway.core import floor, turns
from voice_gateway.core.events import (
    INPUT_RATE_HZ,
    CallEnded,
    CallerAudio,
    CallerEnded,
    CallerEvent,
    CallOptions,
    EndReason,
    Failed,
    Failure,
    LeaveSoon,
    OptionsChanged,
    PlayoutReported,
    ReplyStopped,
    SessionEvent,
    TextTyped,
    TurnChanged,
    TurnCommitted,
    TurnKind,
    TurnMeasured,
)
from voice_gateway.core.snapshot import Snapshot, UnheardReply
from voice_gateway.core.speech_gate import GatePolicies
from voice_gateway.core.timeline import Mark, Timeline
from voice_gateway.errors import Upstream, failed
from voice_gateway.metrics import Metrics
from voice_gateway.ports import ListenOptions, Recogniser, VoiceActivityDetector
from voice_gateway.reply.reply import TICK_S
from voice_gateway.session.inbox import Inbox, InboxFull
from voice_gateway.session.journal_file import Journal
from voice_gateway.session.listening import Hearing
from voice_gateway.session.outbox import Outbox, OutboxFull
from voice_gateway.session.speaking import Speaking, Voice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What every call of this process uses."""

    recogniser: Recogniser
    detector: VoiceActivityDetector | None
    gate_policies: GatePolicies
    final_after_s: float
    voice: Voice
    metrics: Metrics
    clock: Callable[[], float]
    max_session_s: float
    resume_grace_s: float
    history: int
    idle_prompt: str


class Session:
    """One call."""

    def __init__(self, name: str, options: CallOptions, equipment: Equipment, journal: Journal) -> None:
        self.name = name
        self.options = options
        self.outbox = Outbox()
        self.turn = 1
        self.when_over: Callable[[], object] = lambda: None
        """Called once the last word was told."""
        self._answers_words = False
        self._over = False
        self._equipment = equipment
        self._journal = journal
        self._inbox = Inbox()
        self._began_at = equipment.clock()
        self._state: floor.State = floor.Idle(floor.Call(language=options.language), 0.0)
        self._attached = asyncio.Event()
        self._detached = asyncio.Event()
        ear = equipment.recogniser.listen(ListenOptions(options.language, options.hotwords))
        self._hearing = Hearing(
            ear,
            equipment.detector,
            equipment.gate_policies,
            equipment.final_after_s,
            self,
            equipment.clock,
            options.policy.max_lag,
        )
        self._speaking: Speaking | None = None

    # ------------------------------------------------------------------------------- the edge's side

    def attach(self) -> None:
        """A stream carries this call now."""
        self._detached.clear()
        self._attached.set()
        if self._speaking:
            self._speaking.silence(False)

    def detach(self, *, returns: bool) -> None:
        """The stream is gone; unless the caller `returns`, so is the call."""
        self._attached.clear()
        self._detached.set()
        if self._speaking:
            self._speaking.silence(True)
        if not returns:
            self.end(EndReason.CALLER_GONE)

    def take(self, event: CallerEvent) -> None:
        """What the caller does. Never blocks."""
        match event:
            case CallerAudio(pcm16):
                try:
                    self._hearing.push(pcm16)
                except Upstream as error:
                    self._fail(failed(error, fatal=True))
            case PlayoutReported() if self._speaking:
                self._speaking.report(event)
            case TextTyped(text):
                self.fact(floor.Typed(text))
            case TurnCommitted():
                self._hearing.finish_utterance()
                self.fact(floor.Committed())
            case ReplyStopped():
                self.fact(floor.Interrupted())
            case OptionsChanged(options):
                self.options = options
            case CallerEnded():
                self.end(EndReason.CALLER_ENDED)

    @property
    def received_samples(self) -> int:
        """Input samples taken so far."""
        return round(self._hearing.received_s * INPUT_RATE_HZ)

    @property
    def is_replying(self) -> bool:
        """Whether a reply has the floor."""
        return isinstance(self._state, floor.Thinking | floor.Speaking | floor.Overlap)

    @property
    def age_s(self) -> float:
        """Seconds since the call began."""
        return self._equipment.clock() - self._began_at

    @property
    def is_over(self) -> bool:
        """Whether the last word was told."""
        return self._over

    def end(self, reason: EndReason, sentence: str = "") -> None:
        """Hang up."""
        self._inbox.put(CallEnded(reason, sentence))

    def leave_soon(self, reason: str, deadline_s: float) -> None:
        """Tell the caller that this gateway will close the call."""
        self.tell(LeaveSoon(reason, deadline_s))

    def snapshot(self) -> Snapshot:
        """The state another gateway would need to go on with this call."""
        reply = self._speaking.current if self._speaking else None
        now = self._equipment.clock()
        unheard = None
        if reply and self.is_replying:
            unheard = UnheardReply(reply.n, reply.text, reply.playout.heard_samples(now))
        return Snapshot(
            session=self.name,
            options=self.options,
            exchanges=self._speaking.conversation.exchanges if self._speaking else (),
            state=self._state,
            turn=self.turn,
            age_s=self.age_s,
            received_samples=self.received_samples,
            open_audio=self._hearing.open_audio,
            unheard=unheard,
        )

    # ------------------------------------------------------------------------- what parts of it tell

    def fact(self, fact: floor.Event) -> None:
        """Something happened that the turn machine should know."""
        try:
            self._inbox.put(fact)
        except InboxFull:
            self._fail(Failed(Failure.OVERLOADED, "the call can't keep up; connect again", True, fatal=True))

    def tell(self, event: SessionEvent) -> None:
        """Something the caller should know."""
        if isinstance(event, TurnMeasured):
            self._equipment.metrics.measured(event.latencies)
        elif isinstance(event, Failed):
            self._equipment.metrics.failures.labels(event.failure.value).inc()
        try:
            self.outbox.put(event)
        except OutboxFull:
            self.end(EndReason.FAILED, "the caller reads too slowly")

    # --------------------------------------------------------------------------------- its own life

    async def run(self) -> EndReason:
        """Hold the call until it is over."""
        ended = CallEnded(EndReason.FAILED)
        try:
            async with asyncio.TaskGroup() as tasks:
                equipment = self._equipment
                self._speaking = Speaking(equipment.voice, self, tasks, equipment.clock, equipment.history)
                helpers = [
                    tasks.create_task(self._listen(), name=f"{self.name} hearing"),
                    tasks.create_task(self._hearing.watch(), name=f"{self.name} silence"),
                    tasks.create_task(self._wait_for_caller(), name=f"{self.name} absence"),
                ]
                ended = await self._turns()
                self._speaking.stop()
                for task in helpers:
                    task.cancel()
        except* Exception as group:
            log.exception("call %s broke", self.name, exc_info=group)
            self._fail(Failed(Failure.INTERNAL, "the gateway failed; connect again", True, fatal=True))
        finally:
            self._journal.close()
        self._over = True
        self.tell(ended)
        self.when_over()
        return ended.reason

    async def _listen(self) -> None:
        try:
            await self._hearing.run()
        except Upstream as error:
            self._fail(failed(error, fatal=True))

    async def _wait_for_caller(self) -> None:
        """A caller who is gone and does not come back in time ends the call."""
        while True:
            await self._detached.wait()
            try:
                async with asyncio.timeout(self._equipment.resume_grace_s):
                    await self._attached.wait()
            except TimeoutError:
                self.end(EndReason.CALLER_GONE, "the caller did not come back")
                return

    async def _turns(self) -> CallEnded:
        """The shell of the turn machine."""
        while True:
            event = await self._next_event()
            if isinstance(event, CallEnded):
                return event
            now = self.age_s
            self._journal.write(now, event)
            self._state, actions = turns.step(self._state, event, now, self.options.policy)
            for action in actions:
                self._perform(action)
            if isinstance(self._state, floor.Ended):
                return CallEnded(EndReason.IDLE, "nobody has spoken for a while")

    async def _next_event(self) -> floor.Event | CallEnded:
        now = self.age_s
        left_s = self._equipment.max_session_s - now
        due = turns.deadline(self._state, self.options.policy)
        wait_s = left_s if due is None else min(left_s, due - now)
        try:
            async with asyncio.timeout(max(wait_s, TICK_S)):
                return await self._inbox.get()
        except TimeoutError:
            if self.age_s >= self._equipment.max_session_s:
                return CallEnded(EndReason.MAX_DURATION, "the longest life of a call is reached; connect again")
            return floor.Tick()

    def _perform(self, action: floor.Action) -> None:
        assert self._speaking is not None
        match action:
            case floor.StartReply(n, words, _, cause):
                self._start(n, words, cause)
            case floor.HoldReply(n):
                self._speaking.hold(n)
            case floor.ResumeReply(n):
                self._speaking.resume(n)
            case floor.RetractReply(n):
                self._speaking.retract(n)
                self.turn -= self._answers_words
            case floor.InterruptReply(n):
                over = not isinstance(self._state, floor.Idle | floor.Thinking)
                self._speaking.interrupt(n, self._hearing.speech_began_at if over else None)
            case floor.ReleaseReply() | floor.EndCall():
                pass  # no drafts are begun here; the end shows in the state

    def _start(self, n: int, words: str, cause: floor.Cause) -> None:
        assert self._speaking is not None
        now = self._equipment.clock()
        timeline, t0_sample = Timeline({}), 0
        text = {floor.Cause.GREETING: self.options.greeting, floor.Cause.SILENCE: self._equipment.idle_prompt}
        if cause is floor.Cause.WORDS:
            self._equipment.metrics.turns.inc()
            timeline.asr_lag_s = self._lag_s()
            if self._hearing.last_speech_at:
                timeline.mark(Mark.SPEECH_ENDED, self._hearing.last_speech_at)
                t0_sample = self._hearing.last_speech_sample
                if self._hearing.final_at >= self._hearing.last_speech_at:
                    timeline.mark(Mark.ASR_FINAL, self._hearing.final_at)
            timeline.mark(Mark.TURN_ENDED, now)
            self.tell(TurnChanged(TurnKind.TURN_ENDED, self.turn, now, text=words))
        self._speaking.start(n, words, text.get(cause, ""), self.options, timeline, t0_sample)
        self._answers_words = cause is floor.Cause.WORDS
        self.turn += self._answers_words

    def _lag_s(self) -> float:
        call = self._state.call
        return max(0.0, call.heard_at - call.heard_until)

    def _fail(self, failure: Failed) -> None:
        self.tell(failure)
        if failure.fatal:
            self.end(EndReason.FAILED, failure.sentence)
