"""Who gets a place, who waits, and who is refused?"""

import asyncio
from contextlib import AsyncExitStack, ExitStack

import pytest
from speech_server.admission import Admission
from speech_server.errors import Busy, NotServing, WaitedTooLong

pytestmark = pytest.mark.looptime


def gate(limit: int = 1, queue: int = 2, longest_wait_s: float = 10.0) -> Admission:
    made = Admission("recordings", limit, 1500, queue=queue, longest_wait_s=longest_wait_s)
    made.open()
    return made


async def hold(admission: Admission, seconds: float, order: list[str], name: str) -> float:
    async with admission.queue_up() as waited_s:
        order.append(name)
        await asyncio.sleep(seconds)
    return waited_s


async def test_places_go_round_in_the_order_of_arrival() -> None:
    admission, order = gate(), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(hold(admission, 1, order, name))
    assert order == ["a", "b", "c"]
    assert (admission.active, admission.waiting) == (0, 0)


async def test_a_full_line_refuses_at_once_and_says_when_to_come_back() -> None:
    admission, order = gate(limit=1, queue=1), list[str]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(admission, 1, order, "a"))
        tasks.create_task(hold(admission, 1, order, "b"))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="1 recordings are in use and 1 wait") as refused:
            await hold(admission, 1, order, "c")
        with pytest.raises(Busy):
            admission.check()
    assert refused.value.retry_after_ms == 1500
    assert order == ["a", "b"]


async def test_who_waited_too_long_is_told_and_leaves_the_line() -> None:
    admission, order = gate(longest_wait_s=2), list[str]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(admission, 5, order, "a"))
        await asyncio.sleep(0)
        with pytest.raises(WaitedTooLong, match="within 2 s"):
            await hold(admission, 1, order, "b")
        assert admission.waiting == 0
    assert admission.active == 0


async def test_who_leaves_the_line_does_not_take_the_place_along() -> None:
    admission, order = gate(), list[str]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(admission, 1, order, "a"))
        await asyncio.sleep(0)
        impatient = tasks.create_task(hold(admission, 1, order, "b"))
        tasks.create_task(hold(admission, 1, order, "c"))
        await asyncio.sleep(0)
        impatient.cancel()
    assert order == ["a", "c"]


async def test_a_place_handed_to_one_who_is_just_cancelled_goes_to_the_next() -> None:
    admission, order = gate(), list[str]()
    async with AsyncExitStack() as first:
        await first.enter_async_context(admission.queue_up())
        unlucky = asyncio.create_task(hold(admission, 1, order, "b"))
        lucky = asyncio.create_task(hold(admission, 1, order, "c"))
        await asyncio.sleep(0)
        await first.aclose()
        unlucky.cancel()
        await asyncio.wait([unlucky, lucky])
    assert order == ["c"]
    assert admission.active == 0


async def test_a_live_stream_does_not_overtake_the_line() -> None:
    admission, order = gate(limit=1, queue=1), list[str]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(admission, 1, order, "a"))
        tasks.create_task(hold(admission, 1, order, "b"))
        await asyncio.sleep(0)
        with pytest.raises(Busy), admission.admit():
            order.append("never")
    assert order == ["a", "b"]


async def test_a_closed_gate_refuses_the_new_and_is_idle_when_the_last_has_left() -> None:
    admission, order = gate(), list[str]()
    async with asyncio.TaskGroup() as tasks:
        for name in "ab":
            tasks.create_task(hold(admission, 1, order, name))
        await asyncio.sleep(0)
        admission.close("Gone fishing.")
        with pytest.raises(NotServing, match="Gone fishing"), ExitStack() as stack:
            stack.enter_context(admission.admit())
        async with asyncio.timeout(3):
            await admission.until_idle()
    assert order == ["a", "b"]


def test_its_state_can_be_read() -> None:
    assert repr(gate()) == "<Admission recordings: 0/1 active, 0/2 waiting>"
