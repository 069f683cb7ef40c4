"""How is a long call remembered? Its history, and a summary of the oldest of it that the model writes between turns.

A summary is begun while the model has nothing to do for this call and the caller does not speak: while a reply is
played, or nobody says anything. A reply goes first: its request ends a summary that is going on, which is tried again
later; only after that has happened twice in a row one goes on beside replies. A summary that is late or fails costs
nothing but memory: what does not fit is left out of requests (`core/chat_budget`) and waits here.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from voice_gateway.core.conversation import CHARS_PER_TOKEN, Conversation, Message
from voice_gateway.core.events import CallOptions, LlmOptions
from voice_gateway.core.speakable.thought_filter import Opening, ThoughtFilter
from voice_gateway.core.summary import LEAST, SummaryEnd, SummaryPolicy, Tries, outgrown, request, room
from voice_gateway.core.tokens import beginning
from voice_gateway.errors import Upstream
from voice_gateway.interfaces import LanguageModel
from voice_gateway.reply.fitted_model import ContextLimits, FittedModel

log = logging.getLogger(__name__)

_LEAST_WAITING = 2 * LEAST
"""Exchanges that may wait for a summary, however few are shown."""
_CALMER = 0.3
"""The highest temperature of a summary."""
_LONGEST = 4
"""Times the longest summary: so much of an answer is read at most, thoughts included."""


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """How much of a call is remembered."""

    limits: ContextLimits = field(default_factory=ContextLimits)
    summaries: SummaryPolicy = field(default_factory=SummaryPolicy)
    opening: Opening = Opening.ANSWER
    """How the model's answers begin."""


class MemorySink(Protocol):
    """Who is told what memory costs."""

    def note_chat(self, tokens: int) -> None:
        """The model is asked with a chat of about so many tokens."""

    def note_summary(self, end: SummaryEnd) -> None:
        """A summary is over."""


@dataclass(frozen=True, slots=True)
class TurnGap:
    """Nobody needs the model: a reply is being played, or nobody speaks."""

    options: CallOptions
    settled_before: int
    """Replies from this one on may still change."""


class Memory:  # size: the history, the summary that is written of it, and when that may be
    """One call's. Its `model` is the one that replies ask."""

    def __init__(
        self,
        model: LanguageModel,
        settings: MemorySettings,
        sink: MemorySink,
        clock: Callable[[], float],
        has_headroom: Callable[[], bool] = lambda: True,
    ) -> None:
        shown, most_chars = settings.limits.exchanges, CHARS_PER_TOKEN * settings.limits.tokens
        self.conversation = Conversation(limit=shown + max(shown, _LEAST_WAITING), max_chars=most_chars)
        self.model = FittedModel(model, settings.limits, self)
        self._settings = settings
        self._sink = sink
        self._clock = clock
        self._has_headroom = has_headroom
        self._tasks: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[None] | None = None
        """The summary that is being written."""
        self._gap: TurnGap | None = None
        self._tries = Tries()
        self._may_change = True
        self._made: tuple[int, str] | None = None
        """A summary that waits until the history may change, and the last reply that it stands for."""
        self._small: Conversation | None = None
        """The conversation that was last found to need no summary."""

    def open(self, tasks: asyncio.TaskGroup) -> None:
        """Summaries are written in `tasks` from now on."""
        self._tasks = tasks

    def stop(self) -> None:
        """The call is over."""
        self._tasks = None
        if self._task is not None:
            self._task.cancel()

    def note(self, gap: TurnGap | None, *, may_change: bool) -> None:
        """Whether there is a gap now, and whether the history may change: not while a draft waits that was begun on
        it."""
        self._gap, self._may_change = gap, may_change
        self._take()
        self._begin()

    def model_asked(self, tokens: int) -> None:
        """A reply is on its way to the model: it goes first."""
        self._sink.note_chat(tokens)
        if self._task is not None and not self._task.done() and self._tries.may_yield:
            self._task.cancel()
            self._over("yielded", self._tries.gave_way())

    def model_free(self) -> None:
        """No reply is being written any more."""
        self._begin()

    def _begin(self) -> None:
        """Have a summary written, where one is due and may be."""
        gap, policy, limits = self._gap, self._settings.summaries, self._settings.limits
        if gap is None or self._tasks is None or not policy.enabled or self.model.is_asked:
            return
        if self._task is not None or self._made is not None or self.conversation is self._small:
            return
        if not self._tries.may_start(self._clock()) or not self._has_headroom():
            return
        history = room(gap.options.system_prompt, self.model.budget(gap.options.llm), limits.exchanges, policy)
        entries = outgrown(self.conversation, history, gap.settled_before)
        if not entries:
            self._small = self.conversation
            return
        temperature = min(_CALMER, gap.options.llm.temperature)
        options = replace(gap.options.llm, temperature=temperature, max_tokens=policy.tokens)
        summary, language = self.conversation.summary, gap.options.language
        chat, through = request(policy, language, summary, entries, self.model.budget(options))
        self._task = self._tasks.create_task(self._summarise(chat, options, through), name="summary")

    async def _summarise(self, chat: Sequence[Message], options: LlmOptions, through: int) -> None:
        text, why = "", "the model said nothing but thoughts"
        end: SummaryEnd = "failed"
        try:
            async with asyncio.timeout(self._settings.summaries.timeout_s):
                text = await self._read(chat, options)
        except TimeoutError:
            end, why = "timeout", "LLM_SUMMARY_TIMEOUT_S passed"
        except Upstream as error:
            why = str(error)
        if text:
            self._made = through, text
            self._take()
            self._over("done", Tries())
        else:
            log.warning("the call was not summarised: %s", why)
            self._over(end, self._tries.failed(self._clock()))

    def _take(self) -> None:
        if self._made is not None and self._may_change:
            self.conversation = self.conversation.summarised(*self._made)
            self._made = None

    def _over(self, end: SummaryEnd, tries: Tries) -> None:
        self._task, self._tries = None, tries
        self._sink.note_summary(end)

    async def _read(self, chat: Sequence[Message], options: LlmOptions) -> str:
        """The model's answer without its thoughts; "" = there is nothing else."""
        most = self._settings.summaries.tokens
        thoughts, text, chars = ThoughtFilter(self._settings.opening), "", 0
        async with aclosing(self.model.answer_aside(chat, options)) as pieces:
            async for piece in pieces:
                said = thoughts.push(piece)
                text, chars = said.text if said.retracts else text + said.text, chars + len(piece)
                if chars > _LONGEST * CHARS_PER_TOKEN * most:
                    break
        said = thoughts.flush()
        return beginning((said.text if said.retracts else text + said.text).strip(), most)
