"""A Riva whose every word a test decides: recognition, synthesis and health as real gRPC servers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import grpc
import numpy as np
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto import riva_asr_pb2_grpc, riva_tts_pb2_grpc
from riva.client.proto import riva_tts_pb2 as tts
from waiting import Changes

BYTES_PER_S = 32_000


def ramp(samples: int, first: int = 0) -> bytes:
    """PCM16 whose sample n is n mod 30000: a gap, a repeat or a click shows."""
    return (np.arange(first, first + samples) % 30_000).astype("<i2").tobytes()


class Listened:
    """One recognition stream: what came, and what the test has it say."""

    def __init__(self, changes: Changes, config: asr.StreamingRecognitionConfig) -> None:
        self.config = config
        self.audio = bytearray()
        self.forced = 0
        """How often a final was asked for."""
        self.over = False
        self.input_over = False
        """The gateway has half-closed the stream."""
        self._changes = changes
        self._orders: asyncio.Queue[asr.StreamingRecognizeResponse | grpc.StatusCode | None] = asyncio.Queue()

    def partial(self, text: str, *, stability: float = 0.0, processed_s: float = 0.0) -> None:
        """Say a partial; without text it only tells how far recognition has come."""
        found = [asr.SpeechRecognitionAlternative(transcript=text)] if text else []
        self.say(asr.StreamingRecognitionResult(alternatives=found, stability=stability, audio_processed=processed_s))

    def final(self, text: str, words: Sequence[tuple[str, int, int]] = (), *, processed_s: float = 0.0) -> None:
        """Say a final; `words` with start and end in milliseconds of this stream."""
        infos = [asr.WordInfo(word=word, start_time=start, end_time=end) for word, start, end in words]
        best = asr.SpeechRecognitionAlternative(transcript=text, words=infos)
        self.say(asr.StreamingRecognitionResult(alternatives=[best], is_final=True, audio_processed=processed_s))

    def die(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """End the stream with an error."""
        self._orders.put_nowait(code)

    def close(self) -> None:
        """End the stream with OK."""
        self._orders.put_nowait(None)

    async def heard(self, size: int) -> bytes:
        """The audio, once there are `size` bytes of it."""
        await self._changes.until(lambda: len(self.audio) >= size, f"{size} bytes at recognition")
        return bytes(self.audio)

    async def asked(self) -> None:
        """Wait until a final was asked for."""
        await self._changes.until(lambda: self.forced, "the wish for a final")

    async def ended(self) -> None:
        """Wait until the stream is over at the server too."""
        await self._changes.until(lambda: self.over, "the end of the recognition stream")

    def say(self, result: asr.StreamingRecognitionResult) -> None:
        """Say any result."""
        self._orders.put_nowait(asr.StreamingRecognizeResponse(results=[result]))

    async def read(self, requests: AsyncIterator[asr.StreamingRecognizeRequest]) -> None:
        """Record what comes."""
        async for request in requests:
            self.audio += request.audio_content
            self.forced += request.runtime_config.get("force_eou") == "true"
            self._changes.tell()
        self.input_over = True
        self._changes.tell()

    async def all_sent(self) -> bytes:
        """The audio, once the gateway says that no more comes."""
        await self._changes.until(lambda: self.input_over, "the end of the audio at recognition")
        return bytes(self.audio)

    async def serve(self, context: Any) -> None:
        """Carry out the test's orders."""
        while (order := await self._orders.get()) is not None:
            if isinstance(order, grpc.StatusCode):
                await context.abort(order, "recognition died on purpose")
            await context.write(order)


class Spoken:
    """One phrase at synthesis."""

    def __init__(self, request: tts.SynthesizeSpeechRequest) -> None:
        self.text = request.text
        self.voice = request.voice_name
        self.language = request.language_code
        self.rate_hz = request.sample_rate_hz
        self.over = False


@dataclass(frozen=True)
class Death:
    """How a phrase at synthesis breaks off."""

    after_s: float
    code: grpc.StatusCode | None = grpc.StatusCode.UNAVAILABLE
    """None = it hangs."""


class FakeRiva:
    """Either service, or both, on one free port; `stop` and `start` again keep the port."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.listened: list[Listened] = []
        self.spoken: list[Spoken] = []
        self.behave()
        self.port = 0
        self.credentials: grpc.ServerCredentials | None = None
        """Set before the start: TLS."""
        self.languages: Sequence[str] = ()
        """What both lists tell of; none = there are no lists."""
        self._server: grpc.aio.Server | None = None

    def behave(self) -> None:
        """Forget what the test wanted to go wrong."""
        self.refuses: grpc.StatusCode | None = None
        """Recognition refuses each new stream with this."""
        self.fault: grpc.StatusCode | Literal["", "silent", "hang", "drip"] = ""
        """What synthesis does instead of speaking."""
        self.seconds: Callable[[str], float] = lambda text: 0.06
        """How long a phrase lasts."""
        self.deaths: deque[Death] = deque()
        """How the next phrases at synthesis die; each one takes one."""
        self.tells_words = False
        """Synthesis tells each word's time, all equally long, with the audio it is in."""
        self.header = b""
        """Ahead of a phrase's audio."""
        self.message_bytes = 8_000
        self.trailers: tuple[tuple[str, str], ...] = ()
        """What synthesis adds to its fault."""

    async def start(self) -> None:
        """Serve."""
        server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        riva_asr_pb2_grpc.add_RivaSpeechRecognitionServicer_to_server(self, server)
        riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(self, server)
        self._answers = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._answers, server)
        await self._answers.set("", health_pb2.HealthCheckResponse.SERVING)
        address = f"127.0.0.1:{self.port}"
        tls = self.credentials
        self.port = server.add_secure_port(address, tls) if tls else server.add_insecure_port(address)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Be gone: every stream breaks."""
        if self._server:
            await self._server.stop(None)
        self._server = None

    async def leave(self) -> None:
        """Say that nothing new is taken; what runs goes on."""
        await self._answers.set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    async def stream(self, n: int = 1) -> Listened:
        """The nth recognition stream, once it is open."""
        await self.changes.until(lambda: len(self.listened) >= n, f"recognition stream {n}")
        return self.listened[n - 1]

    async def phrase(self, n: int = 1) -> Spoken:
        """The nth phrase, once it was asked for."""
        await self.changes.until(lambda: len(self.spoken) >= n, f"phrase {n}")
        return self.spoken[n - 1]

    async def quiet(self) -> None:
        """Wait until no call is open here."""
        await self.changes.until(
            lambda: all(call.over for call in self.listened) and all(call.over for call in self.spoken),
            "the end of all calls at Riva",
        )

    # ------------------------------------------------------------------------- what the gateway calls

    async def StreamingRecognize(self, requests: AsyncIterator[asr.StreamingRecognizeRequest], context: Any) -> None:
        """One recognition stream."""
        if self.refuses:
            await context.abort(self.refuses, "no more streams on purpose")
        first = await anext(requests)
        listened = Listened(self.changes, first.streaming_config)
        self.listened.append(listened)
        self.changes.tell()
        reader = asyncio.create_task(listened.read(requests), name="fake recognition")
        try:
            await listened.serve(context)
        finally:
            reader.cancel()
            listened.over = True
            self.changes.tell()

    async def GetRivaSpeechRecognitionConfig(
        self, request: asr.RivaSpeechRecognitionConfigRequest, context: Any
    ) -> asr.RivaSpeechRecognitionConfigResponse:
        """The models."""
        if not self.languages:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no lists on purpose")
        parameters = {"language_code": ",".join(self.languages), "type": "online"}
        model = asr.RivaSpeechRecognitionConfigResponse.Config(model_name="parakeet", parameters=parameters)
        return asr.RivaSpeechRecognitionConfigResponse(model_config=[model])

    async def GetRivaSynthesisConfig(
        self, request: tts.RivaSynthesisConfigRequest, context: Any
    ) -> tts.RivaSynthesisConfigResponse:
        """The voices."""
        if not self.languages:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no lists on purpose")
        config = tts.RivaSynthesisConfigResponse.Config
        voices = [config(model_name=tag, parameters={"language_code": tag}) for tag in self.languages]
        return tts.RivaSynthesisConfigResponse(model_config=voices)

    async def SynthesizeOnline(self, requests: AsyncIterator[tts.SynthesizeSpeechRequest], context: Any) -> None:
        """One phrase."""
        spoken = Spoken(await anext(requests))
        self.spoken.append(spoken)
        self.changes.tell()
        try:
            if isinstance(self.fault, grpc.StatusCode):
                await context.abort(self.fault, "synthesis fails on purpose", self.trailers)
            if self.fault == "hang":
                await asyncio.Event().wait()
            while self.fault == "drip":
                await context.write(tts.SynthesizeSpeechResponse())
                await asyncio.sleep(0.02)
            samples = 0 if self.fault else round(self.seconds(spoken.text) * spoken.rate_hz)
            await self._speak(spoken, samples, self.deaths.popleft() if self.deaths else None, context)
        finally:
            spoken.over = True
            self.changes.tell()

    async def _speak(self, spoken: "Spoken", samples: int, death: "Death | None", context: Any) -> None:
        """The audio of a phrase, until its death."""
        stream = self.header + ramp(samples)
        end = len(stream) if death is None else round(death.after_s * spoken.rate_hz) * 2
        words = spoken.text.split()
        ends = [2 * samples * n // len(words) + len(self.header) for n in range(1, len(words) + 1)]
        for first in range(0, end, self.message_bytes):
            last = min(first + self.message_bytes, end)
            now = [
                tts.WordTiming(word=word, end_time=round((at - len(self.header)) / 2 / spoken.rate_hz * 1000))
                for word, at in zip(words, ends, strict=True)
                if self.tells_words and first < at <= last
            ]
            meta = tts.SynthesizeSpeechResponseMetadata(words=now)
            await context.write(tts.SynthesizeSpeechResponse(audio=stream[first:last], meta=meta))
        if death is not None and death.code is None:
            await asyncio.Event().wait()
        elif death is not None:
            await context.abort(death.code, "synthesis dies on purpose")

    def __getattr__(self, name: str) -> Any:
        """Riva's other calls are not served; gRPC asks for their names."""
        if name[0].isupper():
            return None
        raise AttributeError(name)
