"""Does time jump, does a program that waits for ever end at once, and does one that never waits?"""

import asyncio
from itertools import count

import pytest
from voice_bench.evals.virtual_time import HangsForever, NeverEnds, NeverWaits, run


def test_an_hour_takes_no_time_and_timers_fire_in_their_order() -> None:
    fired: list[int] = []

    async def wait(seconds: int) -> None:
        await asyncio.sleep(seconds)
        fired.append(seconds)

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(wait(seconds) for seconds in (3600, 1, 60)))
        return asyncio.get_running_loop().time() - began

    assert run(main()) == pytest.approx(3600)
    assert fired == [1, 60, 3600]


def test_what_can_never_happen_is_not_waited_for() -> None:
    with pytest.raises(HangsForever):
        run(asyncio.Event().wait())


def test_a_program_that_never_lets_time_pass_is_stopped() -> None:
    async def spin() -> None:
        for _ in count():
            await asyncio.sleep(0)

    with pytest.raises(NeverWaits):
        run(spin())


def test_a_program_that_runs_on_is_stopped_at_the_end_of_its_time() -> None:
    async def run_on() -> None:
        for _ in count():
            await asyncio.sleep(1)

    with pytest.raises(NeverEnds):
        run(run_on(), 100)


def test_a_thread_is_somebody_outside_so_its_work_is_done_here() -> None:
    assert run(asyncio.to_thread(lambda: 7)) == 7
    with pytest.raises(ZeroDivisionError):
        run(asyncio.to_thread(lambda: 1 // 0))
