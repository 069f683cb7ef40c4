"""Which server takes the next stream or call? Of all that a target leads to: one that serves, with fewest calls.

gRPC's round_robin knows broken connections only. A server that stands still, says that it leaves, or fails its streams
is left out here; when nothing better is there, the best of what is there is tried. A backend may have two targets: the
servers of the preferred one go first, those of the other take over while none of them serves.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from voice_gateway.backends.endpoint import Endpoint, Health, Link, Tier
from voice_gateway.backends.targets import Address, Part, addresses, parts, unresolved
from voice_gateway.errors import Service

log = logging.getLogger(__name__)

_RESOLVE_EVERY_S, _RESOLVE_DOWN_EVERY_S = 5.0, 1.0
"""How often names are looked up; the second while nothing serves."""
_RESOLVE_WITHIN_S = 2.0
_RETURN_AFTER_S = 10.0
"""A stream on the other target returns to a server of the preferred one that has been well for so long."""
_SERVERS_FAULT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DATA_LOSS,
)
_TAKES_CALLS = (Health.SERVING, Health.SILENT)

LinkTo = Callable[[Address], Link]


@dataclass(frozen=True, slots=True)
class Fallback:
    """A second target, and how its servers are connected to."""

    target: str
    link_to: LinkTo


class Endpoints:  # size: what is known of all servers of one backend, and who is told when it changes
    """All servers of one backend. `ask_all` tells what there is at the start; `run` keeps it fresh."""

    def __init__(
        self, service: Service, target: str, link_to: LinkTo, every_s: float, fallback: Fallback | None = None
    ) -> None:
        self.preferred = Tier.PRIMARY
        """The target whose servers go first."""
        self._service: Service = service
        self._parts = [(Tier.PRIMARY, part) for part in parts(target)]
        self._link_to = {Tier.PRIMARY: link_to}
        if fallback:
            self._parts += [(Tier.FALLBACK, part) for part in parts(fallback.target)]
            self._link_to[Tier.FALLBACK] = fallback.link_to
        self._every_s = every_s
        self._found: dict[tuple[Tier, Part], list[Address]] = {}
        self._known: dict[tuple[Tier, Address], Endpoint] = {}
        self._leaving: list[Endpoint] = []
        """Their name does not lead there any more; the last call closes them."""
        self._turn = itertools.count()
        self._listeners: set[Callable[[], None]] = set()

    @property
    def all(self) -> list[Endpoint]:
        """Those the target leads to now."""
        return list(self._known.values())

    @property
    def by_health(self) -> dict[str, int]:
        """How many of them are how."""
        names = [endpoint.health.name.lower() for endpoint in self.all]
        return {health.name.lower(): names.count(health.name.lower()) for health in Health}

    @property
    def trouble(self) -> str:
        """Why none of them takes calls, "" = one does."""
        return _trouble(self.all)

    @property
    def tier_troubles(self) -> dict[Tier, str]:
        """Why none of a target's servers takes calls, by target; "" = one does."""
        return {tier: _trouble([one for one in self.all if one.tier is tier]) for tier in self._link_to}

    def prefer(self, tier: Tier) -> None:
        """Servers of this target go first from now on; open streams move in their next gap."""
        if tier is not self.preferred:
            log.info("%s: the %s servers go first now", self._service, tier.value)
            self.preferred = tier
            self._changed()

    async def probe(self) -> None:
        """For readiness and admission. Raises OSError with `trouble`."""
        if not self._known:
            await self.ask_all()
        if trouble := self.trouble:
            raise OSError(trouble)

    def pick(self) -> Endpoint:
        """The best one for a new call. `ask_all` comes first."""
        now, turn, everyone = asyncio.get_running_loop().time(), next(self._turn), self.all

        def rank(place: int) -> tuple[int, float, bool, int, int]:
            endpoint = everyone[place]
            ejected_s = max(0.0, endpoint.ejected_until - now)
            is_second = endpoint.tier is not self.preferred
            return endpoint.health.value, ejected_s, is_second, endpoint.open_calls, (place - turn) % len(everyone)

        return everyone[min(range(len(everyone)), key=rank)]

    def elsewhere(self, endpoint: Endpoint, connection: int) -> bool:
        """Whether a stream would be better off elsewhere: on another server that is known to serve, or on a newer
        connection to this one. A server whose streams failed just now is better than one that does not answer."""
        now = asyncio.get_running_loop().time()
        answers = endpoint.health is Health.SERVING and endpoint.connection == connection
        return any(
            other.health is Health.SERVING
            and (not answers or other.ejected_until <= now)
            and (other is not endpoint or other.connection > connection)
            for other in self.all
        )

    def should_return(self, endpoint: Endpoint) -> bool:
        """Whether a stream on this server belongs to the preferred target, and a server there has been well for long
        enough: one that serves and fails its streams would make them go back and forth."""
        well_before = asyncio.get_running_loop().time() - _RETURN_AFTER_S
        return endpoint.tier is not self.preferred and any(
            other.tier is self.preferred and other.health is Health.SERVING and other.well_since <= well_before
            for other in self.all
        )

    @contextmanager
    def notifying(self, changed: Callable[[], None]) -> Iterator[None]:
        """`changed` is called when the health of one of them has changed."""
        self._listeners.add(changed)
        try:
            yield
        finally:
            self._listeners.discard(changed)

    async def ask_all(self) -> None:
        """Look the target up and ask everybody once. Never raises."""
        await self._resolve()
        async with asyncio.TaskGroup() as tasks:
            for endpoint in self.all:
                tasks.create_task(endpoint.ask(), name=f"ask {endpoint.name}")

    async def run(self) -> None:
        """Keep asking until cancelled."""
        watches: dict[Endpoint, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                for endpoint in {*self._known.values(), *self._leaving} - watches.keys():
                    watches[endpoint] = tasks.create_task(endpoint.watch(self._every_s), name=f"watch {endpoint.name}")
                await asyncio.sleep(_RESOLVE_DOWN_EVERY_S if self.trouble else _RESOLVE_EVERY_S)
                await self._resolve()
                for endpoint in [one for one in self._leaving if not one.open_calls]:
                    self._leaving.remove(endpoint)
                    watches.pop(endpoint).cancel()
                    await endpoint.close()

    async def close(self) -> None:
        """Every connection."""
        for endpoint in (*self.all, *self._leaving):
            await endpoint.close()

    async def _resolve(self) -> None:
        for tier, part in self._parts:
            try:
                async with asyncio.timeout(_RESOLVE_WITHIN_S):
                    self._found[tier, part] = await addresses(part)
            except Exception as error:  # the addresses of before are tried on; before the first, what gRPC makes of it
                log.debug("%s can't be looked up: %s", part, error)
                self._found.setdefault((tier, part), [unresolved(part)])
        now = dict.fromkeys((tier, address) for (tier, _), found in self._found.items() for address in found)
        for tier, address in [known for known in now if known not in self._known]:
            name = f"{self._service} at {address.target.removeprefix('ipv4:')}"
            self._known[tier, address] = Endpoint(name, self._link_to[tier](address), self._changed, tier)
        for gone in self._known.keys() - now.keys():
            self._leaving.append(self._known.pop(gone))
            self._changed()

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _trouble(endpoints: Sequence[Endpoint]) -> str:
    if any(endpoint.health in _TAKES_CALLS for endpoint in endpoints):
        return ""
    if len(endpoints) == 1:
        return endpoints[0].trouble
    said = "; ".join(f"{endpoint.name}: {endpoint.trouble}" for endpoint in endpoints)
    return said or "has not answered yet"


class BalancedChannel:
    """Looks like a channel to a generated stub; each call goes to the server that is picked for it, and how it ends
    tells of that server."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._judging: set[asyncio.Task[None]] = set()

    def stream_stream(self, method: str, **how: Any) -> Callable[[], "grpc.aio.StreamStreamCall[Any, Any]"]:
        """As `grpc.aio.Channel.stream_stream`."""

        def call() -> "grpc.aio.StreamStreamCall[Any, Any]":
            endpoint = self._endpoints.pick()
            opened = endpoint.channel.stream_stream(method, **how)()
            endpoint.count(opened)

            def done(_: object) -> None:
                task = asyncio.get_running_loop().create_task(_judge(endpoint, opened), name=f"end at {endpoint.name}")
                self._judging.add(task)
                task.add_done_callback(self._judging.discard)

            opened.add_done_callback(done)
            return opened

        return call

    def unary_unary(self, method: str, **how: Any) -> None:
        """Calls of a stub that nobody makes here."""


async def _judge(endpoint: Endpoint, call: "grpc.aio.StreamStreamCall[Any, Any]") -> None:
    """What the end of a call says about its server; a refusal of what was asked for says nothing."""
    code = await call.code()
    if code is grpc.StatusCode.OK:
        endpoint.answered()
    elif code in _SERVERS_FAULT:
        endpoint.failed()
