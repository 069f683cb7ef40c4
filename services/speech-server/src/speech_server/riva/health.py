"""grpc.health.v1.Health: does the server serve? Checks are answered at once, watches are counted and end with a drain.

The package's own servicer drops the other watchers of a name when one of them leaves, takes any number of them, and
keeps them, and with them the server, until the end of the grace.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthServicer

Context = grpc.aio.ServicerContext[Any, Any]

MOST_WATCHES = 200
"""Of the whole server. A load balancer holds one a connection."""
_LONGEST_NAME = 200
_NO_SUCH_SERVICE = "No such service here; ask without a name, or for one of Riva's."


class Health(HealthServicer):
    """The health of these services and, by the empty name, of the server."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset({"", *services})
        self._serving = False
        self._changed = asyncio.Event()
        self._watches = 0
        self._ended = False

    def set(self, serving: bool) -> None:
        """Tell every watch."""
        self._serving = serving
        self._wake()

    def end_watches(self) -> None:
        """Nothing changes any more: watches end, and no new one is taken."""
        self._ended = True
        self._wake()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> health_pb2.HealthCheckResponse:
        """The status now."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, _NO_SUCH_SERVICE)
        return self._answer(is_known=True)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:
        """The status now, and every other that follows."""
        if len(request.service) > _LONGEST_NAME:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _NO_SUCH_SERVICE)
        if self._watches >= MOST_WATCHES:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"All {MOST_WATCHES} health watches are in use; use Check."
            )
        is_known = request.service in self._services
        del request
        self._watches += 1
        try:
            await self._tell_changes(context, is_known)
        finally:
            self._watches -= 1
        await context.abort(grpc.StatusCode.UNAVAILABLE, "The server is draining; watch another one.")

    async def _tell_changes(self, context: Context, is_known: bool) -> None:
        told: health_pb2.HealthCheckResponse | None = None
        while True:
            changed = self._changed
            answer = self._answer(is_known)
            if answer != told:
                await context.write(answer)
                told = answer
            elif self._ended:
                return
            else:
                await changed.wait()

    def _answer(self, is_known: bool) -> health_pb2.HealthCheckResponse:
        answer = health_pb2.HealthCheckResponse
        if not is_known:
            return answer(status=answer.SERVICE_UNKNOWN)
        return answer(status=answer.SERVING if self._serving else answer.NOT_SERVING)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
