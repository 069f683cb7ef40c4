"""Which words of a text has somebody heard who heard so many samples? The voice itself tells how long its words are."""

import asyncio
from collections.abc import Iterable

import grpc
from riva.client.proto import riva_audio_pb2, riva_tts_pb2
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

_SAMPLE_BYTES = 2


class WordTimes:
    """Asks a voice for each word once. The voice must say a word always the same, as the tone voice does."""

    def __init__(self, target: str, rate_hz: int) -> None:
        self._target = target
        self._rate_hz = rate_hz
        self._words: dict[str, tuple[int, int]] = {}
        """Samples until the word is over, and samples with the gap after it."""

    async def learn(self, texts: Iterable[str]) -> None:
        """Ask for every word that is not known yet. Raises AioRpcError."""
        new = sorted({word for text in texts for word in text.split()} - self._words.keys())
        async with grpc.aio.insecure_channel(self._target) as channel:
            found = await asyncio.gather(*(self._ask(channel, word) for word in new))
        self._words.update(zip(new, found, strict=True))

    def played(self, text: str, samples: int) -> int:
        """How many words of a learnt text are over after `samples`."""
        return words_over([self._words[word] for word in text.split()], samples)

    async def _ask(self, channel: grpc.aio.Channel, word: str) -> tuple[int, int]:
        request = riva_tts_pb2.SynthesizeSpeechRequest(
            text=word,
            language_code="en-US",
            encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
            sample_rate_hz=self._rate_hz,
            enable_word_time_offsets=True,
        )
        call = RivaSpeechSynthesisStub(channel).SynthesizeOnline()
        await call.write(request)
        await call.done_writing()
        end_ms, audio_bytes = 0.0, 0
        async for answer in call:
            end_ms = max([end_ms, *(one.end_time for one in answer.meta.words)])
            audio_bytes += len(answer.audio)
        return round(end_ms * self._rate_hz / 1000), audio_bytes // _SAMPLE_BYTES


def words_over(lengths: Iterable[tuple[int, int]], samples: int) -> int:
    """Of words one after another, (samples until its end, samples with its gap) each: how many have ended."""
    over = begin = 0
    for end, length in lengths:
        over += begin + end <= samples
        begin += length
    return over
