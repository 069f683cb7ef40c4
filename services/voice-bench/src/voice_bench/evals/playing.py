"""What comes of a scenario? It is played on virtual time; the record holds all that its judges look at."""

import asyncio
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voice_gateway.core.conversation import Exchange
from voice_gateway.core.events import EndReason

from voice_bench.evals import virtual_time
from voice_bench.evals.loudspeaker import HeardAudio, HeardWord, SentAudio
from voice_bench.evals.microphone import Microphone, Sound
from voice_bench.evals.moments import Moment, Moments
from voice_bench.evals.scenario import Scenario
from voice_bench.evals.scripted_caller import ScriptedCaller
from voice_bench.evals.scripted_gateway import ScriptedGateway, scripted_gateway

_LEAVES_WITHIN_S = 30.0
"""From the end of the call's limit to the end of all its tasks."""


@dataclass(frozen=True, slots=True)
class PlayedCall:
    """A call of a scenario, after its end."""

    scenario: Scenario
    moments: tuple[Moment, ...]
    heard_words: tuple[HeardWord, ...]
    heard_spans: tuple[tuple[float, float, int], ...]
    sent: tuple[SentAudio, ...]
    sounds: tuple[Sound, ...]
    history: tuple[Exchange, ...]
    metrics: Mapping[str, float]
    turn_log: tuple[str, ...]
    turn_log_times: tuple[float, ...]
    """Seconds of the call at which the lines were written."""
    seconds: float
    """How long the call was."""
    max_turn_s: float
    """The longest turn that the gateway lets a caller have."""
    trouble: str = ""
    """Why it did not come to its end; "" = it did."""


def play(scenario: Scenario, folder: Path = Path()) -> PlayedCall:
    """The whole call, on virtual time. Raises BadScenario."""
    collects = gc.isenabled()
    gc.disable()  # a collection in the middle costs more than a short call
    try:
        return virtual_time.run(_play(scenario, folder), scenario.limit + 2 * _LEAVES_WITHIN_S)
    finally:
        if collects:
            gc.enable()


async def _play(scenario: Scenario, folder: Path) -> PlayedCall:
    microphone, moments = Microphone(), Moments(asyncio.get_running_loop().time)
    async with scripted_gateway(scenario, microphone, moments) as gateway:
        heard = HeardAudio(gateway.settings.tts_sample_rate, gateway.voice, moments)
        caller = ScriptedCaller(scenario, folder, microphone, heard, moments, gateway.open_stream)
        trouble = await _to_its_end(scenario, caller, gateway)
    held = gateway.registry.held
    began = moments.began_at
    return PlayedCall(
        scenario=scenario,
        moments=tuple(sorted(moments.all, key=lambda moment: moment.at)),
        heard_words=tuple(heard.words),
        heard_spans=tuple(heard.spans),
        sent=tuple(heard.sent),
        sounds=tuple(microphone.sounds),
        history=_history(held.session.snapshot().exchanges if held else (), moments.numbers),
        metrics=_metrics(gateway),
        turn_log=tuple(gateway.turn_log.lines),
        turn_log_times=tuple(at - began for at in gateway.turn_log.times),
        seconds=moments.now,
        max_turn_s=gateway.settings.turn_max_s,
        trouble=trouble,
    )


async def _to_its_end(scenario: Scenario, caller: ScriptedCaller, gateway: ScriptedGateway) -> str:
    for recogniser in gateway.recognisers:
        asyncio.get_running_loop().call_soon(recogniser.begin_outages)
    try:
        async with asyncio.timeout(scenario.limit):
            await caller.run()
    except TimeoutError:
        if gateway.registry.held:
            gateway.registry.held.session.end(EndReason.DRAINED)
        return f"the call did not end within {scenario.limit:g} s{caller.waits_for and '; ' + caller.waits_for}"
    try:
        async with asyncio.timeout(_LEAVES_WITHIN_S):
            while gateway.registry.active:  # noqa: ASYNC110  # virtual time; the registry tells nobody
                await asyncio.sleep(0.1)
    except TimeoutError:
        return "the session did not end after its call"
    return ""


def _history(exchanges: Sequence[Exchange], numbers: Mapping[int, int]) -> tuple[Exchange, ...]:
    """With the scenario's numbers of replies."""
    return tuple(replace(exchange, n=numbers.get(exchange.n, 0)) for exchange in exchanges)


def _metrics(gateway: ScriptedGateway) -> dict[str, float]:
    found: dict[str, float] = {}
    for metric in gateway.metrics.registry.collect():
        for sample in metric.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found
