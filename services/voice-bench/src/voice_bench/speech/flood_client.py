"""What does a peer of the speech server do that means harm? One kind of flood, as a program of its own.

    python -m voice_bench.speech.flood_client KIND GRPC_TARGET HTTP_PORT SECONDS

Prints, as JSON, how often each thing happened. Nobody needs a token there: every kind is a known caller's.
"""

import asyncio
import base64
import json
import sys
from contextlib import suppress
from enum import Enum
from typing import Any

import aiohttp
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto import riva_audio_pb2 as audio
from riva.client.proto import riva_tts_pb2 as tts

from voice_bench.measure import hostile_peer
from voice_bench.measure.hostile_peer import Attack, HostilePeer, end, many_streams, write

_RECOGNISE_STREAM = "/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize"
_RECOGNISE = "/nvidia.riva.asr.RivaSpeechRecognition/Recognize"
_SYNTHESISE = "/nvidia.riva.tts.RivaSpeechSynthesis/SynthesizeOnline"
_WATCH = "/grpc.health.v1.Health/Watch"
_BIG_BYTES = 7_900_000
"""Just below the largest message that is taken."""
_UPLOAD_BYTES = 60 << 20
_APPEND_BYTES = 1_500_000
"""In base64 just below the largest message that is taken."""
_RECOGNITION = asr.RecognitionConfig(encoding=audio.LINEAR_PCM, sample_rate_hertz=16_000)
_CONFIG = asr.StreamingRecognizeRequest(
    streaming_config=asr.StreamingRecognitionConfig(config=_RECOGNITION)
).SerializeToString()
_BIG = asr.StreamingRecognizeRequest(audio_content=bytes(_BIG_BYTES)).SerializeToString()
_TEXT = "hello " * 600


class SpeechFlood(Enum):
    """What is flooded."""

    FIRST_MESSAGES = "first-messages"
    AUDIO = "audio"
    RECORDINGS = "recordings"
    IDLE_STREAMS = "idle-streams"
    WATCHES = "watches"
    METADATA = "metadata"
    CONNECTIONS = "connections"
    HTTP = "http"
    UPLOADS = "uploads"
    SOCKETS = "sockets"
    UNREAD = "unread"
    UNREAD_HTTP = "unread-http"


async def _audio(peer: HostilePeer) -> None:
    async def one() -> None:
        async with peer.channel() as channel:
            stream = peer.stream(channel, _RECOGNISE_STREAM)
            await stream.write(_CONFIG)
            while peer.has_time and not stream.done():
                await write(stream, _BIG)
                peer.counts["messages"] += 1

    await peer.times(80, one)


async def _recordings(peer: HostilePeer) -> None:
    whole = asr.RecognizeRequest(config=_RECOGNITION, audio=bytes(_BIG_BYTES)).SerializeToString()

    async def one() -> None:
        async with peer.channel() as channel:
            call: Any = channel.unary_unary(_RECOGNISE)(whole, timeout=20)
            peer.counts[(await call.code()).name] += 1

    await peer.times(60, one)


async def _metadata(peer: HostilePeer) -> None:
    filler = tuple((f"x-{number}", "v" * 7000) for number in range(10))

    async def one() -> None:
        async with peer.channel() as channel:
            peer.counts[await end(channel.stream_stream(_RECOGNISE_STREAM)(metadata=filler))] += 1

    await peer.times(55, one)


async def _unread(peer: HostilePeer) -> None:
    text = tts.SynthesizeSpeechRequest(text=_TEXT, language_code="en-US").SerializeToString()

    async def one() -> None:
        async with peer.channel() as channel:
            streams = [peer.stream(channel, _SYNTHESISE) for _ in range(50)]
            await asyncio.gather(*(write(stream, text) for stream in streams))
            peer.counts["streams"] += len(streams)
            await asyncio.sleep(min(5.0, peer.left_s))

    await peer.times(8, one)


async def _http(peer: HostilePeer, path: str, content_type: str, chunks: "list[bytes]", *, reads: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.http_port)
    try:
        size = sum(map(len, chunks))
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {size}\r\n\r\n"
        writer.write(head.encode())
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        if reads:
            async with asyncio.timeout(min(20.0, peer.left_s)):
                peer.counts[(await reader.readline()).decode().strip() or "closed"] += 1
        else:
            peer.counts["answers not read"] += 1
            await asyncio.sleep(min(5.0, peer.left_s))
    finally:
        writer.close()


async def _uploads(peer: HostilePeer) -> None:
    piece = bytes(1 << 20)
    begin = b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nany\r\n'
    begin += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pcm"\r\n\r\n'
    chunks = [begin, *[piece] * (_UPLOAD_BYTES // len(piece)), b"\r\n--x--\r\n"]

    async def one() -> None:
        await _http(peer, "/v1/audio/transcriptions", "multipart/form-data; boundary=x", chunks, reads=True)

    await peer.times(60, one)


async def _unread_http(peer: HostilePeer) -> None:
    body = json.dumps({"model": "any", "input": _TEXT, "response_format": "pcm"}).encode()

    async def one() -> None:
        await _http(peer, "/v1/audio/speech", "application/json", [body], reads=False)

    await peer.times(200, one)


async def _sockets(peer: HostilePeer) -> None:
    append = json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(_APPEND_BYTES)).decode()})

    async def one() -> None:
        async with aiohttp.ClientSession() as session:
            with suppress(aiohttp.ClientError):
                async with session.ws_connect(f"http://127.0.0.1:{peer.http_port}/v1/realtime") as socket:
                    while peer.has_time and not socket.closed:
                        async with asyncio.timeout(min(5.0, peer.left_s)):
                            await socket.send_str(append)
                        peer.counts["messages"] += 1

    await peer.times(80, one)


_FLOODS: dict[SpeechFlood, Attack] = {
    SpeechFlood.FIRST_MESSAGES: hostile_peer.big_messages(_RECOGNISE_STREAM, _BIG, 40),
    SpeechFlood.AUDIO: _audio,
    SpeechFlood.RECORDINGS: _recordings,
    SpeechFlood.IDLE_STREAMS: many_streams(_RECOGNISE_STREAM, None),
    SpeechFlood.WATCHES: many_streams(_WATCH, b""),
    SpeechFlood.METADATA: _metadata,
    SpeechFlood.CONNECTIONS: hostile_peer.connections,
    SpeechFlood.HTTP: hostile_peer.http_headers,
    SpeechFlood.UPLOADS: _uploads,
    SpeechFlood.SOCKETS: _sockets,
    SpeechFlood.UNREAD: _unread,
    SpeechFlood.UNREAD_HTTP: _unread_http,
}


def main() -> None:
    """Flood, then tell."""
    kind, target, http_port, seconds = sys.argv[1:]
    hostile_peer.run(_FLOODS[SpeechFlood(kind)], HostilePeer(target, int(http_port), float(seconds), ""))


if __name__ == "__main__":
    main()
