"""Which reply does the caller hear? The one that has the floor, and the history of what was really heard."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from voice_gateway.core.backchannels import ReplyMoment
from voice_gateway.core.conversation import Conversation
from voice_gateway.core.events import (
    CallOptions,
    PlayoutReported,
    ReplyAudio,
    ReplyText,
    TurnChanged,
    TurnKind,
    TurnMeasured,
)
from voice_gateway.core.timeline import Mark, Timeline
from voice_gateway.core.turn_types import Cause, ReplyAudible, ReplyEnded
from voice_gateway.errors import Upstream, failed
from voice_gateway.reply.fitted_model import ContextLimits
from voice_gateway.reply.reply import Reply, ReplyListener
from voice_gateway.session.call_tools import CallTools
from voice_gateway.session.current_reply import CurrentReply
from voice_gateway.session.draft import Draft
from voice_gateway.session.memory import Memory, MemorySettings, TurnGap
from voice_gateway.session.reply_builder import ReplyBuilder
from voice_gateway.session.reply_setup import ReplySetup, ReplySink

_LAST_MOMENT_S = 0.25
"""A reply that ends so soon is not held: the callers of most turns begin about then, and would lose its last word."""
AMEND_S = 0.2
"""A final playout report within this time of an interrupt corrects the history."""


class ReplyController:  # size: orders of the turn machine, the listener of a reply, and the history that both change
    """One call's replies. At most one reply has the floor; the one before may still be amended."""

    def __init__(
        self,
        setup: ReplySetup,
        sink: ReplySink,
        clock: Callable[[], float],
        limit: int,
        tools: CallTools,
        has_headroom: Callable[[], bool] = lambda: True,
    ) -> None:
        self._setup = setup
        limits = ContextLimits(setup.context_tokens, limit)
        remembered = MemorySettings(limits, setup.summaries, setup.speakable.opening)
        self._memory = Memory(setup.model, remembered, sink, clock, has_headroom)
        self._builder = ReplyBuilder(setup, self._memory.model, tools, clock)
        self._sink = sink
        self._tasks: asyncio.TaskGroup | None = None
        self._clock = clock
        self._recent: deque[CurrentReply] = deque(maxlen=2)
        """The reply that has the floor, or had it last, and the one before, which may still be amended."""
        self._draft: tuple[Draft, CurrentReply] | None = None
        self._preparation: asyncio.Task[None] | None = None
        self._silenced = False

    @property
    def conversation(self) -> Conversation:
        """What was said and heard."""
        return self._memory.conversation

    @conversation.setter
    def conversation(self, conversation: Conversation) -> None:
        self._memory.conversation = conversation

    @property
    def current(self) -> Reply | None:
        """The reply that has the floor, or had it last."""
        return self._recent[-1].reply if self._recent else None

    @property
    def has_request_to_send(self) -> bool:
        """Whether a draft, or the reply that has the floor, is about to ask the model, or a voice for a phrase."""
        last = self._draft[1] if self._draft else self._recent[-1] if self._recent else None
        return last is not None and not last.task.done() and last.reply.has_request_to_send

    def open(self, tasks: asyncio.TaskGroup) -> None:
        """Replies live in `tasks` from now on."""
        self._tasks = tasks
        self._memory.open(tasks)

    def note_gap(self, options: CallOptions | None) -> None:
        """Whether nobody needs the model now, and the options that hold."""
        changing = min((recent.reply.n for recent in self._recent), default=0)
        self._memory.note(TurnGap(options, changing) if options is not None else None, may_change=self._draft is None)

    def prepare(self) -> None:
        """A reply is likely soon."""
        if self._tasks is not None and (self._preparation is None or self._preparation.done()):
            self._preparation = self._tasks.create_task(self._memory.model.get_ready(), name="model readiness")

    def draft(self, n: int, words: str, options: CallOptions) -> None:
        """Begin reply `n` to `words` before their turn is decided, so that it is ready then."""
        notes = (self._sink.note_work, self._setup.note_overload)
        draft = Draft(n, options, self.conversation, self._clock, *notes, self._clock())
        current = self._begin(n, self.conversation.said(n, words), "", options, draft.timeline, draft)
        current.reply.wait_for_release()
        self._draft = draft, current

    def remember(self, n: int, words: str) -> None:
        """A turn that nobody answers yet."""
        self.conversation = self.conversation.said(n, words)

    def start(
        self,
        n: int,
        words: str,
        text: str,
        options: CallOptions,
        timeline: Timeline,
        t0_sample: int,
        cause: Cause = Cause.WORDS,
    ) -> None:
        """Reply `n` has the floor: to `words`, or of a known `text`. It is begun now, or its draft goes on."""
        current, untold = self._release(n, options) or (None, [])
        self.conversation = self.conversation.said(n, words)
        if current is None:
            current = self._begin(n, self.conversation, text, options, timeline, self)
        for mark, at in current.timeline.marks.items():
            timeline.mark(mark, at)
        current.timeline, current.turn, current.t0_sample = timeline, self._sink.turn, t0_sample
        self._recent.append(current)
        self.conversation = self.conversation.called(n, current.reply.rounds)
        if self._silenced:
            current.reply.hold()
        self._changed(TurnKind.REPLY_STARTED, n, cause=cause)
        for event in untold:
            self._sink.send(event)

    def _release(self, n: int, options: CallOptions) -> tuple[CurrentReply, list[ReplyText]] | None:
        """The draft of reply `n` and what was not told of it, where it is still what that reply would be."""
        if self._draft is None or not self._draft[0].answers(n, options, self.conversation):
            self._drop_draft()
            return None
        (draft, current), self._draft = self._draft, None
        self._note(draft, current, released=True)
        current.reply.release(self)
        return current, draft.untold

    def _drop_draft(self) -> None:
        """Nobody knew of it."""
        if self._draft:
            (draft, current), self._draft = self._draft, None
            current.task.cancel()
            self._note(draft, current, released=False)

    def _note(self, draft: Draft, current: CurrentReply, *, released: bool) -> None:
        self._sink.note_draft(released=released, ahead_s=self._clock() - draft.began_at, pieces=current.reply.pieces)

    def _begin(
        self,
        n: int,
        conversation: Conversation,
        text: str,
        options: CallOptions,
        timeline: Timeline,
        listener: ReplyListener,
    ) -> CurrentReply:
        assert self._tasks is not None, "open comes first"
        if text:
            reply = self._builder.fixed(n, text, options, listener)
        else:
            timeline.mark(Mark.LLM_ASKED, self._clock())
            reply = self._builder.answer(n, conversation, options, listener)
        task = self._tasks.create_task(self._run(reply), name=f"reply {n}")
        return CurrentReply(reply, task, timeline, self._sink.turn, 0, options.output_rate_hz)

    async def _run(self, reply: Reply) -> None:
        await reply.run()
        self._ended(reply.n)

    def hold(self, n: int) -> None:
        """Let no audio leave, and the caller's player pause. What is in its last moment plays to its end."""
        current = self._at(n)
        if current and current.held_at is None and not current.reply.ends_within(_LAST_MOMENT_S):
            current.held_at = self._clock()
            current.reply.pause()
            self._changed(TurnKind.REPLY_HELD, n)

    def resume(self, n: int) -> None:
        """Go on from where it was held."""
        current = self._at(n)
        if current and current.held_at is not None:
            current.held_at = None
            current.reply.go_on()
            if not self._silenced:
                current.reply.resume()
            self._changed(TurnKind.REPLY_RESUMED, n)

    def retract(self, n: int) -> bool:
        """Nobody heard it; whether the caller was told of it."""
        if self._draft and self._draft[0].n == n:
            self._drop_draft()
        if current := self._at(n):
            current.stop()
            self.conversation = self.conversation.called(n, current.reply.rounds).retracted(n)
            self._changed(TurnKind.REPLY_RETRACTED, n)
        else:  # of a turn that was remembered and not answered
            self.conversation = self.conversation.retracted(n)
        return current is not None

    def correct(self, n: int, told: str, right: str) -> None:
        """The turn that it answers is `right` where the recogniser had `told` something else."""
        self.conversation = self.conversation.corrected(n, told, right)

    def interrupt(self, n: int, speech_began_at: float | None) -> None:
        """It was partly heard; `speech_began_at` is the first sample of a barge-in."""
        current = self._at(n)
        if current is None or current.cut_at is not None:
            return
        now = self._clock()
        current.stop()
        current.cut_at = now
        current.reply.playout.arrived(self._sink.arrived_samples(n, current.rate_hz))
        if speech_began_at is not None:
            current.timeline.mark(Mark.BARGE_IN_BEGAN, speech_began_at)
            current.timeline.mark(Mark.LAST_HEARD, now if current.held_at is None else current.held_at)
        self._builder.learn(current.reply)
        heard, heard_ms = current.heard(now)
        self.conversation = self.conversation.called(n, current.reply.rounds).truncated(n, heard)
        self._changed(TurnKind.REPLY_INTERRUPTED, n, heard_text=heard, heard_ms=heard_ms)
        self._measured(current)

    def report(self, report: PlayoutReported) -> None:
        """The caller says what it has played."""
        current = self._at(report.n)
        if current is None:
            return
        now = self._clock()
        if current.cut_at is not None and (not report.final or now - current.cut_at > AMEND_S):
            return
        sent = current.reply.playout.sent_samples if current.cut_at is None else self._sink.sent_samples(report.n)
        current.played(report, now, sent)
        if current.cut_at is not None:
            self._amend(current, now)

    def knows(self, n: int) -> bool:
        """Whether what was heard of reply `n` may still change."""
        return self._at(n) is not None

    def truncate(self, n: int, audio_ms: int) -> bool:
        """The caller has heard so much of reply `n`, and will hear no more; whether it must still be stopped. The
        history holds what it would after an interrupt at that point."""
        current = self._at(n)
        if current is None:
            return False
        current.reply.playout.truncate(round(audio_ms * current.rate_hz / 1000))
        if current.cut_at is None and not current.task.done():
            return True
        self._amend(current, self._clock(), tells_always=True)
        return False

    def _amend(self, current: CurrentReply, now: float, *, tells_always: bool = False) -> None:
        """The caller knows better what it has heard of a reply that is over."""
        n, (heard, heard_ms) = current.reply.n, current.heard(now)
        if tells_always or heard != self.conversation.reply_to(n):
            self.conversation = self.conversation.truncated(n, heard)
            self._changed(TurnKind.REPLY_TRUNCATED, n, heard_text=heard, heard_ms=heard_ms)

    def moment(self) -> ReplyMoment | None:
        """What the reply that has the floor is like now, for its caller; None = none is heard."""
        return self._recent[-1].moment(self._clock()) if self._recent else None

    def echo_words(self, n: int, from_sample: int) -> str:
        """The words of reply `n` that may come back to a microphone which heard sound from `from_sample` on."""
        current = self._at(n)
        return current.echo_words(from_sample) if current else ""

    def silence(self, silenced: bool) -> None:
        """While nobody is attached, audio stays here."""
        self._silenced = silenced
        for recent in self._recent:
            if silenced:
                recent.reply.hold()
            elif recent.held_at is None and not recent.task.cancelling():
                recent.reply.resume()

    def stop(self) -> None:
        """The call is over."""
        self._memory.stop()
        self._drop_draft()
        for recent in self._recent:
            recent.task.cancel()
        if self._preparation is not None:
            self._preparation.cancel()

    def reply_text_added(self, n: int, delta: str) -> None:
        """Listener of the reply."""
        self._sink.send(ReplyText(n, delta))

    def reply_has_room(self, n: int) -> bool:
        """Listener of the reply."""
        current = self._at(n)
        return current is not None and self._sink.has_room(current.rate_hz, self._setup.lead_s)

    def reply_audio_due(self, n: int, offset: int, pcm16: bytes) -> None:
        """Listener of the reply."""
        self._sink.send(ReplyAudio(n, offset, pcm16))
        if offset == 0:
            self.reply_marked(n, Mark.REPLY_LEFT)
            self._sink.post(ReplyAudible(n))

    def reply_marked(self, n: int, mark: Mark) -> None:
        """Listener of the reply."""
        if current := self._at(n):
            current.timeline.mark(mark, self._clock())

    def reply_requested(self, n: int) -> None:
        """Listener of the reply."""
        self._sink.note_work()

    def reply_failed(self, n: int, error: Upstream) -> None:
        """Listener of the reply."""
        if error.overloaded:
            self._setup.note_overload(error.retry_after_s)
        self._sink.send(failed(error))

    def reply_tools_changed(self, n: int) -> None:
        """Listener of the reply."""
        if current := self._at(n):
            self.conversation = self.conversation.called(n, current.reply.rounds)

    def _ended(self, n: int) -> None:
        """Everything was played; or there was nothing to play."""
        current = self._at(n)
        if current is None or current.cut_at is not None:
            return
        reply = current.reply
        self._builder.learn(reply)
        text = reply.playout.spoken_text() if reply.failed else reply.text.strip()
        self.conversation = self.conversation.replied(n, text)
        self._changed(TurnKind.REPLY_ENDED, n, text=text)
        self._measured(current)
        self._sink.post(ReplyEnded(n))

    def _at(self, n: int) -> CurrentReply | None:
        return next((recent for recent in self._recent if recent.reply.n == n), None)

    def _changed(self, kind: TurnKind, n: int, **what: Any) -> None:
        recent = self._at(n)
        turn = recent.turn if recent else self._sink.turn
        self._sink.send(TurnChanged(kind, turn, self._clock(), reply=n, **what))

    def _measured(self, current: CurrentReply) -> None:
        latencies = current.timeline.latencies()
        if latencies:
            self._sink.send(TurnMeasured(current.turn, current.reply.n, latencies))
