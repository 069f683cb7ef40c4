"""Is there time to spare? The event loop's own lateness says so of the gateway: every call's audio waits as long.
The model and the voices say so themselves, by turning requests away.

How many calls are held says nothing of it: GATEWAY_MAX_SESSIONS is how many the operator wants served, with everything
that is done for them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

MOST_LAG_S = 0.05
"""A loop that is later than this has too much to do: a draft would save no more than it costs the other calls."""
SHED_S = 10.0
"""A backend that turned a request away gets none for so long that may be for nothing."""
_SHED_MAX_S = 60.0
_LOOK_EVERY_S = 0.1
_LOOKS = 10


class Load:
    """The lateness of the running event loop within the last second, and backends that have too much to do."""

    def __init__(
        self, told: Callable[[float], None] = lambda lag_s: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._told = told
        self._clock = clock
        self._lags_s: deque[float] = deque([0.0], maxlen=_LOOKS)
        self._shed_until = 0.0

    @property
    def lag_s(self) -> float:
        """The longest."""
        return max(self._lags_s)

    @property
    def has_headroom(self) -> bool:
        """Whether work may be begun that is perhaps for nothing."""
        return self.lag_s <= MOST_LAG_S and self._clock() >= self._shed_until

    def note_overload(self, retry_after_s: float) -> None:
        """A backend turned a request away, and wants to be asked again after so long; 0 = it does not say."""
        wait_s = min(retry_after_s or SHED_S, _SHED_MAX_S)
        self._shed_until = max(self._shed_until, self._clock() + wait_s)

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
