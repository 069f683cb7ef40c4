"""Pipecat's OpenAI Realtime service against a gateway: asks what a recording asks, hears the answer. One JSON line.

python realtime.py WS_URL QUESTION.wav        (PCM16 at 24 kHz)
"""

import asyncio
import json
import sys
import wave

from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

RATE_HZ = 24_000
FRAME_S = 0.02
QUIET_S = 1.5
"""Without more audio the answer is over."""


class Seen(FrameProcessor):
    """Keeps what comes out of the service."""

    def __init__(self) -> None:
        super().__init__()
        self.samples = 0
        self.heard: list[str] = []
        self.errors: list[str] = []
        self.changed = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.samples += len(frame.audio) // 2
            self.changed.set()
        elif isinstance(frame, TranscriptionFrame):
            self.heard.append(frame.text)
        elif isinstance(frame, ErrorFrame):
            self.errors.append(str(frame.error))
        await self.push_frame(frame, direction)


async def converse(url: str, question: str) -> dict[str, object]:
    """What happened."""
    with wave.open(question) as file:
        assert file.getframerate() == RATE_HZ, file.getframerate()
        audio = file.readframes(file.getnframes())
    settings = OpenAIRealtimeLLMService.Settings(model="gpt-realtime")
    service = OpenAIRealtimeLLMService(api_key="anything", base_url=f"{url}/v1/realtime", settings=settings)
    seen, ahead = Seen(), Seen()
    params = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
    task = PipelineTask(Pipeline([ahead, service, seen]), params=params)
    size = int(RATE_HZ * FRAME_S) * 2

    async def feed() -> None:
        await task.queue_frame(LLMContextFrame(LLMContext([{"role": "user", "content": "hello"}])))
        await _quiet(seen)
        first = seen.samples
        async with asyncio.timeout(40):
            sent = 0
            while seen.samples == first or sent < len(audio):
                frame = audio[sent : sent + size].ljust(size, b"\0")
                sent += size
                await task.queue_frame(InputAudioRawFrame(frame, RATE_HZ, 1))
                await asyncio.sleep(FRAME_S)
        await _quiet(seen)
        await task.queue_frame(EndFrame())

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), feed())
    return {"audio_s": seen.samples / RATE_HZ, "heard": ahead.heard + seen.heard, "errors": ahead.errors + seen.errors}


async def _quiet(seen: Seen) -> None:
    """Until an answer came, and no more of it."""
    seen.changed.clear()
    async with asyncio.timeout(30):
        await seen.changed.wait()
        while seen.changed.is_set():
            seen.changed.clear()
            await asyncio.sleep(QUIET_S)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(converse(*sys.argv[1:3]))) + "\n")
