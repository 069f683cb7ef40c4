"""Has the gateway time to spare? The event loop's own lateness says so: every call's audio waits as long.

How many calls are held says nothing of it: GATEWAY_MAX_SESSIONS is how many the operator wants served, with everything
that is done for them.
"""

import asyncio
from collections import deque
from collections.abc import Callable

MOST_LAG_S = 0.05
"""A loop that is later than this has too much to do: a draft would save no more than it costs the other calls."""
_LOOK_EVERY_S = 0.1
_LOOKS = 10


class Load:
    """The lateness of the running event loop within the last second."""

    def __init__(self, told: Callable[[float], None] = lambda lag_s: None) -> None:
        self._told = told
        self._lags_s: deque[float] = deque([0.0], maxlen=_LOOKS)

    @property
    def lag_s(self) -> float:
        """The longest."""
        return max(self._lags_s)

    @property
    def has_headroom(self) -> bool:
        """Whether work may be begun that is perhaps for nothing."""
        return self.lag_s <= MOST_LAG_S

    async def run(self) -> None:
        """Measure, until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            due = now() + _LOOK_EVERY_S
            await asyncio.sleep(_LOOK_EVERY_S)
            self.note(max(0.0, now() - due))

    def note(self, lag_s: float) -> None:
        """The loop was so late."""
        self._lags_s.append(lag_s)
        self._told(self.lag_s)
