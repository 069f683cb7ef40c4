"""How does audio reach a Riva recogniser as if it were spoken now? In chunks on time, answers as they come."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable

import grpc
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto import riva_audio_pb2 as audio
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

RATE_HZ = 16_000


def recognition_config(language: str = "", model: str = "", *, punctuation: bool = True) -> asr.RecognitionConfig:
    """For PCM16 mono at `RATE_HZ`; an empty name leaves the choice to the server."""
    return asr.RecognitionConfig(
        encoding=audio.AudioEncoding.LINEAR_PCM,
        sample_rate_hertz=RATE_HZ,
        language_code=language,
        model=model,
        max_alternatives=1,
        audio_channel_count=1,
        enable_automatic_punctuation=punctuation,
    )


async def recognise(
    channel: grpc.aio.Channel,
    config: asr.RecognitionConfig,
    chunks: Iterable[bytes],
    chunk_s: float,
    sent: Callable[[int], None] = lambda number: None,
) -> AsyncIterator[asr.StreamingRecognizeResponse]:
    """Every answer, partial and final. A chunk goes out when its last sample would have been spoken; `sent` is told its
    number in that moment. Raises grpc.aio.AioRpcError."""

    async def requests() -> AsyncIterator[asr.StreamingRecognizeRequest]:
        streaming = asr.StreamingRecognitionConfig(config=config, interim_results=True)
        yield asr.StreamingRecognizeRequest(streaming_config=streaming)
        due = time.monotonic()
        for number, chunk in enumerate(chunks):
            due += chunk_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            sent(number)
            yield asr.StreamingRecognizeRequest(audio_content=chunk)

    async for response in RivaSpeechRecognitionStub(channel).StreamingRecognize(requests()):
        yield response


def cut(pcm16: bytes, chunk_s: float) -> list[bytes]:
    """Chunks of this length; the last may be shorter."""
    size = round(chunk_s * RATE_HZ) * 2
    return [pcm16[at : at + size] for at in range(0, len(pcm16), size)]


def finals(response: asr.StreamingRecognizeResponse) -> list[str]:
    """The final texts in an answer."""
    return [one.alternatives[0].transcript.strip() for one in response.results if one.is_final and one.alternatives]
