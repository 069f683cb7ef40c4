"""A caller made of the generated stubs alone, so that a test can send what no good client would."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc
from waiting import Changes
from websocket_call import WebSocketCall

Kind = pb.TurnEvent


class Caller:
    """One stream. Reads everything at once, unless it was told not to."""

    def __init__(
        self,
        port: int,
        *,
        numbered: bool = False,
        reads: bool = True,
        first_seq: int = 1,
        tls: grpc.ChannelCredentials | None = None,
        authorization: str = "",
        metadata: tuple[tuple[str, str], ...] = (),
        wire: str = "grpc",
        protocols: tuple[str, ...] = (),
        websocket_tls: ssl.SSLContext | None = None,
    ) -> None:
        """`wire`: grpc, or json or proto, the forms of the WebSocket; `protocols` instead of that form's."""
        self.channel = _channel(port, tls)
        self.stub = voice_workflow_pb2_grpc.VoiceGatewayStub(self.channel)
        self.received: list[pb.ServerMessage] = []
        self.changes = Changes()
        self.code: grpc.StatusCode | None = None
        self.sentence = ""
        self.trailer: dict[str, Any] = {}
        self.seq = first_seq - 1
        self._sample_bytes = 2
        self._numbered = numbered
        self.metadata = (*((("authorization", authorization),) if authorization else ()), *metadata)
        self.websocket = None if wire == "grpc" else WebSocketCall(port, wire, self.metadata, protocols, websocket_tls)
        self._call: Any = self.websocket or self.stub.Converse(metadata=self.metadata)
        self._reader = asyncio.create_task(self._read(), name="caller") if reads else None

    async def send(self, **fields: Any) -> None:
        """A message of these fields."""
        self.seq += self._numbered
        await self._call.write(pb.ClientMessage(seq=self.seq, **fields))

    async def send_bytes(self, data: bytes) -> None:
        """Bytes that may be no message at all."""
        if self.websocket is not None:
            await self.websocket.write_bytes(data)
        else:
            await self._call._cython_call.send_serialized_message(data)

    async def beat(self) -> None:
        """A message that says nothing and has no number."""
        await self._call.write(pb.ClientMessage())

    async def start(self, **fields: Any) -> pb.SessionStarted:
        """Begin a call, or come back to one."""
        await self.send(start=pb.SessionStart(**fields))
        started = (await self.expect("started")).started
        self._sample_bytes = 2 if started.output.encoding == pb.AUDIO_ENCODING_PCM16 else 1
        return started

    async def say(self, pcm16: bytes, frame_bytes: int = 3_200) -> None:
        """Audio, frame by frame, as fast as it goes."""
        for first in range(0, len(pcm16), frame_bytes):
            await self.send(audio=pb.Audio(data=pcm16[first : first + frame_bytes]))

    async def type(self, text: str) -> None:
        """A typed turn."""
        await self.send(text=pb.Text(text=text))

    async def half_close(self) -> None:
        """Send nothing more."""
        await self._call.done_writing()

    async def hang_up(self) -> None:
        """End the call politely and wait until it is over."""
        await self.send(end=pb.SessionEnd())
        await self.over()

    def cancel(self) -> None:
        """Break the stream off."""
        self._call.cancel()

    def of(self, kind: str) -> list[pb.ServerMessage]:
        """All messages of a kind that came."""
        return [message for message in self.received if message.WhichOneof("message") == kind]

    async def expect(
        self, kind: str, where: Callable[[pb.ServerMessage], bool] = lambda message: True
    ) -> pb.ServerMessage:
        """The first message of this kind that fits. Fails at once when the stream ends without it."""

        def look() -> list[pb.ServerMessage] | None:
            found = [message for message in self.of(kind) if where(message)]
            assert found or self.code is None, f"no {kind}; the stream ended with {self.code}: {self.sentence}"
            return found

        return (await self.changes.until(look, lambda: f"{kind} after {self.told()}"))[0]

    async def turn(self, kind: "pb.TurnEvent.Kind.ValueType", reply: int = 0) -> pb.TurnEvent:
        """The first turn event of this kind (of this reply)."""
        fits = await self.expect("turn", lambda m: m.turn.kind == kind and (not reply or m.turn.reply == reply))
        return fits.turn

    async def error(self, code: "pb.Error.Code.ValueType") -> pb.Error:
        """The first error of this code; its sentence says more than what went wrong."""
        error = (await self.expect("error", lambda m: m.error.code == code)).error
        assert len(error.message.split()) > 5, error.message
        return error

    async def over(self) -> pb.SessionEnded.Reason.ValueType:
        """Wait for the end of the stream; why the call ended (0 = SessionEnded did not come)."""
        await self.changes.until(lambda: self.code is not None, lambda: f"the end of the stream after {self.told()}")
        ended = self.of("ended")
        return ended[-1].ended.reason if ended else pb.SessionEnded.REASON_UNSPECIFIED

    def audio(self, reply: int) -> bytes:
        """The audio of a reply that came, without gap or repeat."""
        data = b""
        for message in self.of("reply_audio"):
            if message.reply_audio.reply == reply:
                assert message.reply_audio.offset * self._sample_bytes == len(data)
                data += message.reply_audio.data
        return data

    def text(self, reply: int) -> str:
        """The text of a reply that came."""
        return "".join(m.reply_text.delta for m in self.of("reply_text") if m.reply_text.reply == reply)

    def told(self) -> list[str]:
        """What came, in short, for a failing test."""
        names = [str(message.WhichOneof("message")) for message in self.received]
        turns = iter([Kind.Kind.Name(message.turn.kind) for message in self.of("turn")])
        return [next(turns) if name == "turn" else name for name in names]

    async def close(self) -> None:
        """Be gone."""
        self._call.cancel()
        if self._reader:
            await asyncio.wait([self._reader])
        if self.websocket is not None:
            await self.websocket.close()
        await self.channel.close()

    async def _read(self) -> None:
        try:
            async for message in self._call:
                self.received.append(message)
                self.changes.tell()
        except (grpc.aio.AioRpcError, asyncio.CancelledError, ConnectionError):
            pass
        self.code = await self._call.code()
        self.sentence = await self._call.details() or ""
        self.trailer = dict(await self._call.trailing_metadata() or ())
        self.changes.tell()


def _channel(port: int, tls: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    """A connection of its own: with a certificate, what was agreed on an older one does not count."""
    if tls is None:
        return grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    return grpc.aio.secure_channel(f"localhost:{port}", tls, options=(("grpc.use_local_subchannel_pool", 1),))
