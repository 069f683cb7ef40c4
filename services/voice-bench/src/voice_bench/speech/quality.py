"""How well does a Riva target hear, and how fast? Each recording of a corpus, whole or as a live stream."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from pcm import duration_s
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto import riva_audio_pb2 as audio
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from voice_bench.measure.clips import RATE_HZ
from voice_bench.measure.recordings import Errors, errors
from voice_bench.speech.corpus import Spoken

CHUNK_S = 0.1
TAIL_S = 1.5
"""Silence after a live stream: longer than any recogniser waits for its final."""
WITHIN_S = 120.0
_MESSAGE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording, heard."""

    spoken: Spoken
    text: str
    audio_s: float
    latency_s: float
    """Whole: request to answer. Live: last sample of the recording sent to the last final."""
    trouble: str = ""

    @property
    def errors(self) -> Errors:
        """Its wrong words."""
        return errors([(self.spoken.text, self.text)])


async def hear_all(
    target: str, recordings: Sequence[Spoken], *, live: bool, at_once: int, language: str
) -> list[Heard]:
    """Every recording, `at_once` at a time; a refusal is noted as trouble, and all its words count as wrong."""
    free = asyncio.Semaphore(at_once)
    options = (("grpc.max_send_message_length", _MESSAGE_BYTES), ("grpc.max_receive_message_length", _MESSAGE_BYTES))
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        stub = RivaSpeechRecognitionStub(channel)

        async def one(spoken: Spoken) -> Heard:
            async with free:
                pcm16 = await asyncio.to_thread(spoken.pcm16)
                began = time.monotonic()
                trouble, text, latency_s = "", "", 0.0
                try:
                    async with asyncio.timeout(WITHIN_S + (2 * duration_s(pcm16, RATE_HZ) if live else 0)):
                        text, latency_s = await (
                            _live(stub, pcm16, language) if live else _whole(stub, pcm16, language)
                        )
                except grpc.aio.AioRpcError as error:
                    trouble = f"{error.code().name}: {error.details()}"
                except TimeoutError:
                    trouble = f"no answer within {time.monotonic() - began:.0f} s"
                return Heard(spoken, text, duration_s(pcm16, RATE_HZ), latency_s, trouble)

        return list(await asyncio.gather(*(one(spoken) for spoken in recordings)))


async def _whole(stub: RivaSpeechRecognitionStub, pcm16: bytes, language: str) -> tuple[str, float]:
    began = time.monotonic()
    answer = await stub.Recognize(asr.RecognizeRequest(config=_config(language), audio=pcm16))
    texts = [result.alternatives[0].transcript for result in answer.results if result.alternatives]
    return _joined(texts), time.monotonic() - began


async def _live(stub: RivaSpeechRecognitionStub, pcm16: bytes, language: str) -> tuple[str, float]:
    call = stub.StreamingRecognize()
    config = asr.StreamingRecognitionConfig(config=_config(language), interim_results=True)
    await call.write(asr.StreamingRecognizeRequest(streaming_config=config))
    finals: list[tuple[float, str]] = []

    async def listen() -> None:
        async for response in call:
            for result in response.results:
                if result.is_final and result.alternatives:
                    finals.append((time.monotonic(), result.alternatives[0].transcript))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(), name="finals")
        size = round(CHUNK_S * RATE_HZ) * 2
        due = time.monotonic()
        spoken_at = due
        padded = pcm16 + bytes(round(TAIL_S * RATE_HZ) * 2)
        for at in range(0, len(padded), size):
            due += CHUNK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await call.write(asr.StreamingRecognizeRequest(audio_content=padded[at : at + size]))
            if at < len(pcm16):
                spoken_at = time.monotonic()
        await call.done_writing()
    last_at = max((at for at, text in finals if text.strip()), default=spoken_at)
    return _joined([text for _, text in finals]), max(0.0, last_at - spoken_at)


def _config(language: str) -> asr.RecognitionConfig:
    return asr.RecognitionConfig(
        encoding=audio.AudioEncoding.LINEAR_PCM,
        sample_rate_hertz=RATE_HZ,
        language_code=language,
        enable_automatic_punctuation=True,
    )


def _joined(texts: Sequence[str]) -> str:
    return " ".join(text.strip() for text in texts if text.strip())
