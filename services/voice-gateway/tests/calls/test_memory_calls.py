"""Is a long call remembered, by a model that takes little? Over the wire."""

import re
from typing import Any

import pytest
from fake_llm import Answer, Asked
from lab import Lab, lab
from raw_caller import Caller
from voice_gateway.app import load
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
PROMPT = "Summarise."
SHORT: dict[str, Any] = {
    "llm_context_tokens": 1024,
    "llm_max_tokens": 64,
    "llm_history": 12,
    "llm_summary_prompt": PROMPT,
    "llm_summary_tokens": 60,
    "turn_end_silence_s": 0.0,
}


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that tests may be short of time; the gateway is not to mind."""
    monkeypatch.setattr(load, "MOST_LAG_S", float("inf"))


class Long:
    """A call that goes on and on, and a model that can tell summaries from replies."""

    def __init__(self, there: Lab, caller: Caller) -> None:
        self.there = there
        self.caller = caller
        self.turns = 0

    async def exchange(self, words: str = "") -> None:
        """A turn and its reply."""
        self.turns += 1
        stream = await self.there.asr.stream()
        stream.final(words or f"Number {self.turns} is on the list.")
        await self.caller.turn(TurnEvent.REPLY_ENDED, self.turns)

    @property
    def summaries(self) -> list[Asked]:
        return [asked for asked in self.there.llm.asked if asked.system == PROMPT]

    @property
    def replies(self) -> list[Asked]:
        return [asked for asked in self.there.llm.asked if asked.system != PROMPT]


async def begun(there: Lab, *summaries: Answer) -> Long:
    """A call whose summaries are these, and the last of them for all that follow."""
    waiting = list(summaries)

    def answer(asked: Asked) -> Answer | None:
        if asked.system != PROMPT:
            return None
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    there.llm.choose = answer
    return Long(there, await there.call(system_prompt="Be kind."))


async def test_two_hundred_exchanges_never_make_a_request_that_the_model_refuses_and_the_first_is_remembered() -> None:
    async with lab(**SHORT) as there:
        there.llm.context_tokens = 1024
        call = await begun(there, Answer("Rosa keeps a list of numbers."))
        for _ in range(200):
            await call.exchange()
        assert not call.caller.of("error")
        assert all(asked.tokens + asked.body["max_tokens"] <= 1024 for asked in there.llm.asked)
        assert len(call.replies) == 200
        last = call.replies[-1]
        assert last.system.startswith("Be kind.\n\n")
        assert last.system.endswith("Rosa keeps a list of numbers.")
        assert last.chat[-1] == ("user", "Number 200 is on the list.")
        assert 15 <= len(call.summaries) <= 50
        seen = set(re.findall(r"Caller: Number (\d+) ", " ".join(asked.chat[0][1] for asked in call.summaries)))
        shown = {text.split()[1] for role, text in last.chat if role == "user"}
        assert seen | shown == {str(n) for n in range(1, 201)}
        assert await there.metric('voice_summaries_total{end="done"}') >= 15


async def test_a_turn_that_falls_into_a_summary_is_asked_and_answered_at_once() -> None:
    async with lab(**SHORT) as there:
        call = await begun(there, Answer("", "hang"), Answer("Rosa calls."))
        while not call.summaries:
            await call.exchange()
        hanging = call.summaries[0]
        await call.exchange("And now?")
        assert hanging.cancelled
        assert there.llm.asked.index(call.replies[-1]) > there.llm.asked.index(hanging)
        assert call.replies[-1].chat[-1] == ("user", "And now?")
        await there.llm.changes.until(lambda: len(call.summaries) > 1, "another try")
        await call.exchange()
        await call.exchange()
        assert "Rosa calls." in call.replies[-1].system
        assert await there.metric('voice_summaries_total{end="yielded"}') == 1


async def test_a_summary_that_hangs_to_its_limit_delays_and_costs_no_turn() -> None:
    async with lab(**SHORT, llm_summary_timeout_s=0.2) as there:
        there.llm.context_tokens = 1024
        call = await begun(there, Answer("", "hang"))
        while not call.summaries:
            await call.exchange()
        await there.eventually(lambda: there.metric('voice_summaries_total{end="timeout"}'), 1)
        for _ in range(30):
            await call.exchange()
        assert not call.caller.of("error")
        assert "Notes" not in call.replies[-1].system


@pytest.mark.parametrize(
    "answer",
    [Answer(status=500), Answer(""), Answer("Rosa", "die"), Answer("Rosa", "garbage")],
    ids=["refused", "empty", "broken off", "garbage"],
)
async def test_a_summary_that_fails_is_told_to_nobody_and_the_call_goes_on_without(answer: Answer) -> None:
    async with lab(**SHORT) as there:
        there.llm.context_tokens = 1024
        call = await begun(there, answer)
        for _ in range(25):
            await call.exchange()
        assert await there.metric('voice_summaries_total{end="failed"}') >= 1
        assert not call.caller.of("error")
        assert "Notes" not in call.replies[-1].system
        assert call.replies[-1].chat[-1] == ("user", "Number 25 is on the list.")


async def test_of_a_huge_summary_a_request_has_no_more_than_its_place() -> None:
    async with lab(**SHORT) as there:
        there.llm.context_tokens = 1024
        call = await begun(there, Answer("Rosa wants a table. " * 2000))
        for _ in range(30):
            await call.exchange()
        assert "Rosa wants a table." in call.replies[-1].system
        assert max(len(asked.system) for asked in call.replies) < 500
        assert not call.caller.of("error")


async def test_a_model_that_takes_less_than_the_settings_say_answers_the_turn_all_the_same() -> None:
    async with lab(**{**SHORT, "llm_context_tokens": 8192, "llm_history": 1000, "llm_summarise": False}) as there:
        there.llm.context_tokens = 700
        call = Long(there, await there.call())
        for _ in range(40):
            await call.exchange()
        assert not call.caller.of("error")
        refused = [asked for asked in there.llm.asked if asked.tokens + asked.body["max_tokens"] > 700]
        assert len(refused) == 1
        assert len(there.llm.asked) == 41
        after = there.llm.asked[there.llm.asked.index(refused[0]) + 1]
        assert after.chat[-1] == refused[0].chat[-1]
        assert after.tokens < refused[0].tokens
