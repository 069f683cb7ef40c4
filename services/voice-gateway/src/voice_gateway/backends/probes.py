"""Which backends answer? Each is probed in the background; readiness and admission look here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

import aiohttp

log = logging.getLogger(__name__)

_LIMIT_S = 3.0
_NOT_ASKED = "has not answered yet"


@dataclass(slots=True)
class Probe:
    """One backend: how to ask it, and since when it has not answered."""

    name: str
    ask: Callable[[], Awaitable[None]]
    """Raises OSError with a sentence when the backend is down; anything else it raises means that, too."""
    every_s: float
    down_since: float | None = -inf
    """None = it answered its last probe. Until its first answer it has been down for ever."""
    answered: bool = False
    """It has answered at least once."""
    trouble: str = _NOT_ASKED


class Probes:
    """All backends."""

    def __init__(self, probes: list[Probe], down_after_s: float) -> None:
        self._probes = probes
        self._down_after_s = down_after_s

    def down(self) -> list[str]:
        """Backends that did not answer their last probe."""
        return [probe.name for probe in self._probes if probe.down_since is not None]

    def troubles(self) -> dict[str, str]:
        """What is wrong, by backend; empty = nothing."""
        return {probe.name: probe.trouble for probe in self._probes if probe.down_since is not None}

    def down_for_long(self, now: float) -> list[str]:
        """Backends that have not answered for so long that no call should be tried here."""
        return [
            probe.name
            for probe in self._probes
            if probe.down_since is not None and now - probe.down_since >= self._down_after_s
        ]

    def never_answered(self) -> list[str]:
        """Backends that have not answered since this process began: its settings may be wrong."""
        return [probe.name for probe in self._probes if not probe.answered]

    async def run(self, on_result: Callable[[str, bool], None]) -> None:
        """Probe until cancelled; `on_result(name, up)` after each."""
        async with asyncio.TaskGroup() as tasks:
            for probe in self._probes:
                tasks.create_task(self._keep_asking(probe, on_result), name=f"probes of {probe.name}")

    async def ask_all(self, on_result: Callable[[str, bool], None]) -> None:
        """Probe every backend once, at the same time."""
        async with asyncio.TaskGroup() as tasks:
            for probe in self._probes:
                tasks.create_task(self._ask(probe, on_result), name=f"probe {probe.name}")

    async def _keep_asking(self, probe: Probe, on_result: Callable[[str, bool], None]) -> None:
        while True:
            await self._ask(probe, on_result)
            await asyncio.sleep(probe.every_s)

    async def _ask(self, probe: Probe, on_result: Callable[[str, bool], None]) -> None:
        """Whatever comes back, or goes wrong, is an answer: nothing a backend sends may end the probes."""
        now = asyncio.get_running_loop().time()
        trouble = ""
        try:
            async with asyncio.timeout(_LIMIT_S):
                await probe.ask()
        except Exception as error:
            trouble = _sentence(error)
        if trouble and (probe.down_since is None or probe.trouble in ("", _NOT_ASKED)):
            log.warning("%s is down: %s", probe.name, trouble)
        if not trouble and probe.down_since is not None:
            log.info("%s answers", probe.name)
        probe.trouble = trouble
        if not trouble:
            probe.down_since, probe.answered = None, True
        elif probe.down_since is None:
            probe.down_since = now
        on_result(probe.name, not trouble)


def _sentence(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {_LIMIT_S:g} s"
    if isinstance(error, OSError | aiohttp.ClientError) and str(error):
        return str(error)
    return f"its answer can't be used ({type(error).__name__})"
