"""Is the oldest of a long call summarised between turns, and never on the way of one? In virtual time."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from scripted_backends import ScriptedModel, Step, performed
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import CallOptions, LlmOptions
from voice_gateway.core.summary import MOST_FAILURES, SummaryEnd, SummaryPolicy
from voice_gateway.core.tools import NO_TOOLS, ToolCall, ToolChoice
from voice_gateway.core.turn_policy import Policy
from voice_gateway.errors import Broken
from voice_gateway.reply.fitted_model import ContextLimits
from voice_gateway.session.memory import Memory, MemorySettings, TurnGap

pytestmark = pytest.mark.looptime

OPTIONS = CallOptions("de-DE", "Anna", "Be kind.", LlmOptions("m", 0.9, 64), Policy(), 1000)
SUMMARIES = SummaryPolicy(prompt="Summarise.", tokens=60, timeout_s=20.0)
LIMITS = ContextLimits(4000, 20)
DUE = 15
"""More than 70 % of 20 exchanges."""


class Model(ScriptedModel):
    """Writes each summary by the next script, and answers everything else at once."""

    def __init__(self, *summaries: tuple[Step, ...]) -> None:
        super().__init__()
        self.summaries = deque(summaries)
        self.asked: list[tuple[str, LlmOptions]] = []

    async def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall, None]:
        self.asked.append((chat[-1].content, options))
        if chat[0].content != SUMMARIES.prompt:
            yield "All right."
            return
        try:
            for step in self.summaries.popleft():
                if isinstance(step, str):
                    yield step
                else:
                    await performed(step)
        finally:
            self.closed += 1


class Talk:
    """A call's memory, and who talks."""

    def __init__(self, tasks: asyncio.TaskGroup, policy: SummaryPolicy, *summaries: tuple[Step, ...]) -> None:
        self.model = Model(*summaries)
        self.ends: list[SummaryEnd] = []
        self.has_headroom = True
        self.numbers = itertools.count(1)
        self.now = asyncio.get_running_loop().time
        self.memory = Memory(
            self.model, MemorySettings(LIMITS, policy), self, self.now, has_headroom=lambda: self.has_headroom
        )
        self.memory.open(tasks)

    def note_chat(self, tokens: int) -> None:
        """Nothing."""

    def note_summary(self, end: SummaryEnd) -> None:
        self.ends.append(end)

    def say(self, exchanges: int = 1, words: str = "word word") -> None:
        for n in itertools.islice(self.numbers, exchanges):
            said = self.memory.conversation.said(n, f"q{n} {words}")
            self.memory.conversation = said.replied(n, f"a{n}")

    def gap(self, settled_before: int = 10**9, *, may_change: bool = True) -> None:
        self.memory.note(TurnGap(OPTIONS, settled_before), may_change=may_change)

    async def reply(self) -> None:
        """The caller speaks, and a reply is written and played."""
        self.memory.note(None, may_change=True)
        self.say()
        async for _ in self.memory.model.answer([Message("user", "reply")], OPTIONS.llm):
            pass
        self.gap()
        await asyncio.sleep(0.01)

    @property
    def shown(self) -> list[int]:
        return [entry.n for entry in self.memory.conversation.exchanges]

    @property
    def requests(self) -> list[str]:
        return ["reply" if content == "reply" else "summary" for content, _ in self.model.asked]


@asynccontextmanager
async def talk(*summaries: tuple[Step, ...], policy: SummaryPolicy = SUMMARIES) -> AsyncGenerator[Talk, None]:
    async with asyncio.TaskGroup() as tasks:
        there = Talk(tasks, policy, *summaries)
        there.say(DUE - 1)
        yield there
        there.memory.stop()


async def test_a_summary_that_is_due_is_written_in_the_next_gap_and_stands_for_the_oldest() -> None:
    async with talk((2.0, "Rosa wants ", "a table.")) as there:
        there.gap()
        there.say()
        assert there.requests == []
        there.gap()
        await asyncio.sleep(1.9)
        assert there.requests == ["summary"]
        assert there.shown == list(range(1, DUE + 1))
        await asyncio.sleep(0.2)
        assert there.memory.conversation.summary == "Rosa wants a table."
        assert there.shown == list(range(DUE - 7, DUE + 1))
        assert there.ends == ["done"]
        asked, options = there.model.asked[0]
        assert asked.startswith("Language: de-DE\n\nSaid since:\nCaller: q1 word word\nAgent: a1\nCaller: q2")
        assert options == LlmOptions("m", 0.3, 60)


async def test_the_next_summary_is_shown_the_one_before() -> None:
    async with talk(("First.",), ("Second.",)) as there:
        for _ in range(2):
            there.say(7)
            there.gap()
            await asyncio.sleep(1)
        asked, _ = there.model.asked[1]
        assert asked.startswith("Language: de-DE\n\nNotes so far:\nFirst.\n\nSaid since:\nCaller: q14")
        assert there.memory.conversation.summary == "Second."
        assert there.ends == ["done", "done"]


async def test_a_reply_goes_first_and_the_summary_is_tried_again_in_the_next_gap() -> None:
    async with talk((5.0, "never"), (1.0, "Rosa calls.")) as there:
        there.say()
        there.gap()
        await asyncio.sleep(1)
        await there.reply()
        assert there.requests == ["summary", "reply", "summary"]
        assert there.ends == ["yielded"]
        await asyncio.sleep(1.5)
        assert there.model.closed == 2
        assert there.ends == ["yielded", "done"]
        assert there.memory.conversation.summary == "Rosa calls."


async def test_a_summary_that_gave_way_twice_goes_on_beside_replies() -> None:
    async with talk((5.0, "never"), (5.0, "never"), (5.0, "Rosa calls.")) as there:
        there.say()
        there.gap()
        for _ in range(6):
            await asyncio.sleep(1)
            await there.reply()
        assert there.requests == ["summary", "reply", "summary", "reply", "summary", "reply", "reply", "reply", "reply"]
        assert there.ends == ["yielded", "yielded"]
        await asyncio.sleep(1.1)
        assert there.ends == ["yielded", "yielded", "done"]
        assert there.shown[-6:] == list(range(DUE + 1, DUE + 7))


async def test_none_is_begun_while_a_reply_is_being_written_or_the_caller_speaks() -> None:
    async with talk(("Rosa calls.",)) as there:
        there.say()
        answer = there.memory.model.answer([Message("user", "reply")], OPTIONS.llm)
        await anext(answer)
        there.gap()
        await asyncio.sleep(1)
        assert there.requests == ["reply"]
        there.memory.note(None, may_change=True)
        await answer.aclose()
        await asyncio.sleep(1)
        assert there.requests == ["reply"]
        there.gap()
        await asyncio.sleep(1)
        assert there.requests == ["reply", "summary"]


async def test_one_is_begun_as_soon_as_the_model_has_written_the_reply_that_is_being_played() -> None:
    async with talk(("Rosa calls.",)) as there:
        there.say()
        answer = there.memory.model.answer([Message("user", "reply")], OPTIONS.llm)
        await anext(answer)
        there.gap()
        async for _ in answer:
            pass
        await asyncio.sleep(0.1)
        assert there.requests == ["reply", "summary"]


async def test_replies_that_may_still_change_are_left_for_the_next_one() -> None:
    async with talk(("Rosa calls.",), ("More.",)) as there:
        there.say()
        there.gap(settled_before=6)
        await asyncio.sleep(1)
        assert there.shown == list(range(6, DUE + 1))


async def test_the_history_does_not_change_under_a_draft() -> None:
    async with talk((1.0, "Rosa calls.")) as there:
        there.say()
        there.gap()
        await asyncio.sleep(0.5)
        before = there.memory.conversation
        there.memory.note(None, may_change=False)
        await asyncio.sleep(1)
        assert there.ends == ["done"]
        assert there.memory.conversation is before
        there.memory.note(None, may_change=True)
        assert there.memory.conversation.summary == "Rosa calls."


async def test_a_gateway_without_headroom_writes_none_until_it_has() -> None:
    async with talk(("Rosa calls.",)) as there:
        there.say()
        there.has_headroom = False
        there.gap()
        await asyncio.sleep(1)
        assert there.requests == []
        there.has_headroom = True
        there.gap()
        await asyncio.sleep(1)
        assert there.ends == ["done"]


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ((Broken("llm", "it broke"),), "failed"),
        (("<think>What do I write?</think> ",), "failed"),
        ((60.0, "late"), "timeout"),
        (("Rosa ", 60.0), "timeout"),
    ],
)
async def test_a_summary_that_fails_is_tried_again_later_and_not_for_ever(
    script: tuple[Step, ...], end: SummaryEnd
) -> None:
    async with talk(*[script] * 10) as there:
        there.say()
        for _ in range(600):
            there.gap()
            await asyncio.sleep(1)
        assert there.ends == [end] * MOST_FAILURES
        assert there.memory.conversation.summary == ""
        there.say(50)
        assert len(there.shown) <= 2 * LIMITS.exchanges


async def test_a_failure_is_forgotten_with_the_next_success() -> None:
    failing, good = (Broken("llm", "it broke"),), ("Rosa calls.",)
    async with talk(failing, failing, good, failing, good) as there:
        for _ in range(200):
            there.say()
            there.gap()
            await asyncio.sleep(1)
            if len(there.ends) == 5:
                break
        assert there.ends == ["failed", "failed", "done", "failed", "done"]


async def test_of_an_endless_summary_the_beginning_is_kept_and_the_rest_not_waited_for() -> None:
    endless: tuple[Step, ...] = ("Rosa wants a table. ", 0.001) * 10_000
    async with talk(endless) as there:
        there.say()
        there.gap()
        await asyncio.sleep(5)
        assert there.ends == ["done"]
        assert there.model.closed == 1
        assert 150 < len(there.memory.conversation.summary) < 300
        assert there.memory.conversation.summary.endswith("…")


async def test_thoughts_are_no_part_of_a_summary() -> None:
    async with talk(("<think>They want", " a table.</think>", "Rosa calls.")) as there:
        there.say()
        there.gap()
        await asyncio.sleep(1)
        assert there.memory.conversation.summary == "Rosa calls."


async def test_where_summaries_are_off_the_oldest_are_forgotten() -> None:
    async with talk(policy=SummaryPolicy(enabled=False)) as there:
        for _ in range(60):
            there.say()
            there.gap()
            await asyncio.sleep(1)
        assert there.requests == []
        assert len(there.shown) <= 2 * LIMITS.exchanges


async def test_a_call_that_ends_over_a_summary_leaves_nothing_of_it() -> None:
    async with talk((60.0, "never")) as there:
        there.say()
        there.gap()
        await asyncio.sleep(1)
    assert there.model.closed == 1
    there.gap()
    assert there.requests == ["summary"]
