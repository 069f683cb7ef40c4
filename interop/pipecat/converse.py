"""Pipecat's own NVIDIA services against a speech server: speaks WORDS, hears a WAV file. One JSON line each.

python converse.py stt HOST:PORT WAV | segmented HOST:PORT WAV | tts HOST:PORT WORDS
"""

import asyncio
import json
import sys
import time
import wave
from array import array

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.nvidia.stt import NvidiaSegmentedSTTService, NvidiaSTTService
from pipecat.services.nvidia.tts import NvidiaTTSService

RATE_HZ = 16_000


class Seen(FrameProcessor):
    """Keeps what comes out of the service."""

    def __init__(self) -> None:
        super().__init__()
        self.finals: list[str] = []
        self.interim: list[str] = []
        self.audio = b""
        self.changed = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            self.finals.append(frame.text)
            self.changed.set()
        elif isinstance(frame, InterimTranscriptionFrame):
            self.interim.append(frame.text)
        elif isinstance(frame, TTSAudioRawFrame):
            self.audio += frame.audio
            self.changed.set()
        await self.push_frame(frame, direction)


async def run(service: FrameProcessor, frames: list[Frame], pause_s: float) -> Seen:
    """Send the frames, wait until nothing new comes for two seconds, end."""
    seen = Seen()
    task = PipelineTask(
        Pipeline([service, seen]), params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=22_050)
    )

    async def feed() -> None:
        await asyncio.sleep(0.5)
        for frame in frames:
            await task.queue_frame(frame)
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(20):
            await seen.changed.wait()
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 1.5:
            seen.changed.clear()
            try:
                async with asyncio.timeout(0.5):
                    await seen.changed.wait()
                    quiet_since = time.monotonic()
            except TimeoutError:
                continue
        await task.queue_frame(EndFrame())

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), feed())
    return seen


def recording(path: str) -> list[InputAudioRawFrame]:
    """Frames of 20 ms, a second and a half of silence after them."""
    with wave.open(path) as file:
        assert file.getframerate() == RATE_HZ, file.getframerate()
        audio = file.readframes(file.getnframes()) + bytes(RATE_HZ * 3)
    return [InputAudioRawFrame(audio[at : at + 640], RATE_HZ, 1) for at in range(0, len(audio), 640)]


async def main(what: str, server: str, given: str) -> dict[str, object]:
    """What the service made of it."""
    if what == "tts":
        tts = NvidiaTTSService(server=server, use_ssl=False, sample_rate=22_050)
        seen = await run(tts, [TTSSpeakFrame(given)], 0)
        return {"seconds": len(seen.audio) / 2 / 22_050, "peak": max(array("h", seen.audio), default=0)}
    if what == "stt":
        stt = NvidiaSTTService(server=server, use_ssl=False, sample_rate=RATE_HZ)
        seen = await run(stt, list(recording(given)), 0.005)
    else:
        segmented = NvidiaSegmentedSTTService(server=server, use_ssl=False, sample_rate=RATE_HZ)
        frames = [VADUserStartedSpeakingFrame(), *recording(given), VADUserStoppedSpeakingFrame()]
        seen = await run(segmented, frames, 0.001)
    return {"finals": seen.finals, "interim": len(seen.interim)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(*sys.argv[1:4]))) + "\n")
