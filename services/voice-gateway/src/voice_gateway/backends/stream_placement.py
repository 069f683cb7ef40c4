"""Should an open recognition stream stay where it is? Not on a server that stands still while another one serves, and
on one that leaves only until the next gap in speech.
"""

import asyncio

from voice_gateway.backends.endpoint import Endpoint, Health
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.errors import TooSlow

_PATIENCE_S, _PATIENCE_MAX_S = 1.0, 16.0
"""So long without anything new on a server that answers nothing, and the stream goes elsewhere; doubled each time, so
that servers that are all busy are not made busier by moving."""
_LOOK_AGAIN_S = 0.5
"""While it should go and there is nowhere to go."""


class StreamMoved(TooSlow):
    """A stream was left by us; its server may be well."""


class StreamReturned(StreamMoved):
    """A stream goes back to the preferred target; its server did nothing wrong."""


class StreamPlacement:
    """One open stream on one server."""

    def __init__(self, endpoints: Endpoints, endpoint: Endpoint, moves: int) -> None:
        self.endpoint = endpoint
        self.answered = False
        """Anything came on it."""
        self.progressed = False
        """Something new came on it."""
        self._endpoints = endpoints
        self._connection = endpoint.connection
        self._patience_s: float = min(_PATIENCE_S * 2**moves, _PATIENCE_MAX_S)
        self._opened_at = self._new_at = asyncio.get_running_loop().time()
        self._leaves: type[StreamMoved] | None = None
        """Why it is to be given up now; None = it is not."""
        self._look = asyncio.Event()

    @property
    def age_s(self) -> float:
        """Seconds since it was opened."""
        return asyncio.get_running_loop().time() - self._opened_at

    @property
    def is_outdated(self) -> bool:
        """Whether its server has a newer connection."""
        return self.endpoint.connection > self._connection

    @property
    def has_better(self) -> bool:
        """Whether it would be better off elsewhere, as far as anybody knows."""
        return self._endpoints.elsewhere(self.endpoint, self._connection)

    def progress(self) -> None:
        """Something new came."""
        self.progressed = True
        self._new_at = asyncio.get_running_loop().time()
        self.endpoint.answered()

    def leave(self) -> None:
        """Give the stream up now."""
        self._leaves = StreamMoved
        self._look.set()

    def leave_in_gap(self) -> None:
        """Nothing is open on the stream: a good moment to leave a server that lets its streams end, and to go back to
        the preferred target."""
        if self.endpoint.health in (Health.NOT_SERVING, Health.DOWN) and self.has_better:
            self.leave()
        elif self._endpoints.should_return(self.endpoint):
            self._leaves = StreamReturned
            self._look.set()

    async def watch(self) -> None:
        """Until cancelled. Raises StreamMoved when the stream should go on elsewhere; StreamReturned is one."""
        with self._endpoints.notifying(self._look.set):
            while True:
                self._look.clear()
                left_s = self._patience_left_s()
                if self._leaves is StreamReturned:
                    raise StreamReturned("asr", f"{self.endpoint.name} is left for the preferred target")
                if self._leaves or (left_s is not None and left_s <= 0 and self.has_better):
                    raise StreamMoved(
                        "asr", f"{self.endpoint.name} is left ({self.endpoint.trouble or 'it stands still'})"
                    )
                try:
                    async with asyncio.timeout(left_s if left_s is None or left_s > 0 else _LOOK_AGAIN_S):
                        await self._look.wait()
                except TimeoutError:
                    pass

    def _patience_left_s(self) -> float | None:
        """None = its server answers."""
        if not self.is_outdated and self.endpoint.health not in (Health.SILENT, Health.DOWN):
            return None
        quiet_s = asyncio.get_running_loop().time() - self._new_at
        return self._patience_s - quiet_s
