"""Is a loop that is late noticed, and one that has caught up, too?"""

import asyncio

import pytest
from voice_gateway.app.load import MOST_LAG_S, Load


def test_a_loop_that_is_late_leaves_no_headroom_for_a_second() -> None:
    told: list[float] = []
    load = Load(told.append)
    headroom = [load.has_headroom]
    for lag_s in (MOST_LAG_S, 2 * MOST_LAG_S, *[0.0] * 10):
        load.note(lag_s)
        headroom.append(load.has_headroom)
    assert headroom == [True, True, *[False] * 10, True]
    assert told == [MOST_LAG_S, *[2 * MOST_LAG_S] * 10, 0.0]


@pytest.mark.looptime
async def test_a_loop_that_is_in_time_is_measured_ten_times_a_second() -> None:
    told: list[float] = []
    measuring = asyncio.create_task(Load(told.append).run(), name="load")
    await asyncio.sleep(1.05)
    measuring.cancel()
    assert told == pytest.approx([0.0] * 10, abs=1e-6)
