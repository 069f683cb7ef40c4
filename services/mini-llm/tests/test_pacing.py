"""Tokens come when they are due, and faults strike the requests they are meant for."""

import asyncio

import pytest
from mini_llm.faults import FaultPlan, tokens_before_fault
from mini_llm.pacing import Pace, answer_tokens, pace_tokens, tokens
from mini_llm.settings import Fault


def test_tokens_are_words_with_their_space_before_and_punctuation_after() -> None:
    assert tokens("Well then, yes.  No!\n") == ("Well", " then,", " yes.", "  No!")
    assert tokens("") == ()


def test_an_answer_ends_at_the_limit_or_before_a_stop_text() -> None:
    assert answer_tokens("One two. Three", 2, ()) == (("One", " two."), "length")
    assert answer_tokens("One two. Three", 3, ()) == (("One", " two.", " Three"), "stop")
    assert answer_tokens("One two. Three", None, ("Three", "two")) == (("One",), "stop")


@pytest.mark.looptime
async def test_tokens_are_due_at_fixed_times_though_the_reader_is_slow() -> None:
    loop = asyncio.get_running_loop()
    arrived_at, times = loop.time(), []
    async for n, _ in pace_tokens(tokens("a b c d"), arrived_at, Pace(0.2, 0.1)):
        times.append((n, round(loop.time() - arrived_at, 3)))
        await asyncio.sleep(0.06)
    assert times == [(1, 0.2), (2, 0.3), (3, 0.4), (4, 0.5)]


@pytest.mark.looptime
async def test_time_lost_before_the_first_token_is_not_waited_again() -> None:
    loop = asyncio.get_running_loop()
    arrived_at, times = loop.time(), []
    await asyncio.sleep(0.35)
    async for _, piece in pace_tokens(tokens("a b c d"), arrived_at, Pace(0.2, 0.1)):
        times.append((piece, round(loop.time() - arrived_at, 3)))
    assert times == [("a", 0.35), (" b", 0.35), (" c", 0.4), (" d", 0.5)]


@pytest.mark.parametrize(
    ("plan", "faulty"),
    [
        (FaultPlan(), []),
        (FaultPlan(Fault.SILENT), [1, 2, 3, 4, 5]),
        (FaultPlan(Fault.SILENT, after=2), [3, 4, 5]),
        (FaultPlan(Fault.SILENT, after=1, count=2), [2, 3]),
        (FaultPlan(Fault.SILENT, count=0), []),
    ],
)
def test_a_fault_strikes_after_some_requests_and_heals_after_some_more(plan: FaultPlan, faulty: list[int]) -> None:
    assert [number for number in range(1, 6) if plan.fault_of(number) is not Fault.NONE] == faulty


def test_a_fault_midway_lets_half_of_the_tokens_through() -> None:
    assert tokens_before_fault(Fault.ERROR_MIDWAY, 5) == 3
    assert tokens_before_fault(Fault.CLOSE_MIDWAY, 1) == 1
    assert tokens_before_fault(Fault.SILENT, 5) == 0
    assert tokens_before_fault(Fault.SLOW, 5) == 5
