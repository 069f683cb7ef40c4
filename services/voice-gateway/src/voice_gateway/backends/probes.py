"""Which backends answer? Each is probed in the background; readiness and admission look here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

import aiohttp
import grpc
from grpc_health.v1 import health_pb2

log = logging.getLogger(__name__)

_LIMIT_S = 3.0
_NOT_ASKED = "has not answered yet"


@dataclass(slots=True)
class Probe:
    """One backend: how to ask it, and since when it has not answered."""

    name: str
    ask: Callable[[], Awaitable[None]]
    down_since: float | None = -inf
    """None = it answered its last probe. Until its first answer it has been down for ever."""
    trouble: str = _NOT_ASKED


class Probes:
    """All backends, asked every `every_s`."""

    def __init__(self, probes: list[Probe], every_s: float, down_after_s: float) -> None:
        self._probes = probes
        self._every_s = every_s
        self._down_after_s = down_after_s

    def down(self) -> list[str]:
        """Backends that did not answer their last probe."""
        return [probe.name for probe in self._probes if probe.down_since is not None]

    def troubles(self) -> dict[str, str]:
        """What is wrong, by backend; empty = nothing."""
        return {probe.name: probe.trouble for probe in self._probes if probe.down_since is not None}

    def down_for_long(self, now: float) -> list[str]:
        """Backends that have not answered for so long that this pod should get no calls."""
        return [
            probe.name
            for probe in self._probes
            if probe.down_since is not None and now - probe.down_since >= self._down_after_s
        ]

    async def run(self, told: Callable[[str, bool], None]) -> None:
        """Probe until cancelled; `told(name, up)` after each."""
        while True:
            await self.ask_all(told)
            await asyncio.sleep(self._every_s)

    async def ask_all(self, told: Callable[[str, bool], None]) -> None:
        """Probe every backend once, at the same time."""
        async with asyncio.TaskGroup() as tasks:
            for probe in self._probes:
                tasks.create_task(self._ask(probe, told), name=f"probe {probe.name}")

    async def _ask(self, probe: Probe, told: Callable[[str, bool], None]) -> None:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_LIMIT_S):
                await probe.ask()
        except (TimeoutError, OSError, aiohttp.ClientError, grpc.aio.AioRpcError) as error:
            is_new = probe.down_since is None or probe.trouble == _NOT_ASKED
            probe.trouble = _sentence(error)
            if probe.down_since is None:
                probe.down_since = now
            if is_new:
                log.warning("%s is down: %s", probe.name, probe.trouble)
        else:
            if probe.down_since is not None:
                log.info("%s answers", probe.name)
            probe.down_since, probe.trouble = None, ""
        told(probe.name, probe.down_since is None)


def riva_probe(name: str, channel: grpc.aio.Channel) -> Probe:
    """Riva, its NIMs and the speech server all answer the standard health service."""
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )

    async def ask() -> None:
        answer = await check(health_pb2.HealthCheckRequest())
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise OSError(f"health is {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}")

    return Probe(name, ask)


def llm_probe(name: str, base_url: str, http: aiohttp.ClientSession) -> Probe:
    """NIM answers /v1/health/ready; servers that don't know it answer 404 there, and list their models."""

    async def ask() -> None:
        for path in ("health/ready", "models"):
            async with http.get(f"{base_url.rstrip('/')}/{path}") as answer:
                if answer.status == 404:
                    continue
                # 401: it is up and wants the key that only the model's client has
                if answer.status >= 400 and answer.status != 401:
                    raise OSError(f"{path} answered HTTP {answer.status}")
                return
        raise OSError("knows neither health/ready nor models; check LLM_BASE_URL")

    return Probe(name, ask)


def _sentence(error: BaseException) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return str(error) or f"no answer within {_LIMIT_S:g} s"
