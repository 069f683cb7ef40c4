"""How does a recording reach the recogniser as if it were spoken now? In chunks, on time, results as they come."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from pcm import Clip
from pcm.compressed import decode_file

from speech_server.cli.verbs import CommandFailed
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How to send and what to ask for."""

    language: str = ""
    model: str = ""
    chunk_ms: int = 100
    pace: float = 1.0
    """Times real time; 0 = as fast as it goes."""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One transcript; times in seconds since the first chunk was sent."""

    at_s: float
    sent_s: float
    """How much audio had been sent by then."""
    is_final: bool
    text: str
    stability: float
    words: tuple[tuple[str, float, float], ...]


def read_recording(path: Path) -> Clip:
    """A file of any kind the library decodes. Raises CommandFailed."""
    try:
        return decode_file(path.read_bytes())
    except OSError as error:
        raise CommandFailed(f"can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandFailed(f"{path}: {error}") from error


async def transcripts(channel: grpc.aio.Channel, clip: Clip, options: StreamOptions) -> AsyncIterator[Result]:
    """Every transcript of the recording, partial and final, in order. Raises grpc.aio.AioRpcError."""
    began = time.monotonic()
    sent_s = 0.0

    async def requests() -> AsyncIterator[asr.StreamingRecognizeRequest]:
        nonlocal sent_s
        yield _first(clip, options)
        size = max(1, clip.rate_hz * options.chunk_ms // 1000) * 2
        for at in range(0, len(clip.pcm16), size):
            due = began + sent_s / options.pace if options.pace else 0.0
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            piece = clip.pcm16[at : at + size]
            sent_s += len(piece) / 2 / clip.rate_hz
            yield asr.StreamingRecognizeRequest(audio_content=piece)

    async for answer in RivaSpeechRecognitionStub(channel).StreamingRecognize(requests()):
        for result in answer.results:
            if result.alternatives and (result.is_final or result.alternatives[0].transcript):
                best = result.alternatives[0]
                words = tuple((word.word, word.start_time / 1000, word.end_time / 1000) for word in best.words)
                text = best.transcript.strip()
                yield Result(time.monotonic() - began, sent_s, result.is_final, text, result.stability, words)


def _first(clip: Clip, options: StreamOptions) -> asr.StreamingRecognizeRequest:
    config = asr.RecognitionConfig(
        encoding=audio.LINEAR_PCM,
        sample_rate_hertz=clip.rate_hz,
        language_code=options.language,
        model=options.model,
        enable_automatic_punctuation=True,
        enable_word_time_offsets=options.words,
    )
    return asr.StreamingRecognizeRequest(
        streaming_config=asr.StreamingRecognitionConfig(config=config, interim_results=True)
    )
