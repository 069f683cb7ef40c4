"""Which words does a fault lose or double? This recogniser returns the numbers of the words it was sent, exactly.

Riva's wire and its health service, in a process of its own that can be killed and stopped. /readyz tells how many
streams it holds.
"""

import asyncio
import audioop
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web
from riva.client.proto import riva_asr_pb2 as riva
from riva.client.proto.riva_asr_pb2_grpc import (
    RivaSpeechRecognitionServicer,
    add_RivaSpeechRecognitionServicer_to_server,
)
from serving.grpc_server import GrpcLimits, GrpcServer
from serving.http_pages import READY
from serving.http_server import HttpServer
from serving.ports import write_ports_file
from serving.signals import stop_on_signals

from voice_bench.measure.clips import FRAME_BYTES, RATE_HZ
from voice_bench.measure.numbered_words import text, words_in

PORTS_FILE = "NUMBERED_WORDS_PORTS_FILE"
NOTICE_S, GRACE_S = 1.5, 1.0
"""Asked to leave it says NOT_SERVING, then lets streams go on for so long, then ends them."""
_LIMITS = GrpcLimits(
    message_bytes=1 << 20, metadata_bytes=8192, connections=10_000, streams=10_000, idle_connection_s=600
)
_LOUD = 300
_BYTES_PER_S = 2 * RATE_HZ


class NumberedWordRecogniser(RivaSpeechRecognitionServicer):  # type: ignore[misc]  # Riva's stubs have no types
    """The service."""

    def __init__(self) -> None:
        self.streams = 0

    async def StreamingRecognize(
        self, requests: AsyncIterator[riva.StreamingRecognizeRequest], context: Any
    ) -> AsyncIterator[riva.StreamingRecognizeResponse]:
        """A partial with every message that brings audio, a final when it has been silent long enough."""
        config = (await anext(requests)).streaming_config.config
        stop_s = config.endpointing_config.stop_history / 1000 or 0.8
        self.streams += 1
        heard, processed, quiet = bytearray(), 0, 0
        try:
            async for request in requests:
                audio = request.audio_content
                heard += audio
                processed += len(audio)
                for at in range(0, len(audio), FRAME_BYTES):
                    piece = audio[at : at + FRAME_BYTES]
                    quiet = 0 if audioop.max(piece, 2) > _LOUD else quiet + len(piece)
                words = words_in(bytes(heard))
                final = bool(words) and (
                    quiet >= stop_s * _BYTES_PER_S or request.runtime_config.get("force_eou") == "true"
                )
                best = [riva.SpeechRecognitionAlternative(transcript=text(words))] if words else []
                result = riva.StreamingRecognitionResult(
                    alternatives=best, is_final=final, audio_processed=processed / _BYTES_PER_S
                )
                yield riva.StreamingRecognizeResponse(results=[result])
                if final:
                    heard.clear()
        finally:
            self.streams -= 1


async def serve() -> None:
    """Serve until SIGTERM, then leave as a speech server does."""
    stop, recogniser = stop_on_signals(), NumberedWordRecogniser()
    server = GrpcServer((), _LIMITS)
    add_RivaSpeechRecognitionServicer_to_server(recogniser, server.server)

    async def ready(_: web.Request) -> web.Response:
        return web.json_response(recogniser.streams)

    pages = web.Application()
    pages.router.add_get(READY, ready)
    http = HttpServer(pages, GRACE_S)
    grpc_port = await server.listen("127.0.0.1", 0, "")
    server.health.set(True)
    write_ports_file(Path(os.environ[PORTS_FILE]), grpc=grpc_port, http=await http.listen("127.0.0.1", 0, ""))
    await stop.drain.wait()
    server.health.set(False)
    await asyncio.sleep(NOTICE_S)
    await server.stop(GRACE_S)
    await http.stop()


if __name__ == "__main__":
    asyncio.run(serve())
