"""Answers and tools take turns until there is an answer; no call runs longer, earlier or more often than it may."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from math import inf
from typing import TypeAlias

import pytest
from scripted_backends import RATE_HZ, ScriptedVoice, performed
from voice_gateway.core.conversation import Message
from voice_gateway.core.playout import Playout
from voice_gateway.core.speech_types import SynthesisOptions
from voice_gateway.core.timeline import Mark
from voice_gateway.core.tools import Outcome, Tool, ToolCall, ToolChoice, ToolResult, ToolRound
from voice_gateway.errors import Broken, Upstream, no_text
from voice_gateway.reply.reply import Reply, SpeechSetup
from voice_gateway.reply.rounds import AnswerWithTools, RoundLimits
from voice_gateway.reply.source import Source

pytestmark = pytest.mark.looptime

Step: TypeAlias = str | float | ToolCall | Exception
LOOK, BOOK = Tool("look", side_effects=False), Tool("book", side_effects=True)
FILLERS = ("One moment.", "Still looking.", "A little longer.")


def call(name: str, id_: str = "a") -> ToolCall:
    return ToolCall(id_, name, "{}")


class Stage:
    """One reply with tools, whose model follows one script after the other and whose tools take `tools_s` seconds."""

    def __init__(
        self,
        *answers: Sequence[Step],
        tools_s: dict[str, float] | None = None,
        limits: RoundLimits | None = None,
        fillers: Sequence[str] = FILLERS,
        apology: str = "Sorry.",
        pace_s: float = 0.0,
    ) -> None:
        self.clock = asyncio.get_running_loop().time
        self.answers = list(answers)
        self.tools_s = tools_s or {}
        self.fillers = list(fillers)
        self.asked: list[tuple[list[Message], bool]] = []
        self.ran: list[tuple[float, str]] = []
        self.cancelled: list[str] = []
        self.most_at_once = 0
        self._running = 0
        self.text: list[tuple[float, str]] = []
        self.failures: list[Upstream] = []
        self.audible: list[float] = []
        self.marks: dict[Mark, float] = {}
        self.records: list[tuple[ToolRound, ...]] = []
        rounds = AnswerWithTools(7, self.ask, (LOOK, BOOK), self, limits or RoundLimits(), self.clock)
        source = Source(rounds.pieces([Message("user", "Go.")]), apology, rounds)
        self.voice = ScriptedVoice(pace_s=pace_s)
        setup = SpeechSetup(self.voice, SynthesisOptions("en-US", "", RATE_HZ), 6.0)
        self.reply = Reply(7, source, setup, Playout(RATE_HZ, 0.2, 0.1), self, self.clock)

    async def ask(self, chat: Sequence[Message], choice: ToolChoice) -> AsyncGenerator[str | ToolCall, None]:
        self.asked.append((list(chat), choice.may_call))
        said = False
        for step in self.answers.pop(0) if self.answers else ["All right."]:
            if isinstance(step, str | ToolCall):
                said = True
                yield step
            else:
                await performed(step)
        if not said:
            raise no_text()

    async def run(self, call: ToolCall, tool: Tool | None, n: int, decided: asyncio.Event) -> ToolResult:
        if tool is not None and tool.side_effects:
            await decided.wait()
        self.ran.append((self.clock(), call.name))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        try:
            await asyncio.sleep(self.tools_s.get(call.name, 0.0))
        except asyncio.CancelledError:
            self.cancelled.append(call.name)
            raise
        finally:
            self._running -= 1
        return ToolResult(call.id, f"{call.name} is done", Outcome.DONE, bool(tool and tool.side_effects))

    def filler(self, n: int) -> str:
        return self.fillers.pop(0) if self.fillers else ""

    def reply_text_added(self, n: int, delta: str) -> None:
        self.text.append((round(self.clock(), 1), delta.strip()))

    def reply_has_room(self, n: int) -> bool:
        return True

    def reply_audio_due(self, n: int, offset: int, pcm16: bytes) -> None:
        self.audible.append(self.clock())

    def reply_marked(self, n: int, mark: Mark) -> None:
        self.marks.setdefault(mark, self.clock())

    def reply_failed(self, n: int, error: Upstream) -> None:
        self.failures.append(error)

    def reply_requested(self, n: int) -> None:
        """Not looked at."""

    def reply_tools_changed(self, n: int) -> None:
        self.records.append(self.reply.rounds)

    @property
    def results(self) -> list[str]:
        """What the model was told last."""
        return [message.content for message in self.asked[-1][0] if message.role == "tool"]


async def test_calls_run_at_once_and_their_results_come_back_in_order() -> None:
    both: list[Step] = ["Let me look.", call("look", "a"), call("book", "b")]
    stage = Stage(both, ["It is", " done."], tools_s={"look": 2.0, "book": 1.0}, limits=RoundLimits(filler_after_s=0))
    await stage.reply.run()
    assert stage.reply.text == "Let me look. It is done."
    assert [name for _, name in stage.ran] == ["look", "book"]
    assert stage.ran[0][0] == stage.ran[1][0]
    assert stage.results == ["look is done", "book is done"]
    assert [message.role for message in stage.asked[1][0]] == ["user", "assistant", "tool", "tool"]
    assert stage.asked[1][0][1].content == "Let me look."
    (kept,) = stage.reply.rounds
    assert (kept.said, [result.outcome for result in kept.results]) == ("Let me look.", [Outcome.DONE] * 2)
    assert all(len(record[0].results) == 2 for record in stage.records)


async def test_what_is_said_before_the_calls_is_spoken_while_they_run() -> None:
    stage = Stage(["Let me look", call("look")], ["Done."], tools_s={"look": 5.0}, limits=RoundLimits(filler_after_s=0))
    await stage.reply.run()
    assert stage.audible[0] < 0.1
    assert stage.text == [(0.0, "Let me look"), (5.0, "Done.")]


async def test_an_answer_of_calls_alone_hangs_nowhere() -> None:
    stage = Stage([call("look")], ["Done."])
    async with asyncio.timeout(5):
        await stage.reply.run()
    assert stage.reply.text == "Done."
    assert not stage.failures


async def test_an_empty_answer_after_the_tools_gets_the_apology() -> None:
    stage = Stage(["Let me look.", call("look")], [])
    await stage.reply.run()
    assert stage.reply.text == "Let me look. Sorry."
    assert [type(failure) for failure in stage.failures] == [Broken]
    assert len(stage.reply.rounds) == 1


async def test_after_the_last_round_the_model_must_answer() -> None:
    stage = Stage(*[[call("look")]] * 3, limits=RoundLimits(rounds=2))
    await stage.reply.run()
    assert [may_call for _, may_call in stage.asked] == [True, True, False]
    assert len(stage.ran) == 2
    assert stage.reply.text == "Sorry."


async def test_calls_beyond_the_limit_are_refused_and_the_others_run() -> None:
    stage = Stage([call("look", str(n)) for n in range(5)], ["Done."], limits=RoundLimits(parallel=3))
    await stage.reply.run()
    assert stage.most_at_once == len(stage.ran) == 3
    assert stage.results[2] == "look is done"
    assert stage.results[3] == "Error: at most 3 tools can be called at once; call this one again if it is needed."


async def test_before_the_turn_is_decided_only_what_has_no_effect_runs() -> None:
    stage = Stage([call("look", "a"), call("book", "b")], ["Done."])
    stage.reply.wait_for_release()
    running = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(30)
    assert [name for _, name in stage.ran] == ["look"]
    assert not stage.text, "no filler before anybody waits"
    stage.reply.release(stage)
    await running
    assert stage.ran[1][1] == "book"
    assert stage.ran[1][0] == pytest.approx(30, abs=0.2)
    assert stage.reply.text == "Done."


async def test_a_cancelled_reply_cancels_its_calls_and_each_has_a_result() -> None:
    stage = Stage([call("look", "a"), call("book", "b")], tools_s={"look": 1.0, "book": 60.0})
    running = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(1.2)
    running.cancel()
    await asyncio.wait([running])
    assert stage.cancelled == ["book"]
    (kept,) = stage.reply.rounds
    assert [result.outcome for result in kept.results] == [Outcome.DONE, Outcome.CANCELLED]
    assert kept.results[1].may_have_acted
    assert "may have taken effect" in kept.results[1].content
    assert len(stage.asked) == 1


async def test_a_draft_that_is_cancelled_has_not_acted() -> None:
    stage = Stage([call("book", "b")])
    stage.reply.wait_for_release()
    running = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait([running])
    assert not stage.ran
    assert not stage.reply.rounds[0].results[0].may_have_acted


async def test_a_filler_is_said_after_a_silence_and_the_next_one_after_a_longer_one() -> None:
    stage = Stage([call("look")], ["Done."], tools_s={"look": 12.0})
    await stage.reply.run()
    # A second of words each: the silences are 1.5, 3 and 6 s.
    assert [text for _, text in stage.text] == ["One moment.", "Still looking.", "Done."]
    first, second, *_ = [at for at, _ in stage.text]
    assert first == pytest.approx(1.5, abs=0.2)
    assert second == pytest.approx(first + 1.0 + 3.0, abs=0.3)
    assert stage.reply.text.startswith("One moment. Still looking.")
    assert Mark.FIRST_TOKEN in stage.marks
    assert stage.marks[Mark.FIRST_TOKEN] == pytest.approx(12.0, abs=0.1), "a filler is no token of the model's"


async def test_no_filler_is_said_while_the_caller_still_hears_something() -> None:
    stage = Stage(["one two three four five six seven eight.", call("look")], ["Done."], tools_s={"look": 5.0})
    await stage.reply.run()
    assert "One moment." not in stage.reply.text


async def test_no_filler_is_said_while_the_reply_is_held_or_none_is_wanted() -> None:
    stage = Stage([call("look")], ["Done."], tools_s={"look": 20.0})
    stage.reply.hold()
    running = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(10)
    assert not stage.text
    stage.reply.resume()
    await running
    assert stage.text[0][1] == "One moment."
    assert stage.text[0][0] == pytest.approx(10.0, abs=0.3)
    for quiet in (Stage([call("look")], tools_s={"look": 20.0}, fillers=()), _unfilled()):
        await quiet.reply.run()
        assert [text for _, text in quiet.text] == ["All right."]


def _unfilled() -> Stage:
    return Stage([call("look")], tools_s={"look": 20.0}, limits=RoundLimits(filler_after_s=0))


async def test_a_tool_that_nobody_declared_still_gets_its_answer() -> None:
    stage = Stage([call("launch")], ["No."])
    await stage.reply.run()
    assert [name for _, name in stage.ran] == ["launch"]
    assert len(stage.reply.rounds[0].results) == 1


async def test_a_model_that_fails_in_the_second_answer_is_followed_by_the_apology() -> None:
    stage = Stage(["Let me look.", call("look")], ["It is", Broken("llm", "it broke off")])
    await stage.reply.run()
    assert stage.reply.text == "Let me look. It is Sorry."
    assert len(stage.failures) == 1


async def test_while_the_reply_says_nothing_it_is_not_known_when_it_is_quiet() -> None:
    stage = Stage(["Hello there.", 3.0], pace_s=0.1)
    running = asyncio.create_task(stage.reply.run())
    stage.reply.hold()
    assert stage.reply.quiet_from() == inf
    stage.reply.resume()
    await running
    assert stage.reply.quiet_from() <= stage.clock()
