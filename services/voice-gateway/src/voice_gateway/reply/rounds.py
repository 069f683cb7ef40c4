"""How does an answer come about that needs tools? The model answers, tools are called, it is shown their results and
answers again, until it calls none.

All of it is one generator of words: closing it cancels the request, or the calls that run. Before the turn is decided
only tools without side effects are called. While tools run and the caller hears nothing, a filler is said now and then.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from voice_gateway.core.conversation import Message, round_messages
from voice_gateway.core.tools import (
    AUTO,
    NO_TOOLS,
    Outcome,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolRound,
    ToolUse,
    cancelled,
)
from voice_gateway.interfaces import ToolRunner
from voice_gateway.reply.source import Boundary, Speaker

Ask: TypeAlias = Callable[[Sequence[Message], ToolChoice], AsyncGenerator[str | ToolCall, None]]
"""Asks the model."""
LOOK_AGAIN_S = 0.1
"""How often it is looked whether the caller still hears something, while a tool takes long."""
_TICK_S = 0.001
"""Of the loop's clock: a shorter wait would spin."""


@dataclass(frozen=True, slots=True)
class RoundLimits:
    """How much one reply may call."""

    rounds: int = 5
    """Answers with calls; after that the model must do with what it knows."""
    parallel: int = 8
    """Calls in one answer."""
    filler_after_s: float = 1.5
    """With nothing to hear for so long while a tool runs a filler is said, the next after twice as long; 0 = never."""


class AnswerWithTools:
    """One reply's answers. `n` is the reply's number."""

    def __init__(
        self,
        n: int,
        ask: Ask,
        tools: Sequence[Tool],
        runner: ToolRunner,
        limits: RoundLimits,
        clock: Callable[[], float],
        use: ToolUse = AUTO,
    ) -> None:
        self._n = n
        self._ask = ask
        self._first = ToolChoice(tuple(tools), use.mode != "none", use)
        """What the first answer may call; those after it may call what they like."""
        self._runner = runner
        self._limits = limits
        self._clock = clock
        self._speaker: Speaker | None = None
        self._decided = asyncio.Event()
        self._decided_at = inf
        self._rounds: list[_Round] = []

    @property
    def record(self) -> tuple[ToolRound, ...]:
        """The calls so far, each with a result: until it has come, that it was cancelled."""
        acting = {tool.name for tool in self._first.tools if tool.side_effects} if self._decided.is_set() else set()
        return tuple(round_.recorded(acting) for round_ in self._rounds)

    def begin(self, speaker: Speaker) -> None:
        """`speaker` says the words."""
        self._speaker = speaker

    def decide(self) -> None:
        """The turn is decided: tools with side effects may be called, and the caller waits."""
        if not self._decided.is_set():
            self._decided_at = self._clock()
            self._decided.set()

    async def pieces(self, chat: Sequence[Message]) -> AsyncGenerator[str | Boundary, None]:
        """The words, as they come. Raises Upstream where the model fails."""
        chat, said_chars = list(chat), 0
        for count in range(self._limits.rounds + 1):
            calls: list[ToolCall] = []
            choice = self._choice(count)
            async with aclosing(self._ask(chat, choice)) as answer:
                async for piece in answer:
                    if isinstance(piece, str):
                        yield piece
                    elif choice.may_call:
                        calls.append(piece)
            if not calls:
                return
            yield Boundary()
            text = self._speaker.text if self._speaker else ""
            round_ = _Round(text[said_chars:].strip(), tuple(calls), {})
            said_chars = len(text)
            async with aclosing(self._run(round_)) as fillers:
                async for filler in fillers:
                    yield filler
            chat += round_messages(round_.recorded(set()), round_.said)

    def _choice(self, count: int) -> ToolChoice:
        """What the answer after `count` rounds of calls may call: what the client wants of it holds for the first."""
        if not self._first.tools:
            return NO_TOOLS
        return ToolChoice(self._first.tools, count < self._limits.rounds) if count else self._first

    async def _run(self, round_: "_Round") -> AsyncGenerator[str | Boundary, None]:
        """Call all tools at once; what is said meanwhile."""
        self._rounds.append(round_)
        self._changed()
        tasks = {
            asyncio.create_task(self._call(round_, number, call), name=f"reply {self._n} tool {call.name}")
            for number, call in enumerate(round_.calls)
        }
        try:
            async with aclosing(self._said_while(tasks)) as fillers:
                async for filler in fillers:
                    yield filler
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _call(self, round_: "_Round", number: int, call: ToolCall) -> None:
        if number < self._limits.parallel:
            tool = next((tool for tool in self._first.tools if tool.name == call.name), None)
            result = await self._runner.run(call, tool, self._n, self._decided)
        else:
            most = f"at most {self._limits.parallel} tools can be called at once; call this one again if it is needed"
            result = ToolResult(call.id, f"Error: {most}.", Outcome.REFUSED)
        round_.results[number] = result
        self._changed()

    async def _said_while(self, tasks: set[asyncio.Task[None]]) -> AsyncGenerator[str | Boundary, None]:
        """A filler, whenever the caller has heard nothing for too long; until all tasks are done."""
        pending, wait_s = tasks, self._limits.filler_after_s or inf
        while pending:
            left_s = self._quiet_from() + wait_s - self._clock()
            if left_s <= 0:
                if not (filler := self._runner.filler(self._n)):
                    wait_s = inf
                    continue
                yield Boundary(filler=True)
                yield filler
                yield Boundary()
                wait_s *= 2
            timeout_s = None if wait_s == inf else min(max(left_s, _TICK_S), LOOK_AGAIN_S)
            _, pending = await asyncio.wait(pending, timeout=timeout_s)

    def _quiet_from(self) -> float:
        return max(self._decided_at, self._speaker.quiet_from() if self._speaker else inf)

    def _changed(self) -> None:
        if self._speaker:
            self._speaker.rounds_changed()


@dataclass(slots=True)
class _Round:
    """The calls of one answer, and the results that have come, by their place."""

    said: str
    calls: tuple[ToolCall, ...]
    results: dict[int, ToolResult]

    def recorded(self, acting: set[str]) -> ToolRound:
        """As it stands; `acting` are the tools whose calls may have acted already."""
        results = (
            self.results.get(number) or cancelled(call, may_have_acted=call.name in acting)
            for number, call in enumerate(self.calls)
        )
        return ToolRound(self.said, self.calls, tuple(results))
