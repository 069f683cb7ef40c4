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
_NO_SUCH_SERVICE = "No such service here; ask without a name, or for one that reflection lists."


class Health(HealthServicer):
    """The health of these services and, by the empty name, of the server."""

    def __init__(self, services: Iterable[str]) -> None:
        self._serving = dict.fromkeys(("", *services), False)
        self._changed = asyncio.Event()
        self._watches = 0
        self._ended = False

    def set(self, serving: bool, name: str | None = None) -> None:
        """What watches and checks of this name are told; None = of every name."""
        before, names = dict(self._serving), self._serving if name is None else (name,)
        self._serving |= dict.fromkeys(names, serving)
        if self._serving != before:
            self._wake()

    def end_watches(self) -> None:
        """Nothing changes any more: watches end, and no new one is taken."""
        self._ended = True
        self._wake()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> health_pb2.HealthCheckResponse:
        """The status now."""
        if request.service not in self._serving:
            await context.abort(grpc.StatusCode.NOT_FOUND, _NO_SUCH_SERVICE)
        return self._answer(request.service)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:
        """The status now, and every other that follows."""
        if len(request.service) > _LONGEST_NAME:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _NO_SUCH_SERVICE)
        if self._watches >= MOST_WATCHES:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"All {MOST_WATCHES} health watches are in use; use Check."
            )
        # Of a name that is not served, and may be long, nothing is kept.
        name = request.service if request.service in self._serving else None
        del request
        self._watches += 1
        try:
            await self._tell_changes(context, name)
        finally:
            self._watches -= 1
        await context.abort(grpc.StatusCode.UNAVAILABLE, "The server is draining; watch another server.")

    async def _tell_changes(self, context: Context, name: str | None) -> None:
        told: health_pb2.HealthCheckResponse | None = None
        while True:
            changed = self._changed
            answer = self._answer(name)
            if answer != told:
                await context.write(answer)
                told = answer
            elif self._ended:
                return
            else:
                await changed.wait()

    def _answer(self, name: str | None) -> health_pb2.HealthCheckResponse:
        answer = health_pb2.HealthCheckResponse
        if name is None:
            return answer(status=answer.SERVICE_UNKNOWN)
        return answer(status=answer.SERVING if self._serving[name] else answer.NOT_SERVING)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
