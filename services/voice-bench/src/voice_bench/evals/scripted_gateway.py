"""What of the gateway runs in a scenario? All of it between its wires: only sockets and the detector are scripted."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from serving.identity.identities import Identities
from voice_gateway.app.call_config import call_config
from voice_gateway.app.connections import Backends
from voice_gateway.app.load import Load
from voice_gateway.app.registry import Registry
from voice_gateway.backends.endpoint import Link
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.backends.openai_llm import LlmClients
from voice_gateway.backends.probes import Probes
from voice_gateway.backends.server_languages import ServerLanguages, ask_recognition, ask_synthesis
from voice_gateway.backends.silero_vad import SileroDetector
from voice_gateway.backends.targets import Address
from voice_gateway.backends.tool_catalogue import ToolCatalogue
from voice_gateway.config import Settings
from voice_gateway.core import turn_log
from voice_gateway.core.events import Caller, CallOptions
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import State
from voice_gateway.core.turn_types import Event
from voice_gateway.edges.callers import Callers
from voice_gateway.edges.grpc.servicer import SERVICE, VoiceGateway
from voice_gateway.edges.held_call import CallRequest, HeldCall
from voice_gateway.errors import Service
from voice_gateway.metrics import Metrics
from voice_gateway.session.turn_log_file import TurnLogFolder

from voice_bench.evals.microphone import FRAME_S, FRAME_SAMPLES, Microphone
from voice_bench.evals.moments import Moments
from voice_bench.evals.scenario import Scenario
from voice_bench.evals.scripted_channel import ScriptedChannel, ScriptedServer
from voice_bench.evals.scripted_link import ScriptedLink
from voice_bench.evals.scripted_model import ScriptedModel
from voice_bench.evals.scripted_recogniser import RecogniserServer
from voice_bench.evals.scripted_voice import Voice

_PROBE_EVERY_S = 0.5


class BadScenario(ValueError):
    """A scenario can't be played; the sentence says why."""


class _SettingsOfScenario(Settings):
    """Settings that come from the scenario alone, not from the environment of whoever plays it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@dataclass(slots=True)
class MemoryTurnLog:
    """The turn log of one call, with the virtual time of each line."""

    clock: Callable[[], float]
    lines: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def write(self, now: float, event: Event) -> None:
        """One line."""
        self._line(turn_log.encode(now, event))

    def change(self, now: float, policy: Policy) -> None:
        """One line."""
        self._line(turn_log.encode_policy(now, policy))

    def close(self) -> None:
        """The call is over."""

    def _line(self, line: str) -> None:
        self.lines.append(line)
        self.times.append(self.clock())


class _MemoryTurnLogs:
    def __init__(self, clock: Callable[[], float]) -> None:
        self.log = MemoryTurnLog(clock)

    def open(self, name: str, policy: Policy, start: State) -> MemoryTurnLog:
        self.log.lines.append(turn_log.header(policy, start))
        self.log.times.append(self.log.clock())
        return self.log


class _StillActive(Exception):
    """A call goes on after its end: it is cut off."""


class _WatchedRegistry(Registry):
    """Remembers the call."""

    held: HeldCall | None = None

    def open(self, request: CallRequest, caller: Caller) -> HeldCall:
        self.held = super().open(request, caller)
        return self.held


class _ScriptedDetector:
    """Says what is speech by the caller's microphone: frame by frame, as the real one does."""

    def __init__(self, microphone: Microphone) -> None:
        self._microphone = microphone

    def open(self, on_frame: Callable[[float, float, float], None]) -> "_DetectorStream":
        return _DetectorStream(self._microphone, on_frame)


class _DetectorStream:
    def __init__(self, microphone: Microphone, on_frame: Callable[[float, float, float], None]) -> None:
        self._microphone = microphone
        self._on_frame = on_frame
        self._frames = 0
        self._samples = 0

    def push(self, pcm16: bytes, arrived_at: float) -> None:
        self._samples += len(pcm16) // 2
        whole = self._samples // FRAME_SAMPLES
        rest_s = (self._samples % FRAME_SAMPLES) / FRAME_SAMPLES * FRAME_S
        while self._frames < whole:
            behind_s = (whole - self._frames - 1) * FRAME_S + rest_s
            first = self._frames * FRAME_SAMPLES
            self._frames += 1
            self._on_frame(self._microphone.probability(first), arrived_at - behind_s, FRAME_S)

    def close(self) -> None:
        pass


@dataclass(slots=True)
class ScriptedGateway:
    """A running gateway, and the servers behind it."""

    registry: _WatchedRegistry
    servicer: VoiceGateway
    metrics: Metrics
    model: ScriptedModel
    voice: Voice
    recognisers: list[RecogniserServer]
    turn_log: MemoryTurnLog
    settings: Settings

    def open_stream(self, link: ScriptedLink) -> "asyncio.Task[None]":
        """A caller's stream; the task that serves it."""
        details = cast(grpc.HandlerCallDetails, _Details(f"/{SERVICE}/Converse"))
        handler = self.servicer.handlers.service(details)
        assert handler is not None, "the service has the method"
        converse = cast(Any, handler).stream_stream
        return asyncio.get_running_loop().create_task(converse(None, link), name="stream")

    @property
    def options(self) -> CallOptions:
        """What the call goes by now."""
        assert self.registry.held is not None, "the call has begun"
        return self.registry.held.session.options


@dataclass(frozen=True, slots=True)
class _Details:
    method: str
    invocation_metadata: tuple[()] = ()


def settings_of(chosen: Mapping[str, object], servers: int = 1) -> Settings:
    """The gateway's settings. Raises BadScenario."""
    unknown = [name for name in chosen if name.lower() not in Settings.model_fields]
    if unknown:
        raise BadScenario(f"{unknown[0]} is no setting of the gateway; docs/settings.md lists them")
    own = {
        "riva_asr_uri": ",".join(f"127.0.0.{number}:1" for number in range(1, servers + 1)),
        "riva_tts_uri": "127.0.0.1:2",
    }
    try:
        return _SettingsOfScenario(**own, **{name.lower(): value for name, value in chosen.items()})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise BadScenario(f"{str(first['loc'][0]).upper()}: {first['msg']}") from None


@asynccontextmanager
async def scripted_gateway(
    scenario: Scenario, microphone: Microphone, moments: Moments
) -> AsyncGenerator[ScriptedGateway, None]:
    """A gateway for one call. Raises BadScenario."""
    loop, script = asyncio.get_running_loop(), scenario.recogniser
    settings = settings_of(scenario.settings, script.servers)
    voice, model = Voice(scenario.voice, moments), ScriptedModel(scenario.model, moments)
    recognisers = [RecogniserServer(script, 1 + number, microphone, moments) for number in range(script.servers)]
    metrics, client = Metrics(), model.client()
    asr = _endpoints("asr", settings.asr_target, recognisers)
    tts = _endpoints("tts", settings.tts_target, [voice])
    backends = Backends(
        asr=asr,
        tts=tts,
        llm=LlmClients(client, client),
        probes=Probes([], settings.gateway_down_after_s),
        detector=cast(SileroDetector, _ScriptedDetector(microphone)) if settings.vad == "silero" else None,
        metrics=metrics,
        load=Load(),
        scorer=None,
        tools=ToolCatalogue([]),
        tool_works={},
        asr_languages=ServerLanguages("asr", asr, ask_recognition),
        tts_languages=ServerLanguages("tts", tts, ask_synthesis),
    )
    logs = _MemoryTurnLogs(loop.time)
    try:
        async with asyncio.TaskGroup() as tasks:
            await asr.ask_all()
            await tts.ask_all()
            config = call_config(settings, backends, {})
            registry = _WatchedRegistry(config, tasks, lambda: [], cast(TurnLogFolder, logs))
            servicer = VoiceGateway(registry, Callers(Identities(), registry.limits))
            background = [tasks.create_task(one.run(), name="servers") for one in (asr, tts)]
            yield ScriptedGateway(registry, servicer, metrics, model, voice, recognisers, logs.log, settings)
            for task in background:
                task.cancel()
            if registry.active:
                raise _StillActive
    except* _StillActive:
        pass  # who plays the scenario has noticed, and tells it
    with suppress(Exception):
        await client.close()


def _endpoints(service: Service, target: str, servers: list[Any]) -> Endpoints:
    def link_to(address: Address) -> Link:
        host = address.target.removeprefix("ipv4:").partition(":")[0]
        server: ScriptedServer = servers[int(host.rpartition(".")[2]) - 1]
        return Link(lambda: cast(grpc.aio.Channel, ScriptedChannel(server)))

    return Endpoints(service, target, link_to, _PROBE_EVERY_S)
