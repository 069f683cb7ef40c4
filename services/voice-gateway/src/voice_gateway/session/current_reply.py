"""What became of one reply: its task, its account of played audio, and what its caller hears of it now."""

import asyncio
from dataclasses import dataclass

from voice_gateway.core.backchannels import ASKED_S, ReplyMoment, holds_question
from voice_gateway.core.echo import BEFORE_S
from voice_gateway.core.events import INPUT_RATE_HZ, PlayoutReported
from voice_gateway.core.timeline import Mark, Timeline
from voice_gateway.reply.reply import Reply

_WORD_S = 0.5
"""A word that is over so soon has begun."""


@dataclass(slots=True)
class CurrentReply:
    """The reply that has the floor, or had it, and its account."""

    reply: Reply
    task: asyncio.Task[None]
    timeline: Timeline
    turn: int
    t0_sample: int
    rate_hz: int
    held_at: float | None = None
    """When the turn machine held it, whether or not anybody is attached."""
    cut_at: float | None = None
    """When it was interrupted."""

    def stop(self) -> None:
        """Nothing more leaves, from now on: a task that is cancelled still takes the step that it was woken for."""
        self.reply.hold()
        self.task.cancel()

    def played(self, report: PlayoutReported, now: float, sent_samples: int) -> None:
        """The caller says what it has played of the `sent_samples` that went out."""
        playout, marks = self.reply.playout, self.timeline.marks
        playout.report(min(report.samples, sent_samples), now, final=report.final)
        if 0 < report.samples <= playout.sent_samples and self.t0_sample:
            began = report.input_sample - report.samples * INPUT_RATE_HZ / self.rate_hz
            after_t0_s = (began - self.t0_sample) / INPUT_RATE_HZ
            self.timeline.mark(Mark.REPLY_PLAYED, marks.get(Mark.SPEECH_ENDED, 0.0) + after_t0_s)

    def heard(self, now: float) -> tuple[str, int]:
        """What was heard of it by now: the text, and milliseconds."""
        playout = self.reply.playout
        if self.reply.is_text_only:
            return self.reply.told_text, 0
        return playout.heard_text(now), round(1000 * playout.heard_samples(now) / self.rate_hz)

    def moment(self, now: float) -> ReplyMoment | None:
        """What it is like now, for its caller; None = nothing of it is heard."""
        playout, rate_hz = self.reply.playout, self.rate_hz
        if self.task.done() or self.cut_at is not None or not playout.sent_samples:
            return None
        heard = playout.heard_samples(now)
        around = playout.text_between(heard - round(ASKED_S * rate_hz), heard + round(_WORD_S * rate_hz))
        return ReplyMoment(self.reply.n, heard, self.reply.left_s(), holds_question(around))

    def echo_words(self, from_sample: int) -> str:
        """Its words that may come back to a microphone which heard sound from `from_sample` on."""
        rate_hz, playout = self.rate_hz, self.reply.playout
        first, last = from_sample - round(BEFORE_S * rate_hz), playout.sent_samples + round(_WORD_S * rate_hz)
        return playout.text_between(first, last)
