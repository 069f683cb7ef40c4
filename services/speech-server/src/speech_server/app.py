"""How does the server live? Listen, load, serve, drain, stop: `Server` top to bottom, `main` around it."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Mapping, Sequence
from importlib.metadata import version

import uvloop
from aiohttp import web
from serving import log_format
from serving.certificates import BadTls, Certificates, http_context
from serving.grpc_server import GrpcServer
from serving.http_server import HttpLimits, HttpServer
from serving.ports import write_ports_file
from serving.settings import BadSettings
from serving.signals import Stop, stop_on_signals

from speech_server.admission_limits import gates, most_calls
from speech_server.callers import Callers, known_callers
from speech_server.cli.verbs import COMMANDS, listing, run_verb
from speech_server.core.asr.recognition_plan import AsrPolicy
from speech_server.core.requests.request_stats import RequestRecord
from speech_server.core.tts.voices import VoicePolicy
from speech_server.drain import LEAVE_WITHIN_S, Drain, let_end
from speech_server.engines.registry import Engines, build, chosen_asr, endpointing
from speech_server.errors import EngineError
from speech_server.health_http import application
from speech_server.http_guard import allowed_origin, authorised, certified, cross_origin, own_origin
from speech_server.interfaces import HasCounters, HasQueue
from speech_server.metrics import Metrics
from speech_server.openai_audio.endpoint_context import EndpointContext, UploadLimits
from speech_server.openai_audio.realtime import Realtime
from speech_server.openai_audio.routes import add_routes
from speech_server.process_abort import leave
from speech_server.recognition.pipeline import RecognitionContext, StreamLimits
from speech_server.request_log import RequestLog
from speech_server.riva.asr_servicer import AsrServicer
from speech_server.riva.decode_interceptor import DecodeInterceptor
from speech_server.riva.first_message_limit import FirstMessages
from speech_server.riva.grpc_server import grpc_limits, grpc_server
from speech_server.riva.synthesis import SynthesisContext
from speech_server.riva.tts_servicer import TtsServicer
from speech_server.riva_realtime import routes as riva_realtime
from speech_server.settings import Settings, table
from speech_server.speech_length import LengthLimitedSynthesiser
from speech_server.timeline import Timeline

DRAINING = "The server is draining; use another one."
STOP_WITHIN_S = 2.0
"""A start that is given up has so long to put away what it had."""
_log = logging.getLogger(__name__)


class Server:  # size: the life of the process, top to bottom
    """One speech server. `start`, then `drain` and `stop`."""

    def __init__(self, settings: Settings, stop: Stop | None = None) -> None:
        server = settings.server
        self._settings = settings
        noted = settings.requests
        path = noted.speech_request_log
        self._request_log = RequestLog(path, noted.speech_request_log_days) if path is not None else None
        self._callers = known_callers(settings)
        self._metrics = Metrics(self._note)
        self._timeline = Timeline(server.speech_timeline)
        self._engines: Engines = build(settings, self._timeline)
        recogniser = self._engines.recogniser
        if isinstance(recogniser, HasCounters):
            self._metrics.watch(lambda: recogniser.figures)
        if isinstance(recogniser, HasQueue):
            self._metrics.watch_queue(lambda: recogniser.waiting)
        self._waiting: dict[str, str] = {name: "loading" for name, _ in self._engines.named}
        self._gates = gates(settings)
        self._metrics.watch_places(self._gates.all)
        self._drain = Drain()
        self._hurried = (stop or Stop()).at_once
        self._watching: asyncio.Task[None] | None = None
        self._http: HttpServer | None = None
        self._grpc: GrpcServer | None = None
        self.grpc_port = 0
        self.http_port = 0

    @property
    def waiting_for(self) -> Mapping[str, str]:
        """What isn't ready, and why."""
        return self._waiting

    async def start(self) -> None:
        """Listen, not ready; load the engines; ready. Raises PortTaken, EngineError; `stop` is safe after both."""
        await self._listen()
        for name, engine in self._engines.named:
            await engine.start()
            del self._waiting[name]
        self._gates.open()
        assert self._grpc is not None
        self._grpc.health.set(True)
        _log.info("ready: gRPC %d, HTTP %d", self.grpc_port, self.http_port)

    async def drain(self) -> None:
        """Not ready, then, after a notice, no new ones; wait for the live, at most the grace. `hurry` ends the wait.

        During the notice everything is served: balancers have yet to hear of it. After it, GOAWAY sends gRPC clients
        elsewhere, and long streams with them (`Drain`).
        """
        server = self._settings.server
        self._waiting["draining"] = "live streams may finish, new ones are refused"
        self._drain.begin()
        if self._grpc is not None:
            self._grpc.health.set(False)
        await _at_most(server.speech_drain_notice_s, self._hurried.wait())
        if self._http is not None:
            self._http.close_idle()
        if not self._hurried.is_set():
            grace_s = server.speech_drain_grace_s
            await let_end(self._drain, self._until_ended(grace_s), self._hurried, grace_s)

    def hurry(self) -> None:
        """Wait for nobody any more."""
        self._hurried.set()

    async def _until_ended(self, grace_s: float) -> None:
        """GOAWAY at once, to every gRPC connection; then until nothing runs any more."""
        if self._grpc is not None:
            await self._grpc.stop(grace_s + LEAVE_WITHIN_S)
        # Not before: whoever called before the GOAWAY reached them is served.
        self._gates.close(DRAINING)
        await self._gates.until_idle()

    async def stop(self) -> None:
        """Close everything, engines last."""
        if self._watching is not None:
            self._watching.cancel()
        if self._grpc is not None:
            await self._grpc.stop(LEAVE_WITHIN_S)
        if self._http is not None:
            await self._http.stop()
        for _, engine in reversed(self._engines.named):
            await engine.stop()
        self._timeline.close()
        if self._request_log is not None:
            self._request_log.close()

    def _note(self, record: RequestRecord) -> None:
        """A request has ended, in the task that served it."""
        if self._callers is not None:
            record = self._callers.noted(record)
        if self._request_log is not None:
            self._request_log.note(record)

    async def _listen(self) -> None:
        server = self._settings.server
        certificates = await asyncio.to_thread(Certificates, server.tls) if server.tls is not None else None
        callers = self._callers
        await self._listen_http(callers, certificates)
        if callers is not None:
            self._watching = asyncio.create_task(callers.run(), name="files and keys of callers")
        self._grpc = grpc_server(
            grpc_limits(server.speech_max_message_bytes, most_calls(self._gates)),
            DecodeInterceptor(
                callers,
                FirstMessages(server.speech_idle_limit_s, server.speech_retry_after_ms),
                server.speech_unread_limit_s,
                self._metrics,
            ),
            AsrServicer(self._recognition(), self._gates.streams, self._gates.recordings, self._metrics),
            TtsServicer(self._synthesis(), self._gates.syntheses, self._metrics),
        )
        host, port = server.speech_host, server.speech_grpc_port
        self.grpc_port = await self._grpc.listen(host, port, "SPEECH_GRPC_PORT", certificates)
        if server.speech_ports_file is not None:
            write_ports_file(server.speech_ports_file, grpc=self.grpc_port, http=self.http_port)

    async def _listen_http(self, callers: Callers | None, certificates: Certificates | None) -> None:
        server = self._settings.server
        pages = application(lambda: self._waiting, lambda: self._engines.states, self._metrics.registry)
        endpoint_context, synthesis = self._endpoint_context(), self._synthesis()
        add_routes(
            pages,
            endpoint_context,
            riva_realtime.by_dialect(endpoint_context, synthesis, Realtime(endpoint_context).answer),
        )
        riva_realtime.add_routes(pages, endpoint_context, synthesis)
        guard = [cross_origin(server.cors_origins)] if server.cors_origins else []
        guard += [certified(certificates.files)] if certificates is not None else []
        guard += [own_origin(server.cors_origins)]
        guard += [authorised(callers, server.speech_retry_after_ms)] if callers is not None else []
        # Outside what says which paths there are.
        pages.middlewares[:0] = guard
        pages.on_response_prepare.append(self._part)
        limits = HttpLimits(most_calls(self._gates), server.speech_unread_limit_s)
        self._http = HttpServer(pages, LEAVE_WITHIN_S, limits)
        context = http_context(certificates) if certificates is not None else None
        self.http_port = await self._http.listen(
            server.speech_host, server.speech_http_port, "SPEECH_HTTP_PORT", context
        )

    async def _part(self, request: web.Request, response: web.StreamResponse) -> None:
        """What every answer carries. A draining server keeps no connection: the next request goes elsewhere."""
        response.headers.update(allowed_origin(self._settings.server.cors_origins, request))
        if self._drain.has_begun:
            response.force_close()
            response.headers["Connection"] = "close"

    def _recognition(self) -> RecognitionContext:
        server, voice = self._settings.server, self._settings.voice
        return RecognitionContext(
            recogniser=self._engines.recogniser,
            detector=self._engines.detector,
            policy=AsrPolicy(
                endpointing(self._settings),
                voice.speech_model_policy,
                voice.speech_language_policy,
                voice.speech_leading_space,
                voice.speech_write_numbers,
                voice.masked_words(),
            ),
            limits=StreamLimits(server.speech_idle_limit_s, server.speech_max_ahead_s),
            pre_roll_s=voice.speech_pre_roll_ms / 1000,
            longest_utterance_s=server.speech_max_utterance_s,
            longest_recording_s=self._settings.requests.speech_max_audio_seconds,
            quietest_dbfs=voice.speech_quietest_dbfs,
            retry_after_ms=server.speech_retry_after_ms,
            by_utterance=chosen_asr(self._settings).by_utterance,
            drain=self._drain,
        )

    def _endpoint_context(self) -> EndpointContext:
        requests, synthesis = self._settings.requests, self._synthesis()
        return EndpointContext(
            recognition=self._recognition(),
            synthesiser=synthesis.synthesiser,
            voices=synthesis.policy,
            text_limit=synthesis.text_limit,
            uploads=UploadLimits(
                requests.speech_max_upload_mb << 20, requests.speech_max_audio_seconds, requests.speech_upload_stall_s
            ),
            uploading=self._gates.uploading,
            recordings=self._gates.recordings,
            streams=self._gates.streams,
            syntheses=self._gates.syntheses,
            metrics=self._metrics,
        )

    def _synthesis(self) -> SynthesisContext:
        server, voice = self._settings.server, self._settings.voice
        aliases = {name.lower(): meant for name, meant in voice.speech_voice_aliases.items()}
        return SynthesisContext(
            synthesiser=LengthLimitedSynthesiser(self._engines.synthesiser, server.speech_max_speech_s),
            policy=VoicePolicy(aliases, voice.speech_voice_policy),
            text_limit=server.speech_text_limit,
            unary_limit_bytes=server.speech_unary_limit_bytes,
            idle_s=server.speech_idle_limit_s,
            retry_after_ms=server.speech_retry_after_ms,
            drain=self._drain,
        )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal hurries. A signal before it is ready ends the process.

    Raises BadTls, BadTokens, BadSettings, PortTaken, EngineError, OSError.
    """
    stop = stop_on_signals()
    server = Server(settings, stop)
    try:
        await _start(server, stop)
        await stop.drain.wait()
        await server.drain()
    finally:
        await server.stop()


async def _start(server: Server, stop: Stop) -> None:
    """Start, or leave the process when that is asked for meanwhile: a download does not hear of it."""
    starting = asyncio.create_task(server.start(), name="start")
    stopping = asyncio.create_task(stop.drain.wait(), name="asked to stop")
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            return starting.result()
    finally:
        stopping.cancel()
    starting.cancel()
    await asyncio.wait({starting}, timeout=STOP_WITHIN_S)
    await asyncio.wait({asyncio.create_task(server.stop(), name="stop")}, timeout=STOP_WITHIN_S)
    sentence = "speech-server: stopped before it was ready; what was downloaded is kept for the next start."
    leave(sentence, stop.signal_number)


async def _at_most(longest_s: float, waiting: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(longest_s):
            await waiting
    except TimeoutError:
        return


def main(arguments: Sequence[str] | None = None) -> int:
    """The `speech-server` command."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in COMMANDS:
        return run_verb(given[0], given[1:])
    parser = argparse.ArgumentParser(
        prog="speech-server",
        description="Serve speech recognition and synthesis as NVIDIA Riva and OpenAI do. Settings come from the "
        "environment.",
        epilog=f"other verbs, each with --help:\n{listing()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"speech-server {version('voice-workflow-speech-server')}"
    )
    parser.add_argument(
        "verb",
        nargs="?",
        choices=["serve", "settings"],
        default="serve",
        help="serve until SIGTERM or Ctrl-C (the default), or print every setting with its default",
    )
    if parser.parse_args(given).verb == "settings":
        sys.stdout.write(table() + "\n")
        return 0
    try:
        settings = Settings()
        log_format.set_up(settings.server.speech_log_level, "text")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except (BadSettings, BadTls, EngineError, OSError) as error:
        sys.stderr.write(f"speech-server: {error}\n")
        return 1
    return 0
