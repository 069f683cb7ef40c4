"""Where do a call's facts and events go? Facts to the turn machine's inbox, events to the caller's outbox."""

import asyncio
from collections.abc import Callable

from voice_gateway.core.events import (
    CallEnded,
    EndReason,
    Failed,
    Failure,
    SessionEvent,
    TurnChanged,
    TurnKind,
    TurnMeasured,
)
from voice_gateway.core.playout import SAMPLE_BYTES
from voice_gateway.core.send_window import SendWindow
from voice_gateway.core.summary import SummaryEnd
from voice_gateway.core.tools import ToolCall, ToolResult
from voice_gateway.core.turn_types import Event
from voice_gateway.metrics import Metrics
from voice_gateway.session.call_log import CallLog
from voice_gateway.session.inbox import Inbox, InboxFull
from voice_gateway.session.outbox import Outbox, OutboxFull

_REPLY_ENDS = (TurnKind.REPLY_ENDED, TurnKind.REPLY_INTERRUPTED, TurnKind.REPLY_RETRACTED)

_HEARTBEAT_MISSED_S = 1.0
"""Two heartbeats."""
_DEAD = (TurnKind.REPLY_INTERRUPTED, TurnKind.REPLY_RETRACTED)


class Mailboxes:  # size: what a call's parts tell each other passes here, and what is owed for it
    """What the parts of a call tell each other, and what they need to know of the floor."""

    def __init__(
        self, metrics: Metrics, call_log: CallLog, clock: Callable[[], float], *, sends_heartbeats: bool = False
    ) -> None:
        self.inbox = Inbox()
        self.outbox = Outbox()
        self.turn = 1
        """Number of the turn that is going on."""
        self.chat_tokens = 0
        """Of the chat that the model was asked with last, about."""
        self.is_replying = False
        """Whether a reply has the floor."""
        self._metrics = metrics
        self._log = call_log
        self._clock = clock
        self._began_at = clock()
        self._delivery = SendWindow()
        self._sends_heartbeats = sends_heartbeats
        self._moved_at = clock()
        self._worked = asyncio.Event()
        self._unacknowledged_since: float | None = None
        """Since when something told waits for its acknowledgement."""

    def post(self, fact: Event) -> None:
        """Something happened that the turn machine should know."""
        try:
            self.inbox.put(fact)
        except InboxFull:
            self.fail(Failed(Failure.OVERLOADED, "the call can't keep up; connect again", True, fatal=True))

    def send(self, event: SessionEvent) -> None:
        """Something the caller should know."""
        self._count(event)
        self._log.record(event, self._clock() - self._began_at)
        if isinstance(event, TurnChanged) and event.kind in _DEAD:
            self.outbox.drop_unsent_audio(event.reply)
        if self._unacknowledged_since is None:
            self._unacknowledged_since = self._clock()
        try:
            self.outbox.put(event)
        except OutboxFull:
            self.end(EndReason.FAILED, "the caller reads too slowly")

    def note_work(self) -> None:
        """A fact was decided, or a request was handed to its connection."""
        self._worked.set()

    def note_chat(self, tokens: int) -> None:
        """The model is asked with a chat of about so many tokens."""
        self.chat_tokens = tokens
        self._metrics.chat_tokens.observe(tokens)

    def note_summary(self, end: SummaryEnd) -> None:
        """A summary of the oldest of the call is over."""
        self._metrics.summaries.labels(end).inc()

    def note_draft(self, *, released: bool, ahead_s: float, pieces: int) -> None:
        """A draft is over that was begun `ahead_s` ago and for which the model has sent `pieces` of text."""
        self._metrics.draft_over(released=released, ahead_s=ahead_s, pieces=pieces)

    def note_tool(self, call: ToolCall, by: str, result: ToolResult, seconds: float) -> None:
        """A call of a tool is over, or was cancelled."""
        self._metrics.tool_over(by, result.outcome, seconds)
        self._log.tool_called(call, by, result, seconds)

    async def worked(self) -> None:
        """Return at the next `note_work`."""
        self._worked.clear()
        await self._worked.wait()

    def acknowledge(self, seq: int) -> None:
        """The caller has every event up to `seq`."""
        now = self._clock()
        self._delivery = self._delivery.acknowledged(now)
        self.outbox.acknowledge(seq)
        self._unacknowledged_since = now if self.outbox.awaits_acknowledgement else None

    def note_message(self) -> None:
        """A message of the caller's came."""
        self._moved_at = self._clock()

    @property
    def overdue_s(self) -> float:
        """How long something has been owed by a caller who sends heartbeats, or who acknowledges what it is told: a
        link that stands still looks so."""
        if self._sends_heartbeats:
            silent_s = self._clock() - self._moved_at
            return silent_s if silent_s > _HEARTBEAT_MISSED_S else 0.0
        if self._unacknowledged_since is None or not self.outbox.awaits_acknowledgement:
            return 0.0
        return self._clock() - self._unacknowledged_since

    def has_room(self, rate_hz: int, lead_s: float) -> bool:
        """Whether more reply audio may be sent, at this rate, so far ahead of its playing."""
        under_way_s = self.outbox.audio_under_way_bytes / SAMPLE_BYTES / rate_hz
        return under_way_s < self._delivery.under_way_s(lead_s)

    def sent_samples(self, n: int) -> int:
        """How much of reply `n` was sent to the caller."""
        return self.outbox.sent_samples(n)

    def arrived_samples(self, n: int, rate_hz: int) -> int:
        """How much of reply `n`, at this rate, can have reached the caller since it last acknowledged some."""
        return self.outbox.arrived_samples(n) + round(self._delivery.unknown_s * rate_hz)

    def fail(self, failure: Failed) -> None:
        """Something went wrong; a fatal failure ends the call."""
        self.send(failure)
        if failure.fatal:
            self.end(EndReason.FAILED, failure.sentence)

    def end(self, reason: EndReason, sentence: str = "") -> None:
        """Hang up."""
        self.inbox.put(CallEnded(reason, sentence))

    def _count(self, event: SessionEvent) -> None:
        match event:
            case TurnMeasured(latencies=latencies):
                self._metrics.measured(latencies)
            case Failed(failure):
                self._metrics.failures.labels(failure.value).inc()
            case TurnChanged(TurnKind.TURN_ENDED):
                self._metrics.turns.inc()
            case TurnChanged(kind) if kind in _REPLY_ENDS:
                self._metrics.replies.labels(kind.value).inc()
