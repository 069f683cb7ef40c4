"""How does the server live? Listen, load, serve, drain, stop: `Server` top to bottom, `main` around it."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Mapping, Sequence

import uvloop
from aiohttp import web

from speech_server.core.recognition import AsrPolicy
from speech_server.core.voices import VoicePolicy
from speech_server.engines import Engines, build, endpointing
from speech_server.metrics import Metrics
from speech_server.ports import EngineError
from speech_server.servicers.admission import Admission
from speech_server.servicers.asr import AsrServicer, Listening
from speech_server.servicers.serving import GrpcServer, PortTaken, serve
from speech_server.servicers.stream import StreamLimits
from speech_server.servicers.tts import Speaking, TtsServicer
from speech_server.settings import BadSettings, Settings, table
from speech_server.timeline import Timeline
from speech_server.web import application

DRAINING = "The server is draining; take another one."
_log = logging.getLogger(__name__)


class Server:
    """One speech server. `start`, then `drain` and `stop`."""

    def __init__(self, settings: Settings) -> None:
        server = settings.server
        self._settings = settings
        self._metrics = Metrics()
        self._timeline = Timeline(server.speech_timeline)
        self._engines: Engines = build(settings, self._timeline)
        self._waiting: dict[str, str] = {name: "loading" for name, _ in self._engines.named}
        self._streams = Admission("streams", server.speech_max_streams, server.speech_retry_after_ms)
        self._syntheses = Admission("syntheses", server.speech_max_syntheses, server.speech_retry_after_ms)
        self._hurried = asyncio.Event()
        self._runner: web.AppRunner | None = None
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
        self._streams.open()
        self._syntheses.open()
        assert self._grpc is not None
        await self._grpc.set_serving(True)
        _log.info("ready: gRPC %d, HTTP %d", self.grpc_port, self.http_port)

    async def drain(self) -> None:
        """Not ready, refuse the new, wait for the live: a notice, then at most the grace. `hurry` ends the wait."""
        server = self._settings.server
        self._waiting["draining"] = "live streams may finish, new ones are refused"
        for admission in (self._streams, self._syntheses):
            admission.close(DRAINING)
        if self._grpc is not None:
            await self._grpc.set_serving(False)
        await _at_most(server.speech_drain_notice_s, self._hurried.wait())
        if not self._hurried.is_set():
            await _at_most(server.speech_drain_grace_s, self._until_idle())

    def hurry(self) -> None:
        """Wait for nobody any more."""
        self._hurried.set()

    async def _until_idle(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            idle = tasks.create_task(self._all_idle(), name="drain")
            impatience = tasks.create_task(self._hurried.wait(), name="hurry")
            await asyncio.wait({idle, impatience}, return_when=asyncio.FIRST_COMPLETED)
            idle.cancel()
            impatience.cancel()

    async def _all_idle(self) -> None:
        await self._streams.until_idle()
        await self._syntheses.until_idle()

    async def stop(self) -> None:
        """Close everything, engines last."""
        if self._grpc is not None:
            await self._grpc.server.stop(1.0)
        if self._runner is not None:
            await self._runner.cleanup()
        for _, engine in reversed(self._engines.named):
            await engine.stop()
        self._timeline.close()

    async def _listen(self) -> None:
        server = self._settings.server
        self._runner = web.AppRunner(application(lambda: self._waiting, self._metrics), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, server.speech_host, server.speech_http_port)
        try:
            await site.start()
        except OSError as error:
            where = f"{server.speech_host}:{server.speech_http_port}"
            raise PortTaken(f"can't listen on {where} (HTTP): {error.strerror or error}") from error
        self.http_port = self._runner.addresses[0][1]
        self._grpc = await serve(
            server.speech_host,
            server.speech_grpc_port,
            server.speech_max_message_bytes,
            AsrServicer(self._listening(), self._streams, self._metrics),
            TtsServicer(self._speaking(), self._syntheses, self._metrics),
        )
        self.grpc_port = self._grpc.port
        if server.speech_ports_file is not None:
            ports = json.dumps({"grpc": self.grpc_port, "http": self.http_port})
            # Whole or not there: whoever waits for the file reads it at once.
            part = server.speech_ports_file.with_suffix(".part")
            part.write_text(ports, encoding="utf-8")
            part.replace(server.speech_ports_file)

    def _listening(self) -> Listening:
        server, voice = self._settings.server, self._settings.voice
        return Listening(
            recogniser=self._engines.recogniser,
            detector=self._engines.detector,
            policy=AsrPolicy(
                endpointing(self._settings),
                voice.speech_model_policy,
                voice.speech_language_policy,
                voice.speech_leading_space,
            ),
            limits=StreamLimits(server.speech_idle_limit_s, server.speech_max_ahead_s),
            pre_roll_s=voice.speech_pre_roll_ms / 1000,
            longest_utterance_s=server.speech_max_utterance_s,
            retry_after_ms=server.speech_retry_after_ms,
        )

    def _speaking(self) -> Speaking:
        server, voice = self._settings.server, self._settings.voice
        aliases = {name.lower(): meant for name, meant in voice.speech_voice_aliases.items()}
        return Speaking(
            synthesiser=self._engines.synthesiser,
            policy=VoicePolicy(aliases, voice.speech_voice_policy),
            text_limit=server.speech_text_limit,
            unary_limit_bytes=server.speech_unary_limit_bytes,
            idle_s=server.speech_idle_limit_s,
            retry_after_ms=server.speech_retry_after_ms,
        )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal hurries."""
    asked = asyncio.Event()
    server = Server(settings)

    def on_signal() -> None:
        if asked.is_set():
            server.hurry()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    try:
        await server.start()
        await asked.wait()
        await server.drain()
    finally:
        await server.stop()


async def _at_most(longest_s: float, waiting: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(longest_s):
            await waiting
    except TimeoutError:
        return


def main(arguments: Sequence[str] | None = None) -> int:
    """The `speech-server` command."""
    parser = argparse.ArgumentParser(prog="speech-server", description=__doc__)
    parser.add_argument("verb", nargs="?", choices=["serve", "settings"], default="serve")
    if parser.parse_args(arguments).verb == "settings":
        sys.stdout.write(table() + "\n")
        return 0
    try:
        settings = Settings()
        logging.basicConfig(
            level=settings.server.speech_log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except (BadSettings, PortTaken, EngineError, OSError) as error:
        sys.stderr.write(f"speech-server: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
