"""One call from admit to close: its parts, its caller's side, and the one TaskGroup in which everything lives.

The call belongs to the registry, not to a stream: an edge attaches to it and detaches from it, and a detached call
waits for its caller to come back.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from structlog.contextvars import bind_contextvars

from voice_gateway.core import turn_types
from voice_gateway.core.events import (
    INPUT_RATE_HZ,
    CallEnded,
    Caller,
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
    TurnCommitted,
)
from voice_gateway.core.snapshot import Snapshot, UnheardReply
from voice_gateway.core.speech_gate import GatePolicies
from voice_gateway.errors import Upstream, failed
from voice_gateway.interfaces import ListenOptions, Recogniser, VoiceActivityDetector
from voice_gateway.metrics import Metrics
from voice_gateway.session.call_log import CallLog
from voice_gateway.session.caller_input import Hearing, HearingSettings
from voice_gateway.session.mailboxes import Wires
from voice_gateway.session.outbox import Outbox
from voice_gateway.session.reply_controller import Speaking, Voice
from voice_gateway.session.turn_clock import TurnClock
from voice_gateway.session.turn_log_file import Journal
from voice_gateway.session.turn_loop import LoopSettings, TurnLoop

log = logging.getLogger(__name__)

_FLOWING = (CallerAudio, PlayoutReported)
"""What a caller's client sends all the time, whatever its caller means."""


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
    go_away_before_s: float
    """How long before `max_session_s` the caller is told; 0 = never."""
    resume_grace_s: float
    history: int
    idle_prompt: str


class Session:
    """One call."""

    def __init__(self, name: str, options: CallOptions, equipment: Equipment, journal: Journal, caller: Caller) -> None:
        self.name = name
        self.caller = caller
        self.when_over: Callable[[], object] = lambda: None
        """Called once the last word was told."""
        self._equipment = equipment
        self._journal = journal
        self._attached = asyncio.Event()
        self._detached = asyncio.Event()
        clock = equipment.clock
        call_log = CallLog(name, caller, dict(options.metadata))
        call_log.began(options)
        self._wires = Wires(equipment.metrics, call_log, clock, sends_heartbeats=caller.sends_heartbeats)
        self._speaking = Speaking(equipment.voice, self._wires, clock, equipment.history)
        self._turn_clock = TurnClock(clock)
        self._hearing = Hearing(
            equipment.recogniser.listen(ListenOptions(options.language, options.hotwords)),
            equipment.detector,
            HearingSettings(equipment.gate_policies, equipment.final_after_s, options.policy.max_lag),
            self._wires,
            clock,
            self._turn_clock.now,
            self._speaking.get_ready,
            lambda stalled: self._stand_still() if stalled else self.moves(),
        )
        settings = LoopSettings(equipment.max_session_s, equipment.idle_prompt)
        self._loop = TurnLoop(
            options, settings, self._wires, self._hearing, self._speaking, journal, clock, self._turn_clock
        )

    @property
    def options(self) -> CallOptions:
        """What holds now."""
        return self._loop.options

    @property
    def outbox(self) -> Outbox:
        """What goes out."""
        return self._wires.outbox

    @property
    def age_s(self) -> float:
        """Seconds since the call began."""
        return self._loop.age_s

    def attach(self) -> None:
        """A stream carries this call now."""
        self._detached.clear()
        self._attached.set()
        self._hearing.returned()
        if self._hearing.is_catching_up:
            self._stand_still()
        self.moves()
        self._speaking.silence(False)

    def detach(self, *, returns: bool) -> None:
        """The stream is gone; unless the caller `returns`, so is the call."""
        self._attached.clear()
        self._detached.set()
        self._stand_still()
        self._hearing.left()
        self._speaking.silence(True)
        if not returns:
            self.end(EndReason.CALLER_GONE)

    def _stand_still(self) -> None:
        """Nothing is decided while the caller can neither go on nor hear of it."""
        self._turn_clock.stop()
        self._wires.inbox.pause()

    def _go_on(self) -> None:
        self._turn_clock.go_on()
        self._wires.inbox.go_on()
        self._wires.fact(turn_types.Tick())  # deadlines run again

    def take(self, event: CallerEvent) -> None:
        """What the caller does. Never blocks."""
        if not isinstance(event, _FLOWING):
            self._hearing.acted()
        self.moves()
        match event:
            case CallerAudio(pcm16):
                try:
                    self._hearing.push(pcm16)
                except Upstream as error:
                    self._wires.fail(failed(error, fatal=True))
            case PlayoutReported():
                self._speaking.report(event)
            case TextTyped(text):
                self._wires.fact(turn_types.Typed(text))
            case TurnCommitted():
                self._hearing.finish_utterance()
                self._wires.fact(turn_types.Committed())
            case ReplyStopped():
                self._wires.fact(turn_types.Interrupted())
            case OptionsChanged(options):
                self._loop.change(options)
            case CallerEnded():
                self.end(EndReason.CALLER_ENDED)

    def acknowledge(self, seq: int) -> None:
        """The caller has every event up to `seq`."""
        self._wires.acknowledge(seq)
        self.moves()

    def moves(self) -> None:
        """Some message came: turns are decided again, unless the rest of one may still be on its way."""
        self._wires.moved()
        if self._turn_clock.is_stopped and self._attached.is_set() and not self._hearing.is_catching_up:
            self._go_on()

    def tell(self, event: SessionEvent) -> None:
        """Something the caller should know."""
        self._wires.tell(event)

    def end(self, reason: EndReason, sentence: str = "") -> None:
        """Hang up."""
        self._wires.end(reason, sentence)

    def snapshot(self) -> Snapshot:
        """The state another gateway would need to go on with this call."""
        reply, unheard = self._speaking.current, None
        if reply and self._wires.is_replying:
            reply.playout.arrived(self._wires.arrived_samples(reply.n, self.options.output_rate_hz))
            heard_samples = reply.playout.heard_samples(self._equipment.clock())
            unheard = UnheardReply(reply.n, reply.text, heard_samples)
        return Snapshot(
            session=self.name,
            options=self.options,
            exchanges=self._speaking.conversation.exchanges,
            state=self._loop.state,
            turn=self._wires.turn,
            age_s=self._turn_clock.now(),
            received_samples=round(self._hearing.received_s * INPUT_RATE_HZ),
            open_audio=self._hearing.open_audio,
            unheard=unheard,
        )

    async def run(self) -> EndReason:
        """Hold the call until it is over."""
        # Lines that backends write in this call's tasks name it, too.
        bind_contextvars(session=self.name)
        ended = CallEnded(EndReason.FAILED)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._speaking.open(tasks)
                background = [
                    tasks.create_task(self._listen(), name=f"{self.name} hearing"),
                    tasks.create_task(self._hearing.watch(), name=f"{self.name} silence"),
                    tasks.create_task(self._wait_for_caller(), name=f"{self.name} absence"),
                    tasks.create_task(self._warn_of_the_end(), name=f"{self.name} warning"),
                ]
                ended = await self._loop.run()
                self._speaking.stop()
                for task in background:
                    task.cancel()
        except* Exception as group:
            log.exception("call %s broke", self.name, exc_info=group)
            self._wires.fail(Failed(Failure.INTERNAL, "the gateway failed; connect again", True, fatal=True))
        finally:
            self._journal.close()
        self.tell(ended)
        self.when_over()
        return ended.reason

    async def _listen(self) -> None:
        try:
            await self._hearing.run()
        except Upstream as error:
            self._wires.fail(failed(error, fatal=True))

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

    async def _warn_of_the_end(self) -> None:
        """A call has a longest life; its caller is told in time to begin another one."""
        equipment = self._equipment
        if equipment.go_away_before_s:
            await asyncio.sleep(max(0.0, equipment.max_session_s - equipment.go_away_before_s))
            self.tell(LeaveSoon("MAX_DURATION", max(0.0, equipment.max_session_s - self.age_s)))
