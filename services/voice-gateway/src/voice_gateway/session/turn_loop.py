"""What runs the turn machine? This loop takes facts from the inbox, steps the machine and carries out its orders.

Orders start or stop things; nothing here waits for an effect.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from voice_gateway.core import turn_states, turn_types, turns
from voice_gateway.core.endings import ending
from voice_gateway.core.events import CallEnded, CallOptions, EndReason, Failed, Failure, TurnChanged, TurnKind
from voice_gateway.core.language import Language
from voice_gateway.core.timeline import Mark, Timeline
from voice_gateway.core.turn_types import Cause
from voice_gateway.reply.reply import TICK_S
from voice_gateway.session.caller_input import CallerInput
from voice_gateway.session.mailboxes import Mailboxes
from voice_gateway.session.reply_controller import ReplyController
from voice_gateway.session.turn_clock import TurnClock
from voice_gateway.session.turn_log_file import TurnLog

_ENDS = {
    "idle": CallEnded(EndReason.IDLE, "nobody has spoken for a while"),
    Cause.RECOGNISER_LOST.value: CallEnded(EndReason.FAILED, "speech recognition can't be reached; call again later"),
}


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What an operator chose."""

    max_session_s: float
    language: Language
    """The sentences that the gateway says by itself, and the words that say that a turn goes on."""
    has_headroom: Callable[[], bool] = lambda: True
    """Whether drafts may be begun: they are the first work that a gateway under load leaves."""


class TurnLoop:  # size: what the machine's orders reach: it starts and stops the other parts
    """One call's turn-taking, from its first fact to its last."""

    def __init__(
        self,
        options: CallOptions,
        settings: LoopSettings,
        mailboxes: Mailboxes,
        caller_input: CallerInput,
        replies: ReplyController,
        turn_log: TurnLog,
        clock: Callable[[], float],
        turn_clock: TurnClock,
    ) -> None:
        self.options = options
        self.state: turn_states.State = turn_states.Idle(turn_states.Call(language=options.language), 0.0)
        self._settings = settings
        self._mailboxes = mailboxes
        self._caller_input = caller_input
        self._replies = replies
        self._turn_log = turn_log
        self._clock = clock
        self._turn_clock = turn_clock
        self._began_at = clock()
        self._answers_words = False
        self._policy = options.policy
        """What the machine goes by now."""
        self._asked: CallOptions | None = None
        """Of the reply that the client has asked for, where they are its own."""

    @property
    def age_s(self) -> float:
        """Seconds since the call began."""
        return self._clock() - self._began_at

    def change(self, options: CallOptions) -> None:
        """Go by these options from now on."""
        self.options = options
        self._follow_policy()

    def ask_for_reply(self, options: CallOptions | None) -> None:
        """The client wants a reply; `options` are that reply's own, None = what holds."""
        self._asked = options

    def _follow_policy(self) -> None:
        policy = self.options.policy
        if policy.drafts and not self._settings.has_headroom():
            policy = replace(policy, drafts=False)
        if policy != self._policy:
            self._policy = policy
            self._turn_log.change(self._turn_clock.now(), policy)

    async def run(self) -> CallEnded:
        """Until the call is over."""
        while True:
            event = await self._next_event()
            if isinstance(event, CallEnded):
                return event
            now = self._turn_clock.now()
            if isinstance(event, turn_types.Typed) and not self._fits(event.text):
                continue
            self._follow_policy()
            event = self._judged(event)
            self._turn_log.write(now, event)
            before = self.state
            self.state, actions = turns.step(before, event, now, self._policy)
            self._mailboxes.is_replying = isinstance(
                self.state, turn_states.Thinking | turn_states.Speaking | turn_states.Overlap
            )
            for action in actions:
                self._perform(action)
            was_committed = isinstance(before, turn_states.Pausing) and before.committed
            if was_committed and isinstance(self.state, turn_states.Idle):
                self._mailboxes.send(TurnChanged(TurnKind.TURN_EMPTY, self._mailboxes.turn, self._clock()))
            self._mailboxes.note_work()
            is_gap = isinstance(self.state, turn_states.Idle | turn_states.Speaking)
            self._replies.note_gap(self.options if is_gap else None)
            if isinstance(self.state, turn_states.Ended):
                return _ENDS[self.state.reason]

    def _judged(self, event: turn_types.Event) -> turn_types.Event:
        """How the turn ends with words that were heard; here, because its other words are known here."""
        if not isinstance(event, turn_types.Heard) or not (event.text or event.final):
            return event
        words = f"{turn_states.finals(self.state)} {event.text}"
        return replace(event, ending=ending(words, self._settings.language))

    async def _next_event(self) -> turn_types.Event | CallEnded:
        while True:
            wait_s = self._settings.max_session_s - self.age_s
            due = turns.deadline(self.state, self._policy)
            if due is not None and not self._turn_clock.is_stopped:
                wait_s = min(wait_s, due - self._turn_clock.now())
            try:
                async with asyncio.timeout(max(wait_s, TICK_S)):
                    return await self._mailboxes.inbox.get()
            except TimeoutError:
                if self.age_s >= self._settings.max_session_s:
                    return CallEnded(EndReason.MAX_DURATION, "the call has reached its longest duration; connect again")
            if not self._turn_clock.is_stopped:
                return turn_types.Tick()

    def _fits(self, typed: str) -> bool:
        """Whether the turn may grow by what was typed; else the caller is told."""
        chars, most = turn_states.turn_chars(self.state) + len(typed), turn_states.MAX_TURN_CHARS
        if turn_states.turn_chars(self.state) and chars > most:
            sentence = (
                f"this turn would have {chars} characters, and {most} are the most; wait for the reply, "
                "then go on typing"
            )
            self._mailboxes.send(Failed(Failure.OVERLOADED, sentence, True, 1.0))
            return False
        return True

    def _perform(self, action: turn_types.Action) -> None:
        match action:
            case turn_types.StartReply(n, words, draft=True):
                self._replies.draft(n, words, self.options)
            case turn_types.StartReply(n, words, _, cause):
                self._start(n, words, cause)
            case turn_types.ReleaseReply(n, words):
                self._start(n, words, Cause.WORDS)
            case turn_types.HoldReply(n):
                self._replies.hold(n)
            case turn_types.ResumeReply(n):
                self._replies.resume(n)
            case turn_types.RetractReply(n):
                if self._replies.retract(n):
                    self._mailboxes.turn -= self._answers_words
            case turn_types.InterruptReply(n):
                is_barge_in = not isinstance(self.state, turn_states.Idle | turn_states.Thinking)
                self._replies.interrupt(n, self._caller_input.speech_began_at if is_barge_in else None)
            case turn_types.CorrectWords(n, told, right):
                self._replies.correct(n, told, right)
            case turn_types.EndCall():
                pass  # it shows in the state

    def _start(self, n: int, words: str, cause: turn_types.Cause) -> None:
        timeline = Timeline({})
        t0_sample = 0
        asked, self._asked = self._asked, None
        options = asked if asked is not None and cause is Cause.ASKED else self.options
        self._answers_words = cause is Cause.WORDS or (cause is Cause.ASKED and bool(words))
        known = "" if cause in (Cause.WORDS, Cause.ASKED) else self._sentence(cause)
        if self._answers_words:
            t0_sample = self._mark_turn(timeline)
            self._mailboxes.send(
                TurnChanged(TurnKind.TURN_ENDED, self._mailboxes.turn, self._clock(), text=words, answer=n)
            )
        if cause is Cause.WORDS and not options.answers:
            self._replies.remember(n, words)
            self._mailboxes.post(turn_types.ReplyEnded(n))
        else:
            self._replies.start(n, words, known, options, timeline, t0_sample, cause)
        self._mailboxes.turn += self._answers_words

    def _sentence(self, cause: Cause) -> str:
        """What is said where the caller asked nothing."""
        language = self._settings.language
        return {
            Cause.GREETING: self.options.greeting,
            Cause.SILENCE: language.idle_prompt,
            Cause.GOODBYE: language.goodbye,
            Cause.TIME_LOW: language.call_warning,
            Cause.WORDS_LOST: language.not_understood,
            Cause.RECOGNISER_LOST: language.cannot_hear,
        }[cause]

    def _mark_turn(self, timeline: Timeline) -> int:
        """The caller's side of the timeline; the input sample of T0, 0 = no speech yet."""
        call, caller_input = self.state.call, self._caller_input
        timeline.asr_lag_s = max(0.0, call.heard_at - call.heard_until)
        if caller_input.last_speech_at:
            timeline.mark(Mark.SPEECH_ENDED, caller_input.last_speech_at)
            if caller_input.final_at >= caller_input.last_speech_at:
                timeline.mark(Mark.ASR_FINAL, caller_input.final_at)
        timeline.mark(Mark.TURN_ENDED, self._clock())
        return caller_input.last_speech_sample
