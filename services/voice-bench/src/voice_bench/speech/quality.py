"""How well does a Riva target hear, and how fast? Each recording of a corpus, whole or as a live stream."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from pcm import duration_s, silence
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from voice_bench.realtime_recognition import RATE_HZ, cut, recognise, recognition_config
from voice_bench.speech.corpus import CorpusItem
from voice_bench.speech.timing import Result

CHUNK_S = 0.02
"""A live stream's chunks: as a microphone gives them."""
TAIL_S = 1.5
"""Silence after a live stream: longer than any recogniser waits for its final."""
STOP_HISTORY_S = 0.8
"""Silence that ends an utterance of a live stream, as we ask for it; Riva's and the speech server's default."""
WITHIN_S = 120.0
_MESSAGE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Recognition:
    """One recording, heard."""

    spoken: CorpusItem
    text: str
    audio_s: float
    latency_s: float
    """Whole: request to answer. Live: last sample of the recording sent to the last final."""
    trouble: str = ""
    results: tuple[Result, ...] = ()
    """Of a live stream, in order."""


async def hear_all(
    target: str, recordings: Sequence[CorpusItem], *, live: bool, at_once: int, language: str
) -> list[Recognition]:
    """Every recording, `at_once` at a time; a refusal is noted as trouble, and all its words count as wrong."""
    free = asyncio.Semaphore(at_once)
    options = (("grpc.max_send_message_length", _MESSAGE_BYTES), ("grpc.max_receive_message_length", _MESSAGE_BYTES))
    async with grpc.aio.insecure_channel(target, options=options) as channel:

        async def one(spoken: CorpusItem) -> Recognition:
            async with free:
                return await _hear(channel, spoken, live, language)

        return list(await asyncio.gather(*(one(spoken) for spoken in recordings)))


async def _hear(channel: grpc.aio.Channel, spoken: CorpusItem, live: bool, language: str) -> Recognition:
    pcm16 = await asyncio.to_thread(spoken.pcm16)
    audio_s = duration_s(pcm16, RATE_HZ)
    began = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN_S + (2 * audio_s if live else 0)):
            if not live:
                text = await _whole(channel, pcm16, language)
                return Recognition(spoken, text, audio_s, time.monotonic() - began)
            results = await _live(channel, pcm16, language)
    except grpc.aio.AioRpcError as error:
        return Recognition(spoken, "", audio_s, 0.0, f"{error.code().name}: {error.details()}")
    except TimeoutError:
        return Recognition(spoken, "", audio_s, 0.0, f"no answer within {time.monotonic() - began:.0f} s")
    finals = [one for one in results if one.is_final and one.text]
    latency_s = max(0.0, finals[-1].at_s - audio_s) if finals else 0.0
    return Recognition(spoken, " ".join(one.text for one in finals), audio_s, latency_s, results=tuple(results))


async def _whole(channel: grpc.aio.Channel, pcm16: bytes, language: str) -> str:
    answer = await RivaSpeechRecognitionStub(channel).Recognize(
        asr.RecognizeRequest(config=recognition_config(language), audio=pcm16)
    )
    texts = [result.alternatives[0].transcript.strip() for result in answer.results if result.alternatives]
    return " ".join(text for text in texts if text)


async def _live(channel: grpc.aio.Channel, pcm16: bytes, language: str) -> list[Result]:
    """A chunk goes out the moment its last sample would have been spoken."""
    config = recognition_config(language)
    config.endpointing_config.stop_history = round(1000 * STOP_HISTORY_S)
    chunks = cut(pcm16 + silence(TAIL_S, RATE_HZ), CHUNK_S)
    began = time.monotonic()
    results: list[Result] = []
    async for response in recognise(channel, config, chunks, CHUNK_S):
        at_s = time.monotonic() - began
        texts = {True: "", False: ""}
        for result in response.results:
            if result.alternatives:
                texts[result.is_final] += " " + result.alternatives[0].transcript
        results.extend(Result(at_s, text.strip(), final) for final, text in texts.items() if text)
    return results
