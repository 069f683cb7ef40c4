"""What happens from start to exit? Read settings, bind ports, serve, drain on SIGTERM, stop."""

import argparse
import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import uvloop
from aiohttp import web
from serving import log_format
from serving.identity.identities import Identities
from serving.ports import write_ports_file
from serving.settings import BadSettings, read
from serving.signals import Stop, stop_on_signals

from voice_gateway import config_table
from voice_gateway.app.background import Work, kept_up
from voice_gateway.app.call_config import call_config
from voice_gateway.app.connections import Backends, connect, follow_preference
from voice_gateway.app.identities import identities, scopes
from voice_gateway.app.live_settings import LiveSettings
from voice_gateway.app.registry import Registry
from voice_gateway.app.servers import Ports, Servers, server_certificates, tell_expiry
from voice_gateway.backends import smart_turn_model
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.config import Settings
from voice_gateway.config_languages import operators_table
from voice_gateway.edges import http
from voice_gateway.edges.callers import Callers
from voice_gateway.edges.converse_ws.routes import ConverseRoutes
from voice_gateway.edges.grpc.servicer import VoiceGateway
from voice_gateway.edges.http import GatewayReadiness
from voice_gateway.edges.page import routes as page
from voice_gateway.edges.realtime.routes import RealtimeEdge
from voice_gateway.edges.transcribe_ws.endpoint import TranscriptionEndpoint
from voice_gateway.edges.web.application import application
from voice_gateway.edges.web.client_secrets import ClientSecrets
from voice_gateway.metrics import Metrics
from voice_gateway.session.turn_log_file import TurnLogFolder, TurnLogLimits

log = logging.getLogger("voice_gateway")

LOOK_EVERY_S = 1.0
"""How often the files that may change are looked at: live settings, certificate, tokens."""


def main() -> None:
    """The `voice-gateway` command: serves, or prints every setting."""
    asked = _arguments(sys.argv[1:])
    if asked.verb == "settings":
        listing = json.dumps(config_table.described(), indent=1) if asked.json else config_table.table()
        sys.stdout.write(f"{listing}\n")
    elif asked.verb == "models":
        _pull()
    elif failure := _run():
        sys.exit(f"voice-gateway: {failure}")


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="voice-gateway", description="Serve calls; the environment holds the settings."
    )
    parser.add_argument("--version", action="version", version=f"voice-gateway {version('voice-workflow-gateway')}")
    verbs = parser.add_subparsers(dest="verb")
    listing = verbs.add_parser("settings", help="print every setting as a table")
    listing.add_argument("--json", action="store_true", help="as a list for programs")
    models = verbs.add_parser("models", help="fetch the model of TURN_SCORER")
    pulling = models.add_subparsers(dest="what", required=True).add_parser(
        "pull", help="fetch a model unless it is here, and print where it lies"
    )
    pulling.add_argument("name", choices=[smart_turn_model.NAME])
    return parser.parse_args(given)


def _pull() -> None:
    """Where TURN_SCORER_MODEL_FILE says, else into the cache."""
    place = os.environ.get("TURN_SCORER_MODEL_FILE")
    try:
        pulled = smart_turn_model.pull(Path(place) if place else smart_turn_model.usual_place())
    except smart_turn_model.NotPulled as error:
        sys.exit(f"voice-gateway: {error}")
    sys.stdout.write(f"{pulled}\n")


def _run() -> str:
    """Serve; why that was not possible, "" = it was."""
    failure = ""
    try:
        settings = read(Settings)
        log_format.set_up(settings.log_level, settings.log_format)
        # Of bytes that don't decode gRPC logs a traceback of its own; what they mean for a call has its line here.
        logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it has a line for each request
        uvloop.run(serve(settings))
    except* BadSettings as group:
        failure = f"bad settings: {group.exceptions[0]}"
    except* OSError as group:
        failure = str(group.exceptions[0])
    return failure


async def serve(
    settings: Settings,
    stop: Stop | None = None,
    bound: Callable[[Ports], None] = lambda ports: None,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Serve until SIGTERM or SIGINT (or `stop`), then drain; `bound` is told the ports once they answer.
    Raises BadSettings, or OSError when a port is taken."""
    stop, metrics = stop or stop_on_signals(), Metrics()
    live, known = LiveSettings(settings), identities(settings)
    certificates = await asyncio.to_thread(server_certificates, settings)
    tell_expiry(settings, certificates, metrics)
    operators = await asyncio.to_thread(operators_table, settings)
    async with (
        connect(settings, metrics, lambda: live.now.settings.llm_model) as backends,
        asyncio.TaskGroup() as tasks,
    ):
        follow_preference(live.now.settings, backends.asr)
        now = call_config(live.now.settings, backends, operators)
        turn_logs = _turn_logs(settings)
        registry = Registry(now, tasks, backends.probes.down, turn_logs)
        await backends.probes.ask_all(_note_backend(metrics))
        await asyncio.gather(backends.asr_languages.ask(), backends.tts_languages.ask())
        ready = _readiness(registry, backends, live)
        metrics.issuer_unreachable.set_function(lambda: bool(known.trouble))
        callers = Callers(
            known,
            registry.limits,
            scopes(settings),
            _note_refusal(metrics),
            names_certificates=settings.gateway_tls_client_names,
        )
        web = application(_routes(settings, registry, callers, known, metrics), settings.allowed_origins)
        servers = Servers(settings, VoiceGateway(registry, callers), http.application(metrics, ready), web)
        ports = await servers.listen(certificates)
        looks = [file.look for file in (certificates, known) if file]

        def look_at_settings() -> None:
            before = live.now.settings
            live.look()
            metrics.config_refused.set(bool(live.now.refused))
            if live.now.settings is not before:
                follow_preference(live.now.settings, backends.asr)
                registry.renew(call_config(live.now.settings, backends, operators))

        background = [
            tasks.create_task(kept_up(name, work), name=name)
            for name, work in (
                *_background(backends, turn_logs, settings.gateway_probe_every_s),
                ("files", lambda: _look([look_at_settings, *looks], look_every_s)),
                ("http", servers.bound_http),
                ("keys of callers' tokens", known.run),
                ("usage", registry.bound_usage),
                ("health", lambda: servers.follow(ready, settings.gateway_probe_every_s / 2)),
            )
        ]
        _told(settings, ports, bound)
        await stop.drain.wait()
        log.info("draining %d calls, for at most %g s", registry.active, settings.gateway_drain_s)
        registry.close()
        servers.say_not_serving()
        await registry.drain(settings.gateway_drain_s, stop.at_once)
        await servers.close()
        for task in background:
            task.cancel()


def _turn_logs(settings: Settings) -> TurnLogFolder | None:
    folder = settings.gateway_journal_dir
    limits = TurnLogLimits(settings.gateway_journal_days, settings.gateway_journal_mb * 1024 * 1024)
    return TurnLogFolder(folder, limits) if folder else None


def _background(
    backends: Backends, turn_logs: TurnLogFolder | None, probe_every_s: float
) -> Iterator[tuple[str, Work]]:
    yield "probes", lambda: backends.probes.run(_note_backend(backends.metrics))
    yield "asr servers", backends.asr.run
    yield "tts servers", backends.tts.run
    yield "asr languages", lambda: backends.asr_languages.run(probe_every_s)
    yield "tts languages", lambda: backends.tts_languages.run(probe_every_s)
    yield "load", backends.load.run
    if backends.detector:
        yield "vad", backends.detector.run
    if backends.scorer:
        yield "smart-turn", backends.scorer.run
    if turn_logs:
        yield "turn_logs", turn_logs.keep_small
    yield from backends.tool_works.items()


async def _look(looks: Sequence[Callable[[], None]], every_s: float) -> None:
    """Look at the files that may change, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        for look in looks:
            try:
                look()
            except Exception:  # of one file; the others are looked at all the same
                log.exception("looking at a file that may change failed; what was read before stays in force")


def _routes(
    settings: Settings, registry: Registry, callers: Callers, known: Identities, metrics: Metrics
) -> Iterator[web.AbstractRouteDef]:
    """What the web port serves."""
    yield from ConverseRoutes(registry, callers).routes
    if settings.gateway_page:
        yield from page.routes()
    realtime = RealtimeEdge(registry, callers)
    yield realtime.route
    yield ClientSecrets(callers, lambda: known.secret_keys, realtime.describe).route
    yield TranscriptionEndpoint(registry, callers, metrics, asyncio.get_running_loop().time).route


def _note_refusal(metrics: Metrics) -> Callable[[str], None]:
    return lambda kind: metrics.callers_refused.labels(kind).inc()


def _note_backend(metrics: Metrics) -> Callable[[str, bool], None]:
    return lambda name, up: metrics.backend_up.labels(name).set(up)


def _readiness(registry: Registry, backends: Backends, live: LiveSettings) -> Callable[[], GatewayReadiness]:
    loop, probes = asyncio.get_running_loop(), backends.probes

    def ready() -> GatewayReadiness:
        long_down = probes.down_for_long(loop.time())
        troubles = probes.troubles()
        reasons = {name: trouble for name, trouble in troubles.items() if name in long_down}
        pod_reasons = {name: trouble for name, trouble in troubles.items() if name in probes.never_answered()}
        if registry.is_draining:
            reasons = pod_reasons = {"gateway": "draining"}
        return GatewayReadiness(
            reasons, pod_reasons, registry.is_draining, live.now.taken, live.now.refused, _targets(backends.asr)
        )

    return ready


def _targets(asr: Endpoints) -> dict[str, str]:
    """What /readyz tells of the targets of recognition, where there are two."""
    troubles = {tier.value: trouble or "serves" for tier, trouble in asr.tier_troubles.items()}
    return {"preferred": asr.preferred.value, **troubles} if len(troubles) > 1 else {}


def _told(settings: Settings, ports: Ports, bound: Callable[[Ports], None]) -> None:
    """Whoever waits for the ports."""
    # What was loaded until now stays for good: the collector need not look at it again, 25 ms each time.
    gc.collect()
    gc.freeze()
    if file := settings.gateway_ports_file:
        write_ports_file(file, **ports._asdict())
    bound(ports)
    log.info("serving gRPC on port %d, HTTP on port %d, and browsers and WebSockets on port %d", *ports)
