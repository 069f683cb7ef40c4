"""What would the shortest possible gateway cost? This one has the same wire protocol and nothing else.

Audio goes to ASR frame by frame, a final to the language model, each sentence to TTS, its audio to the caller at once.
No detector, no pacing, no resume, no history, no deadlines, no error paths. Only for comparison.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import uvloop
from aiohttp import web
from openai import AsyncOpenAI, DefaultAioHttpClient
from riva.client.proto import riva_asr_pb2, riva_audio_pb2, riva_tts_pb2
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub
from serving.http_pages import READY, live_page
from serving.http_server import HttpServer
from serving.ports import write_ports_file
from serving.signals import stop_on_signals
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[pb.ClientMessage, pb.ServerMessage]

RATE_HZ = 16_000
_PCM16 = riva_audio_pb2.AudioEncoding.LINEAR_PCM
_ENDS = (".", "!", "?")


class BaselineGateway(voice_workflow_pb2_grpc.VoiceGatewayServicer):
    """The service."""

    def __init__(self, speech: grpc.aio.Channel, model: AsyncOpenAI) -> None:
        self.recogniser = RivaSpeechRecognitionStub(speech)
        self.synthesiser = RivaSpeechSynthesisStub(speech)
        self.model = model

    async def Converse(  # type: ignore[override]
        self, request_iterator: AsyncIterator[pb.ClientMessage], context: "Context"
    ) -> None:
        """One call."""
        await _Call(self, context).run(request_iterator)

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: object) -> pb.ServerInfo:
        """Not asked by any caller of the bench."""
        return pb.ServerInfo(ready=True)


class _Call:
    def __init__(self, chain: BaselineGateway, context: "Context") -> None:
        self._chain = chain
        self._context = context
        self._writing = asyncio.Lock()
        self._reply: asyncio.Task[None] | None = None
        self._n = 0

    async def run(self, messages: AsyncIterator[pb.ClientMessage]) -> None:
        await anext(messages)
        await self._tell(pb.ServerMessage(started=pb.SessionStarted(output=pb.AudioFormat(sample_rate_hz=RATE_HZ))))
        asr = self._chain.recogniser.StreamingRecognize()
        config = riva_asr_pb2.RecognitionConfig(encoding=_PCM16, sample_rate_hertz=RATE_HZ, language_code="en-US")
        streaming = riva_asr_pb2.StreamingRecognitionConfig(config=config, interim_results=True)
        await asr.write(riva_asr_pb2.StreamingRecognizeRequest(streaming_config=streaming))
        listening = asyncio.create_task(self._listen(asr), name="listening")
        async for message in messages:
            if message.HasField("audio"):
                await asr.write(riva_asr_pb2.StreamingRecognizeRequest(audio_content=message.audio.data))
            elif message.HasField("interrupt"):
                await self._interrupt()
            elif message.HasField("end"):
                break
        await self._stop(listening)
        asr.cancel()
        await self._interrupt()
        await self._tell(pb.ServerMessage(ended=pb.SessionEnded(reason=pb.SessionEnded.CALLER_ENDED)))

    async def _listen(
        self,
        asr: "grpc.aio.StreamStreamCall[riva_asr_pb2.StreamingRecognizeRequest, riva_asr_pb2.StreamingRecognizeResponse]",  # noqa: E501
    ) -> None:
        async for response in asr:
            for result in response.results:
                text = result.alternatives[0].transcript.strip() if result.alternatives else ""
                if text:
                    await self._interrupt()
                if text and result.is_final:
                    await self._tell(pb.ServerMessage(transcript=pb.Transcript(text=text, final=True)))
                    await self._turn(pb.TurnEvent.TURN_ENDED, text=text)
                    self._n += 1
                    self._reply = asyncio.create_task(self._answer(self._n, text), name="reply")

    async def _answer(self, n: int, words: str) -> None:
        await self._turn(pb.TurnEvent.REPLY_STARTED, reply=n)
        sentence, offset = "", 0
        stream = await self._chain.model.chat.completions.create(
            model="any", messages=[{"role": "user", "content": words}], stream=True
        )
        try:
            async for chunk in stream:
                piece = chunk.choices[0].delta.content if chunk.choices else None
                if not piece:
                    continue
                await self._tell(pb.ServerMessage(reply_text=pb.ReplyText(reply=n, delta=piece)))
                if sentence.endswith(_ENDS) and piece[0].isspace():  # else the point goes on: "example.com"
                    offset = await self._speak(n, sentence.strip(), offset)
                    sentence = ""
                sentence += piece
            if sentence.strip():
                await self._speak(n, sentence.strip(), offset)
        finally:
            await stream.close()
        await self._turn(pb.TurnEvent.REPLY_ENDED, reply=n)

    async def _speak(self, n: int, sentence: str, offset: int) -> int:
        request = riva_tts_pb2.SynthesizeSpeechRequest(
            text=sentence, language_code="en-US", encoding=_PCM16, sample_rate_hz=RATE_HZ
        )
        call = self._chain.synthesiser.SynthesizeOnline()
        try:
            await call.write(request)
            await call.done_writing()
            async for answer in call:
                audio = pb.ReplyAudio(reply=n, offset=offset, data=answer.audio)
                await self._tell(pb.ServerMessage(reply_audio=audio))
                offset += len(answer.audio) // 2
        finally:
            call.cancel()
        return offset

    async def _interrupt(self) -> None:
        reply, self._reply = self._reply, None
        if reply and not reply.done():
            await self._stop(reply)
            await self._turn(pb.TurnEvent.REPLY_INTERRUPTED, reply=self._n)

    async def _stop(self, task: asyncio.Task[None]) -> None:
        """Cancel it between two writes: gRPC can neither write nor end a stream once a write was cut off."""
        async with self._writing:
            task.cancel()

    async def _turn(self, kind: pb.TurnEvent.Kind.ValueType, reply: int = 0, text: str = "") -> None:
        event = pb.TurnEvent(kind=kind, reply=reply, text=text, decided_at=time.monotonic())
        await self._tell(pb.ServerMessage(turn=event))

    async def _tell(self, message: pb.ServerMessage) -> None:
        async with self._writing:  # gRPC takes one write at a time
            await self._context.write(message)


async def serve() -> None:
    """Serve until SIGTERM; where everything is stands in the gateway's own variables."""
    stop = stop_on_signals()
    async with grpc.aio.insecure_channel(f"{os.environ['RIVA_HOST']}:{os.environ['RIVA_PORT']}") as speech:
        model = AsyncOpenAI(
            base_url=os.environ["LLM_BASE_URL"], api_key="none", max_retries=0, http_client=DefaultAioHttpClient()
        )
        server = grpc.aio.server()
        voice_workflow_pb2_grpc.add_VoiceGatewayServicer_to_server(BaselineGateway(speech, model), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        pages = web.Application()
        pages.router.add_get(READY, live_page)
        http = HttpServer(pages, 1.0)
        http_port = await http.listen("127.0.0.1", 0, "")
        write_ports_file(Path(os.environ["GATEWAY_PORTS_FILE"]), grpc=port, http=http_port)
        await stop.drain.wait()
        await server.stop(1.0)
        await http.stop()
        await model.close()


if __name__ == "__main__":
    uvloop.run(serve())
