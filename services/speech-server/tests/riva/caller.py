"""A Riva client of the tests' own, and the audio it sends."""

import math
from array import array
from collections.abc import Iterable, Sequence

import grpc
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from speech_server.wire.riva_tts_pb2_grpc import RivaSpeechSynthesisStub


def hum(seconds: float, rate_hz: int = 16_000) -> bytes:
    """Loud audio: speech for a detector that goes by energy."""
    samples = (round(9000 * math.sin(2 * math.pi * 220 * n / rate_hz)) for n in range(round(seconds * rate_hz)))
    return array("h", samples).tobytes()


def hush(seconds: float, rate_hz: int = 16_000) -> bytes:
    """Digital silence."""
    return bytes(2 * round(seconds * rate_hz))


def pieces(pcm16: bytes, ms: int = 20) -> list[bytes]:
    """Chunks of `ms` at 16 kHz."""
    size = 32 * ms
    return [pcm16[at : at + size] for at in range(0, len(pcm16), size)]


def config(interim: bool = True, **fields: object) -> asr.StreamingRecognizeRequest:
    """A first message."""
    said: dict[str, object] = {"encoding": audio.LINEAR_PCM, "sample_rate_hertz": 16_000, **fields}
    recognition = asr.RecognitionConfig(**said)  # type: ignore[arg-type]
    return asr.StreamingRecognizeRequest(
        streaming_config=asr.StreamingRecognitionConfig(config=recognition, interim_results=interim)
    )


def chunk(audio_content: bytes, **runtime: str) -> asr.StreamingRecognizeRequest:
    """A later message."""
    return asr.StreamingRecognizeRequest(audio_content=audio_content, runtime_config=runtime)


class Caller:
    """A channel and both stubs."""

    def __init__(self, port: int) -> None:
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.asr = RivaSpeechRecognitionStub(self.channel)
        self.tts = RivaSpeechSynthesisStub(self.channel)

    async def hear(
        self,
        first: asr.StreamingRecognizeRequest,
        *rest: bytes | asr.StreamingRecognizeRequest,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> list[asr.StreamingRecognizeResponse]:
        """One whole streaming call."""
        messages = [chunk(one) if isinstance(one, bytes) else one for one in rest]
        call = self.asr.StreamingRecognize(iter([first, *messages]), metadata=tuple(metadata))
        return [response async for response in call]

    async def hear_in_step(
        self, first: asr.StreamingRecognizeRequest, pcm16: bytes, ahead_s: float
    ) -> list[asr.StreamingRecognizeResponse]:
        """One whole call that never sends more than `ahead_s` (and a piece) beyond what was last told as processed.

        All audio at once makes the server decode in strides of up to a second, however fast the machine is. In step, a
        stride is never longer than what is on its way, so that what is told on the way is the same on every machine.
        The audio must be speech: in silence nothing is told.
        """
        call = self.asr.StreamingRecognize()
        await call.write(first)
        responses: list[asr.StreamingRecognizeResponse] = []
        sent_s = told_s = 0.0
        for piece in pieces(pcm16):
            while sent_s >= told_s + ahead_s:
                response = await call.read()
                assert isinstance(response, asr.StreamingRecognizeResponse), "the call ended early"
                responses.append(response)
                told_s = response.results[0].audio_processed
            await call.write(chunk(piece))
            sent_s += len(piece) / 32_000
        await call.done_writing()
        while isinstance(response := await call.read(), asr.StreamingRecognizeResponse):
            responses.append(response)
        return responses


def results(responses: Iterable[asr.StreamingRecognizeResponse]) -> list[asr.StreamingRecognitionResult]:
    """Those with a transcript."""
    return [result for response in responses for result in response.results if result.alternatives]


def finals(responses: Iterable[asr.StreamingRecognizeResponse]) -> list[str]:
    """The final transcripts."""
    return [result.alternatives[0].transcript for result in results(responses) if result.is_final]


def partials(responses: Iterable[asr.StreamingRecognizeResponse]) -> list[str]:
    """The partial transcripts."""
    return [result.alternatives[0].transcript for result in results(responses) if not result.is_final]
