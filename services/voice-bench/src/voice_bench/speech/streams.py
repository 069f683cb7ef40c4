"""How late are partials and finals when many streams run at once, and what do those beyond the limit meet?

A tone is speech to the scripted engine. A result says up to which moment of its stream the engine has heard
(`audio_processed`): how late it is counts from when the audio of that moment was sent.
"""

import asyncio
import math
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
from riva.client.proto import riva_asr_pb2 as asr

from voice_bench.realtime_recognition import RATE_HZ, recognise, recognition_config
from voice_bench.speech.overload_probe import Refusals, overload_probe

CHUNK_S = 0.1
"""What NVIDIA's own scripts send."""
SPEECH_S, PAUSE_S = 2.0, 0.8
TRANSCRIPT = " ".join(f"word{number}" for number in range(1, 25))
"""A new partial every 100 ms of speech."""
PARTIAL_WITHIN_S, FINAL_WITHIN_S, REFUSED_WITHIN_S = 0.3, 0.8, 0.05
_SAMPLES = round(CHUNK_S * RATE_HZ)
_TONE = array("h", (round(9000 * math.sin(2 * math.pi * 220 * n / RATE_HZ)) for n in range(_SAMPLES))).tobytes()
_HUSH = bytes(len(_TONE))


@dataclass(slots=True)
class Lateness:
    """Seconds, of all streams together."""

    partials: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)
    broken: list[str] = field(default_factory=list)
    missing_finals: int = 0


async def run_streams(
    target: str, count: int, seconds: float, beyond: int, at_half_time: Callable[[Lateness], None]
) -> Lateness:
    """`count` streams for so long; half-way `beyond` more try, twice. `at_half_time` sees what was before them."""
    found = Lateness()
    async with overload_probe(target, beyond) as others, grpc.aio.insecure_channel(target) as channel:
        await asyncio.wait_for(channel.channel_ready(), 10)
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                stream = Stream(found, number * (SPEECH_S + PAUSE_S) / count)
                tasks.create_task(stream.run(channel, seconds), name=f"stream {number}")
            await asyncio.sleep(seconds / 2)
            at_half_time(found)
            found.refusals = await others.try_all()
    return found


class Stream:
    """One caller: speech, pause, speech, in real time; each with its own phase, so that ends do not fall together."""

    def __init__(self, found: Lateness, phase_s: float) -> None:
        self._found = found
        self._phase = round(phase_s / CHUNK_S)
        self._sent_at: list[float] = []
        """When the chunk of each number was sent."""
        self._speech_ends: list[int] = []
        """Chunks sent when each stretch of speech was over."""
        self._answered = 0

    async def run(self, channel: grpc.aio.Channel, seconds: float) -> None:
        """Talk for so long, in whole utterances, and listen."""
        speech, period = round(SPEECH_S / CHUNK_S), round((SPEECH_S + PAUSE_S) / CHUNK_S)
        chunks = [_HUSH] * self._phase
        chunks += ([_TONE] * speech + [_HUSH] * (period - speech)) * (round(seconds / CHUNK_S) // period)

        def sent(number: int) -> None:
            self._sent_at.append(time.monotonic())
            if (number - self._phase) % period == speech - 1 and number >= self._phase:
                self._speech_ends.append(number)

        try:
            async for response in recognise(channel, recognition_config(punctuation=False), chunks, CHUNK_S, sent):
                self._note(response, time.monotonic())
        except grpc.aio.AioRpcError as error:
            self._found.broken.append(str(error))
        self._found.missing_finals += len(self._speech_ends) - self._answered

    def _note(self, response: asr.StreamingRecognizeResponse, now: float) -> None:
        for result in response.results:
            if not result.alternatives:
                continue
            if result.is_final:
                self._note_final(now)
            else:
                self._found.partials.append(now - self._sent_by(result.audio_processed))

    def _note_final(self, now: float) -> None:
        if self._answered < len(self._speech_ends):
            self._found.finals.append(now - self._sent_at[self._speech_ends[self._answered]])
            self._answered += 1

    def _sent_by(self, processed_s: float) -> float:
        number = math.ceil(processed_s / CHUNK_S - 1e-3) - 1
        return self._sent_at[max(0, min(number, len(self._sent_at) - 1))]
