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


def test_a_backend_that_turns_requests_away_leaves_no_headroom_for_a_while() -> None:
    clock = iter((100.0, 100.0, 100.0, 109.9, 110.1, 200.0, 259.9, 260.1))
    load = Load(clock=lambda: next(clock))
    load.note_overload(0.0)
    headroom = [load.has_headroom]
    load.note_overload(3.0)  # of another request; the longest counts
    headroom += [load.has_headroom, load.has_headroom]
    load.note_overload(3600.0)  # nothing that a server asks for holds longer than a minute
    headroom += [load.has_headroom, load.has_headroom]
    assert headroom == [False, False, True, False, True]


@pytest.mark.looptime
async def test_a_loop_that_is_in_time_is_measured_ten_times_a_second() -> None:
    told: list[float] = []
    measuring = asyncio.create_task(Load(told.append).run(), name="load")
    await asyncio.sleep(1.05)
    measuring.cancel()
    assert told == pytest.approx([0.0] * 10, abs=1e-6)
