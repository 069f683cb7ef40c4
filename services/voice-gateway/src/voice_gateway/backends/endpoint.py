"""Is one speech server well? It is asked all the time by grpc.health.v1; its streams and calls tell, too.

A server that stands still (stopped, or its network gone) refuses nothing: it is told by an answer that does not come.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2
from serving.grpc_health_client import check, status_name

log = logging.getLogger(__name__)

SILENT_AFTER_S = 1.0
"""Without an answer for so long, another server is the better one."""
DOWN_AFTER_S = 3.0
"""Without an answer for so long, it is not there; a busy machine may need the time before."""
_EJECTED_S, _EJECTED_MAX_S = 1.0, 30.0
"""How long new streams avoid a server whose stream failed; doubled with each failure in a row."""
_OLD_CONNECTIONS = 4
"""Of a server that does not answer."""
_ALIVE = (
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
)
"""Answers of a server that has no health to tell, or none for us: it is there."""

Stub = TypeVar("Stub")


@dataclass(frozen=True, slots=True)
class Link:
    """How one server is connected to."""

    connect: Callable[[], grpc.aio.Channel]
    """Opens a connection of its own to it."""
    version: Callable[[], object] = lambda: None
    """Of certificate and trust: with another one than a connection was opened with, calls want a new connection."""
    explain: Callable[[], Awaitable[str]] | None = None
    """Why it can't be reached, in a sentence, where gRPC has none; "" = for another reason than is known here."""


class _Connection:
    """One channel and what runs on it."""

    def __init__(self, channel: grpc.aio.Channel, version: object) -> None:
        self.channel = channel
        self.version = version
        self.stubs: dict[Callable[[grpc.aio.Channel], object], object] = {}
        self.open_calls = 0


class Health(Enum):
    """In the order in which new streams prefer them."""

    SERVING = 0
    SILENT = 1
    """It has not answered for SILENT_AFTER_S; it may be busy."""
    NOT_SERVING = 2
    """It says so: it starts, or leaves and lets its streams end."""
    UNKNOWN = 3
    """It was not asked yet."""
    DOWN = 4
    """It can't be reached, or its answer makes no sense."""


class Tier(Enum):
    """Which target a server belongs to."""

    PRIMARY = "primary"
    FALLBACK = "fallback"


class Endpoint:  # size: a server's health and its connections change together, on one answer
    """One server."""

    def __init__(self, name: str, link: Link, changed: Callable[[], None], tier: Tier = Tier.PRIMARY) -> None:
        self.name = name
        self.tier = tier
        self.health = Health.UNKNOWN
        self.trouble = "has not answered yet"
        """Why it is not SERVING, "" = it is."""
        self.connection = 1
        """Number of the connection that new calls go on."""
        self.open_calls = 0
        self.ejected_until = 0.0
        """New streams avoid it until then (loop time)."""
        self.well_since = inf
        """Since when it serves and no stream on it has failed (loop time)."""
        self._link = link
        self._changed = changed
        self._failures = 0
        self._look = asyncio.Event()
        self._now = self._opened()
        self._old: list[_Connection] = []

    def stub(self, kind: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """A generated stub on the connection of now."""
        stubs = self._newest().stubs
        if kind not in stubs:
            stubs[kind] = kind(self._now.channel)
        return stubs[kind]  # type: ignore[return-value]  # each kind maps to its own

    @property
    def channel(self) -> grpc.aio.Channel:
        """Its connection of now."""
        return self._newest().channel

    def count(self, call: "grpc.aio.Call") -> None:
        """A call on the connection of now runs until it is done."""
        connection = self._now
        self.open_calls += 1
        connection.open_calls += 1

        def done(_: object) -> None:
            self.open_calls -= 1
            connection.open_calls -= 1

        call.add_done_callback(done)

    def answered(self) -> None:
        """A stream brought something new: whatever a probe said, it is there."""
        self._failures, self.ejected_until = 0, 0.0
        if self.health in (Health.DOWN, Health.UNKNOWN):
            self._become(Health.SERVING, "")

    def failed(self) -> None:
        """A stream on it failed, or stood still: others go first, and it is asked at once how it is."""
        eject_s = min(_EJECTED_S * 2**self._failures, _EJECTED_MAX_S)
        self._failures = min(self._failures + 1, 10)
        self.well_since = asyncio.get_running_loop().time()
        self.ejected_until = self.well_since + eject_s
        self._look.set()

    async def watch(self, every_s: float) -> None:
        """Ask until cancelled; sooner when a stream failed."""
        while True:
            self._look.clear()
            try:
                async with asyncio.timeout(every_s):
                    await self._look.wait()
            except TimeoutError:
                pass
            await self.ask()

    async def ask(self) -> None:
        """Ask once. Never raises: whatever comes, or does not come, is an answer."""
        asking = asyncio.create_task(self._ask(), name=f"health of {self.name}")
        try:
            if not (await asyncio.wait({asking}, timeout=SILENT_AFTER_S))[0]:
                if self.health is Health.SERVING:
                    self._become(Health.SILENT, f"no answer within {SILENT_AFTER_S:g} s")
                await asyncio.wait({asking}, timeout=DOWN_AFTER_S - SILENT_AFTER_S)
            if asking.done() and not asking.cancelled():
                self._become(*asking.result())
            else:
                if self.health is not Health.DOWN:
                    self._reconnect()
                self._become(Health.DOWN, f"no answer within {DOWN_AFTER_S:g} s")
        finally:
            asking.cancel()
        await self._close_old()

    async def close(self) -> None:
        """Calls that run on it are cut off."""
        for connection in (self._now, *self._old):
            await connection.channel.close()

    async def _ask(self) -> tuple[Health, str]:
        try:
            answer: health_pb2.HealthCheckResponse | None = await self.stub(check)(health_pb2.HealthCheckRequest())
            if answer is None:  # what gRPC makes of bytes that do not decode
                return Health.DOWN, "its health answer is no message of grpc.health.v1"
            status = int(answer.status)
        except grpc.aio.AioRpcError as error:
            alive = error.code() in _ALIVE
            if alive:
                return Health.SERVING, ""
            return Health.DOWN, await self._explained() or f"{error.code().name}: {error.details()}"
        except Exception as error:  # whatever a library makes of nonsense
            return Health.DOWN, f"its health answer can't be used ({type(error).__name__})"
        if status == health_pb2.HealthCheckResponse.SERVING:
            return Health.SERVING, ""
        leaves = status == health_pb2.HealthCheckResponse.NOT_SERVING
        return (Health.NOT_SERVING if leaves else Health.DOWN), f"health is {status_name(status)}"

    def _become(self, health: Health, trouble: str) -> None:
        before, self.health, self.trouble = self.health, health, trouble
        if health is before:
            return
        self.well_since = asyncio.get_running_loop().time() if health is Health.SERVING else inf
        if health is Health.SERVING:
            self._failures, self.ejected_until = 0, 0.0  # it was away, and its streams failed by that
        if before is not Health.UNKNOWN:
            log.info("%s is %s%s", self.name, health.name, f": {trouble}" if trouble else "")
        self._changed()

    def _reconnect(self) -> None:
        """What does not answer gets a fresh connection: the old one may lead nowhere, or to a server of many behind
        one address that hangs. Calls on the old one may still end well."""
        if len(self._old) < _OLD_CONNECTIONS:
            self._replace()
            self.connection += 1

    def _newest(self) -> _Connection:
        """The connection for a new call. After a change of certificates the calls of the one before stay on it: nothing
        is wrong with it."""
        if self._now.version is not self._link.version():
            self._replace()
        return self._now

    def _replace(self) -> None:
        self._old.append(self._now)
        self._now = self._opened()

    def _opened(self) -> _Connection:
        version = self._link.version()
        return _Connection(self._link.connect(), version)

    async def _explained(self) -> str:
        try:
            return await self._link.explain() if self._link.explain is not None else ""
        except Exception:  # it only explains; whatever it met is no answer of the server's
            log.exception("why %s can't be reached could not be found out", self.name)
            return ""

    async def _close_old(self) -> None:
        """Closing cancels the calls of a channel, so the last call leaves first."""
        idle = [connection for connection in self._old if not connection.open_calls]
        self._old = [connection for connection in self._old if connection.open_calls]
        for connection in idle:
            await connection.channel.close()
