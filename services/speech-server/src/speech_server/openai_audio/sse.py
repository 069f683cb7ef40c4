"""How are server-sent events written?"""

import json
from collections.abc import Mapping

from aiohttp import web

from speech_server.metrics import RequestStats


class EventStream:
    """An answer of events: `begin`, `send` each, `end`."""

    def __init__(self, request: web.Request, stats: RequestStats) -> None:
        self._request = request
        self._stats = stats
        self._response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        )

    async def begin(self) -> None:
        """Write the status line; from now on an error can only be an event."""
        self._stats.begun = True
        await self._response.prepare(self._request)

    async def send(self, event: Mapping[str, object]) -> None:
        """Write one event. Raises ConnectionError when the client is gone."""
        await self._response.write(b"data: " + json.dumps(event).encode() + b"\n\n")

    async def end(self) -> web.StreamResponse:
        """Finish the answer."""
        await self._response.write_eof()
        return self._response
