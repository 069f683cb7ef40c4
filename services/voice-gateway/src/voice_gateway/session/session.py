"""One call from admit to close: its parts, its caller's side, and the one TaskGroup in which everything lives.

The call belongs to the registry, not to a stream: an edge attaches to it and detaches from it, and a detached call
waits for its caller to come back.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
    EntryAdded,
    ExchangeEdited,
    Failed,
    Failure,
    GoAway,
    InputDiscarded,
    InterruptRequested,
    OptionsChanged,
    PlayoutReported,
    ReplyRequested,
    ReplyTruncated,
    SessionEvent,
    TextTyped,
    ToolAnswered,
    TurnCommitted,
)
from voice_gateway.core.language import Languages
from voice_gateway.core.snapshot import Snapshot, UnheardReply
from voice_gateway.core.speech_gate import GatePolicies
from voice_gateway.core.speech_types import RecognitionOptions
from voice_gateway.errors import Upstream, failed
from voice_gateway.interfaces import EndOfTurnScorer, Recogniser, VoiceActivityDetector
from voice_gateway.metrics import Metrics
from voice_gateway.session.call_log import CallLog
from voice_gateway.session.call_tools import CallTools, ToolSetup
from voice_gateway.session.caller_input import CallerInput, CallerInputSettings
from voice_gateway.session.mailboxes import Mailboxes
from voice_gateway.session.outbox import Outbox
from voice_gateway.session.overlap_annotation import OverlapAnnotation
from voice_gateway.session.reply_controller import ReplyController
from voice_gateway.session.reply_setup import ReplySetup
from voice_gateway.session.turn_clock import TurnClock
from voice_gateway.session.turn_log_file import TurnLog
from voice_gateway.session.turn_loop import LoopSettings, TurnLoop
from voice_gateway.session.turn_scoring import TurnScoring

log = logging.getLogger(__name__)

_REQUESTS_WITHIN_S = 0.002
_FLOWING = (CallerAudio, PlayoutReported, ToolAnswered)
"""What a caller's client sends all the time, whatever its caller means."""


@dataclass(frozen=True, slots=True)
class CallResources:
    """What every call of this process uses."""

    recogniser: Recogniser
    detector: VoiceActivityDetector | None
    gate_policies: GatePolicies
    final_after_s: tuple[float, ...]
    reply: ReplySetup
    metrics: Metrics
    clock: Callable[[], float]
    max_session_s: float
    go_away_before_s: float
    """How long before `max_session_s` the caller is told; 0 = never."""
    resume_grace_s: float
    history: int
    languages: Languages
    warn_before_s: float = 0.0
    """How long before `max_session_s` the agent says so; 0 = never."""
    scorer: EndOfTurnScorer | None = None
    """Who judges by its sound whether a turn is over; None = words alone do."""
    tools: ToolSetup = field(default_factory=ToolSetup)
    logs_tool_arguments: bool = False
    has_headroom: Callable[[], bool] = lambda: True
    """Whether the gateway has time for work that may be for nothing."""


class Session:  # size: the caller's side, the registry's side and the listener of the input, in front of its parts
    """One call."""

    def __init__(
        self, name: str, options: CallOptions, resources: CallResources, turn_log: TurnLog, caller: Caller
    ) -> None:
        self.name = name
        self.caller = caller
        self._resources = resources
        self._turn_log = turn_log
        self._attached = asyncio.Event()
        self._detached = asyncio.Event()
        clock = resources.clock
        call_log = CallLog(name, caller, dict(options.metadata), logs_tool_arguments=resources.logs_tool_arguments)
        call_log.began(options)
        self._mailboxes = Mailboxes(resources.metrics, call_log, clock, sends_heartbeats=caller.sends_heartbeats)
        self._language = resources.languages.spoken(options.language)
        setup = replace(resources.reply, apology=self._language.apology, language=self._language)
        self._tools = CallTools(name, resources.tools, self._mailboxes, clock, self._language.tool_fillers)
        self._replies = ReplyController(
            setup, self._mailboxes, clock, resources.history, self._tools, resources.has_headroom
        )
        self._turn_clock = TurnClock(clock)
        self._caller_input = CallerInput(
            resources.recogniser.open(
                RecognitionOptions(options.asr_language or options.language, options.hotwords, options.asr_model)
            ),
            resources.detector,
            CallerInputSettings(resources.gate_policies, resources.final_after_s, options.policy.max_lag),
            self._mailboxes,
            self,
            clock,
            self._turn_clock,
            self._scoring(resources.scorer),
            OverlapAnnotation(self._language, self._replies),
        )
        settings = LoopSettings(resources.max_session_s, self._language, resources.has_headroom)
        self._loop = TurnLoop(
            options, settings, self._mailboxes, self._caller_input, self._replies, turn_log, clock, self._turn_clock
        )

    def _scoring(self, scorer: EndOfTurnScorer | None) -> TurnScoring | None:
        if scorer is None:
            return None
        return TurnScoring(scorer, self._mailboxes.post, lambda: self._mailboxes.turn, self._turn_clock.now)

    @property
    def options(self) -> CallOptions:
        """What holds now."""
        return self._loop.options

    @property
    def outbox(self) -> Outbox:
        """What goes out."""
        return self._mailboxes.outbox

    @property
    def age_s(self) -> float:
        """Seconds since the call began."""
        return self._loop.age_s

    @property
    def received_s(self) -> float:
        """Seconds of the caller's audio that came."""
        return self._caller_input.received_s

    @property
    def chat_tokens(self) -> int:
        """Of the chat that the model was asked with last, about."""
        return self._mailboxes.chat_tokens

    def may_truncate(self, n: int) -> bool:
        """Whether what was heard of reply `n` may still change."""
        return self._replies.knows(n)

    def attach(self) -> None:
        """A stream carries this call now."""
        self._detached.clear()
        self._attached.set()
        self._caller_input.returned()
        if self._caller_input.is_catching_up:
            self._stand_still()
        self.note_message()
        self._replies.silence(False)

    def detach(self, *, returns: bool) -> None:
        """The stream is gone; unless the caller `returns`, so is the call."""
        self._attached.clear()
        self._detached.set()
        self._stand_still()
        self._caller_input.left()
        self._replies.silence(True)
        if not returns:
            self.end(EndReason.CALLER_GONE)

    def _stand_still(self) -> None:
        """Nothing is decided while the caller can neither go on nor hear of it."""
        self._turn_clock.stop()
        self._mailboxes.inbox.pause()

    def _go_on(self) -> None:
        self._turn_clock.go_on()
        self._mailboxes.inbox.go_on()
        self._mailboxes.post(turn_types.Tick())  # deadlines run again

    def take(self, event: CallerEvent) -> None:
        """What the caller does. Never blocks. Raises BadRequest for what can't be meant."""
        if not isinstance(event, _FLOWING):
            self._caller_input.acted()
        self.note_message()
        match event:
            case CallerAudio(pcm16):
                try:
                    self._caller_input.push(pcm16)
                except Upstream as error:
                    self._mailboxes.fail(failed(error, fatal=True))
            case PlayoutReported():
                self._replies.report(event)
            case ReplyTruncated(n, audio_ms):
                if self._replies.truncate(n, audio_ms):
                    self._mailboxes.post(turn_types.Interrupted())
            case TextTyped(text):
                self._mailboxes.post(turn_types.Typed(text))
            case TurnCommitted():
                self._caller_input.finish_utterance()
                self._mailboxes.post(turn_types.Committed())
            case ReplyRequested(options):
                self._loop.ask_for_reply(options)
                self._mailboxes.post(turn_types.ReplyAsked())
            case InputDiscarded():
                self._caller_input.discard()
                self._mailboxes.post(turn_types.Discarded())
            case EntryAdded(id, role, text):
                self._replies.conversation = self._replies.conversation.added(id, role, text)
            case ExchangeEdited(n, id, words, reply):
                self._replies.conversation = self._replies.conversation.edited(n, id, words, reply)
            case InterruptRequested():
                self._mailboxes.post(turn_types.Interrupted())
            case OptionsChanged(options):
                self._loop.change(options)
                self._caller_input.listen_from(options.speech_threshold)
                self._mailboxes.post(turn_types.Tick())  # what waits may be due under another policy
            case ToolAnswered():
                self._tools.answered(event)
            case CallerEnded():
                self.end(EndReason.CALLER_ENDED)

    def speech_paused(self) -> None:
        """Listener of the caller's input."""
        self._replies.prepare()

    def words_lost(self) -> None:
        """Listener of the caller's input."""
        if self._language.not_understood:
            self._mailboxes.post(turn_types.WordsLost())

    def link_stalled(self, stalled: bool) -> None:
        """Listener of the caller's input."""
        if stalled:
            self._stand_still()
        else:
            self.note_message()

    async def requests_sent(self) -> None:
        """Return when the requests that a turn sets off are under way: they go before what the caller is told of the
        turn, because the caller waits for the reply.

        Example: a final ends the turn. Transcript, end of turn and start of reply cost the loop about 0.2 ms each; they
        wait until the machine has decided the final and the question is handed to its connection, a few turns of the
        loop. Where that takes longer (a connection must be opened), they wait no longer than _REQUESTS_WITHIN_S."""
        if not self._has_requests_to_send:
            return
        try:
            async with asyncio.timeout(_REQUESTS_WITHIN_S):
                while self._has_requests_to_send:
                    await self._mailboxes.worked()
        except TimeoutError:
            return

    @property
    def _has_requests_to_send(self) -> bool:
        return self._mailboxes.inbox.has_work or self._replies.has_request_to_send

    def acknowledge(self, seq: int) -> None:
        """The caller has every event up to `seq`."""
        self._mailboxes.acknowledge(seq)
        self.note_message()

    def note_message(self) -> None:
        """Some message came: turns are decided again, unless the rest of one may still be on its way."""
        self._mailboxes.note_message()
        if self._turn_clock.is_stopped and self._attached.is_set() and not self._caller_input.is_catching_up:
            self._go_on()

    def send(self, event: SessionEvent) -> None:
        """Something the caller should know."""
        self._mailboxes.send(event)

    def end(self, reason: EndReason, sentence: str = "") -> None:
        """Hang up."""
        self._mailboxes.end(reason, sentence)

    def snapshot(self) -> Snapshot:
        """The state another gateway would need to go on with this call."""
        reply, unheard = self._replies.current, None
        if reply and self._mailboxes.is_replying:
            reply.playout.arrived(self._mailboxes.arrived_samples(reply.n, self.options.output_rate_hz))
            heard_samples = reply.playout.heard_samples(self._resources.clock())
            unheard = UnheardReply(reply.n, reply.text, heard_samples)
        return Snapshot(
            session=self.name,
            options=self.options,
            exchanges=self._replies.conversation.exchanges,
            summary=self._replies.conversation.summary,
            state=self._loop.state,
            turn=self._mailboxes.turn,
            age_s=self._turn_clock.now(),
            received_samples=round(self._caller_input.received_s * INPUT_RATE_HZ),
            open_audio=self._caller_input.open_audio,
            unheard=unheard,
        )

    async def run(self) -> EndReason:
        """Hold the call until it is over."""
        # Lines that backends write in this call's tasks name it, too.
        bind_contextvars(session=self.name)
        ended = CallEnded(EndReason.FAILED)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._replies.open(tasks)
                background = [
                    tasks.create_task(self._listen(), name=f"{self.name} hearing"),
                    tasks.create_task(self._caller_input.watch(), name=f"{self.name} silence"),
                    tasks.create_task(self._wait_for_caller(), name=f"{self.name} absence"),
                    tasks.create_task(self._warn_of_the_end(), name=f"{self.name} warning"),
                ]
                ended = await self._loop.run()
                self._replies.stop()
                for task in background:
                    task.cancel()
        except* Exception as group:
            log.exception("call %s failed", self.name, exc_info=group)
            self._mailboxes.fail(Failed(Failure.INTERNAL, "the gateway failed; connect again", True, fatal=True))
        finally:
            self._turn_log.close()
        self.send(ended)
        return ended.reason

    async def _listen(self) -> None:
        try:
            await self._caller_input.run()
        except Upstream as error:
            if self._language.cannot_hear:
                self._mailboxes.send(failed(error, fatal=True))
                self._mailboxes.post(turn_types.RecogniserLost())
            else:
                self._mailboxes.fail(failed(error, fatal=True))

    async def _wait_for_caller(self) -> None:
        """A caller who is gone and does not come back in time ends the call."""
        while True:
            await self._detached.wait()
            try:
                async with asyncio.timeout(self._resources.resume_grace_s):
                    await self._attached.wait()
            except TimeoutError:
                self.end(EndReason.CALLER_GONE, "the caller did not come back")
                return

    async def _warn_of_the_end(self) -> None:
        """A call has a longest life: its client is told in time to begin another one, and its caller hears of it."""
        resources = self._resources
        longest_s, warn_before_s = resources.max_session_s, resources.warn_before_s

        async def tell_client() -> None:
            await asyncio.sleep(max(0.0, longest_s - resources.go_away_before_s))
            self.send(GoAway("MAX_DURATION", max(0.0, longest_s - self.age_s)))

        async def tell_caller() -> None:
            await asyncio.sleep(longest_s - warn_before_s)
            self._mailboxes.post(turn_types.TimeLow())

        async with asyncio.TaskGroup() as tasks:
            if resources.go_away_before_s:
                tasks.create_task(tell_client(), name=f"{self.name} go away")
            if 0 < warn_before_s < longest_s and self._language.call_warning:
                tasks.create_task(tell_caller(), name=f"{self.name} time low")
