"""A client that leaves in mid-speech, by whatever way: one line in the log, no traceback, its place is free again."""

import asyncio
import base64
import json
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import grpc
import pytest
from speech_server.app import Server
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire import riva_tts_pb2 as tts
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from speech_server.wire.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from .sounds import file_of, hum, hush

StartServer = Callable[..., Awaitable[Server]]
LONG = "hello there my dear friends " * 40
SLOW = {"TONE_RTF": "0.5", "SCRIPT_FINAL_DELAY_MS": "2000"}
WITHIN_S = 10


@asynccontextmanager
async def left(server: Server, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """What happens inside leaves one line, and no place taken."""
    caplog.set_level(logging.INFO)
    yield
    async with asyncio.timeout(WITHIN_S):
        while "ended early" not in caplog.text or any(gate.active for gate in server._gates.all):
            await _look_again()
    told = [
        record for record in caplog.records if record.name.startswith("speech_server") and record.msg[:5] != "ready"
    ]
    assert [record.levelname for record in told] == ["INFO"], [record.getMessage() for record in told]
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    assert not any(record.exc_info for record in caplog.records)


async def _look_again() -> None:
    """Nothing tells when a connection is lost, or a place taken."""
    await asyncio.sleep(0.01)


def reset(writer: asyncio.StreamWriter | asyncio.WriteTransport) -> None:
    """Close with RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    (writer.transport if isinstance(writer, asyncio.StreamWriter) else writer).abort()


@pytest.mark.parametrize("method", ["StreamingRecognize", "Recognize", "SynthesizeOnline", "Synthesize"])
@pytest.mark.parametrize("how", ["cancel", "reset"])
async def test_a_grpc_client(
    start_server: StartServer, caplog: pytest.LogCaptureFixture, method: str, how: str
) -> None:
    server = await start_server(**SLOW)
    through: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.grpc_port)
        through.append(back)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(65_536):
                    sink.write(data)
            sink.close()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pump(reader, back))
            tasks.create_task(pump(there, writer))

    relay = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{relay.sockets[0].getsockname()[1]}") as channel:
        wish = asr.RecognitionConfig(encoding=audio.LINEAR_PCM, sample_rate_hertz=16_000)
        streaming = asr.StreamingRecognitionConfig(config=wish, interim_results=True)
        call: Any = None
        match method:
            case "StreamingRecognize":
                call = RivaSpeechRecognitionStub(channel).StreamingRecognize()
                await call.write(asr.StreamingRecognizeRequest(streaming_config=streaming))
                await call.write(asr.StreamingRecognizeRequest(audio_content=hum(1)))
                await call.read()
            case "Recognize":
                call = RivaSpeechRecognitionStub(channel).Recognize(
                    asr.RecognizeRequest(config=wish, audio=hum(0.5) + hush(0.5))
                )
            case "SynthesizeOnline":
                call = RivaSpeechSynthesisStub(channel).SynthesizeOnline(iter([tts.SynthesizeSpeechRequest(text=LONG)]))
                await call.read()
            case _:
                call = RivaSpeechSynthesisStub(channel).Synthesize(tts.SynthesizeSpeechRequest(text=LONG))
        async with left(server, caplog):
            async with asyncio.timeout(WITHIN_S):
                while not any(gate.active for gate in server._gates.all):
                    await _look_again()
            if how == "reset":
                reset(through[0])
            call.cancel()
            for writer in through:
                writer.close()
    relay.close()
    await relay.wait_closed()


@pytest.mark.parametrize("events", ["audio", "sse"])
async def test_a_listener_over_http(start_server: StartServer, caplog: pytest.LogCaptureFixture, events: str) -> None:
    server = await start_server(**SLOW)
    body = json.dumps(
        {"model": "x", "input": LONG, "voice": "alloy", "stream_format": events, "response_format": "pcm"}
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body.encode())
    assert b"200 OK" in await reader.read(2000)
    async with left(server, caplog):
        reset(writer)


@pytest.mark.parametrize("sent", ["half", "all"])
async def test_an_uploader(start_server: StartServer, caplog: pytest.LogCaptureFixture, sent: str) -> None:
    server = await start_server(**SLOW)
    recording = file_of(hum(0.5) + hush(0.5))
    form = (
        b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + recording + b"\r\n--B--\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
        b"Content-Length: %d\r\n\r\n" % len(form) + (form if sent == "all" else form[: len(form) // 2])
    )
    gate = server._gates.recordings if sent == "all" else server._gates.uploading
    async with left(server, caplog):
        async with asyncio.timeout(WITHIN_S):
            while not gate.active:
                await _look_again()
        reset(writer)


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(
    ("path", "protocols"),
    [
        ("/v1/realtime?intent=transcription", ()),
        ("/v1/realtime?intent=transcription", ("realtime", "realtime-token.x")),
        ("/v1/realtime?intent=synthesize", ("realtime",)),
    ],
)
async def test_a_realtime_client(
    start_server: StartServer, caplog: pytest.LogCaptureFixture, path: str, protocols: tuple[str, ...], how: str
) -> None:
    server = await start_server(**SLOW)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session:
        talk = await session.ws_connect(path, protocols=protocols)
        await talk.receive(timeout=5)
        said = [{"type": "input_audio_buffer.append", "audio": base64.b64encode(hum(0.5)).decode()}] * 3
        if "synthesize" in path:
            said = [{"type": "input_text.append", "text": LONG}, {"type": "input_text.commit"}]
        for event in said:
            await talk.send_str(json.dumps(event))
        await talk.receive(timeout=5)
        async with left(server, caplog):
            if how == "close":
                async with asyncio.timeout(WITHIN_S):
                    await talk.close()
            else:
                transport = talk._writer.transport
                assert transport is not None
                reset(transport)
