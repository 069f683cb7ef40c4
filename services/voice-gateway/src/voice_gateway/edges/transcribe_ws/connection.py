"""How does one WebSocket carry a transcription stream? Audio in and messages out, until the stream is over."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSMessage, WSMsgType, web

from voice_gateway.core.events import CallEnded, EndReason, Failed, Failure
from voice_gateway.edges.held_transcription import HeldTranscription
from voice_gateway.edges.transcribe_ws.back_pressure import BackPressure
from voice_gateway.edges.transcribe_ws.client_audio import ClientAudio
from voice_gateway.edges.transcribe_ws.client_messages import (
    AudioMessage,
    EndMessage,
    FlushMessage,
    StartMessage,
    audio_bytes,
    read_message,
)
from voice_gateway.edges.transcribe_ws.server_messages import close_code, encode, started
from voice_gateway.errors import BadRequest

log = logging.getLogger(__name__)


class TranscriptionConnection:
    """One WebSocket that was accepted, and its stream."""

    def __init__(self, socket: web.WebSocketResponse, stream: HeldTranscription, clock: Callable[[], float]) -> None:
        self._socket = socket
        self._stream = stream
        self._session = stream.session
        self._audio = ClientAudio(stream.request, stream.limits.max_ahead_s)
        self._pressure = BackPressure(stream, clock)

    async def carry(self, first: WSMessage | None) -> None:
        """Both directions until the stream is over, or the client is gone; `first` is a message that was read."""
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._send(), name=f"{self._session.name} writer")
                reader = tasks.create_task(self._receive(first), name=f"{self._session.name} reader")
                await asyncio.wait({writer})
                reader.cancel()
            if not writer.cancelled() and (code := writer.result()):
                await self._socket.close(code=code)
        except* (ConnectionError, TimeoutError) as broken:
            log.info("the connection of %s is broken: %s", self._session.name, broken.exceptions[0])
        finally:
            self._session.end(EndReason.CALLER_GONE)

    async def _send(self) -> int:
        """Everything the stream tells, until its last word; gives the close code. Raises ConnectionError, or
        TimeoutError when the client does not read."""
        failure: Failure | None = None
        await self._write(started(self._stream).model_dump_json())
        while True:
            seq, event = await self._session.outbox.take()
            if isinstance(event, Failed) and event.fatal:
                failure = event.failure
            if message := encode(event, self._stream, seq):
                await self._write(message.model_dump_json())
            if isinstance(event, CallEnded):
                return close_code(event, failure)

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(self._stream.limits.max_unread_s):
            await self._socket.send_str(text)

    async def _receive(self, first: WSMessage | None) -> None:
        """Everything the client sends, until it ends the stream or is gone."""
        message = first
        while await self._pressure.ready():
            message = message or await self._socket.receive()
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._session.end(EndReason.CALLER_GONE)
                return
            await self._pressure.message(len(message.data))
            self._session.note_message()
            try:
                if self._take(message):
                    return
            except BadRequest as error:
                self._stream.refusals.report(Failed(Failure.BAD_REQUEST, str(error)))
            message = None

    def _take(self, message: WSMessage) -> bool:
        """Whether it was the last one. Raises BadRequest."""
        if message.type is WSMsgType.BINARY:
            self._take_audio(message.data)
            return False
        match read_message(message.data):
            case AudioMessage() as audio:
                self._take_audio(audio_bytes(audio))
            case FlushMessage():
                self._session.finish_utterance()
            case StartMessage():
                raise BadRequest("start comes first and only once; open another stream for other options")
            case EndMessage():
                self._end()
                return True
        return False

    def _take_audio(self, data: bytes) -> None:
        pcm16 = self._audio.take(data)
        self._pressure.taken(self._audio.length_s(data))
        if pcm16:
            self._session.push(pcm16)

    def _end(self) -> None:
        if self._audio.rest_bytes:
            sentence = f"the audio ends in the midst of a sample ({self._audio.rest_bytes} bytes more came)"
            self._stream.refusals.report(Failed(Failure.BAD_REQUEST, sentence))
        if rest := self._audio.flush():
            self._session.push(rest)
        self._session.end(EndReason.CALLER_ENDED)
