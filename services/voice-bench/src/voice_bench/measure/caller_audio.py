"""Where does the callers' speech come from? A folder of recordings, else eSpeak NG in the speech server."""

import os
from pathlib import Path

import grpc
from riva.client.proto import riva_audio_pb2, riva_tts_pb2
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from voice_bench.measure.clips import RATE_HZ, Frames, clips_in, clips_of
from voice_bench.stack import running
from voice_bench.stack_config import Part, StackConfig

SENTENCES = (
    "Good morning I would like to know when you are open",
    "Please tell me more about the weather in London today",
    "No wait I wanted to ask you something else before that",
    "My order number is one two seven nine and I am waiting",
    "Could you say that again a little more slowly for me",
    "Where are all our old yellow umbrellas now",
)


async def speech(shortest_s: float = 0.6, longest_s: float = 1.2) -> list[Frames]:
    """Clips out of VOICE_AUDIO where that is set, else spoken by eSpeak NG. Raises NoSpeech, StackFailed."""
    folder = os.environ.get("VOICE_AUDIO")
    if folder:
        return clips_in(Path(folder), shortest_s, longest_s)
    config = StackConfig(
        speech={"SPEECH_ASR_ENGINE": "scripted", "SPEECH_TTS_ENGINE": "espeak"},
        external={Part.LLM: "not needed", Part.GATEWAY: "not needed"},
    )
    async with running(config) as stack, grpc.aio.insecure_channel(stack.speech_target) as channel:
        return clips_of([await _spoken(channel, text) for text in SENTENCES], shortest_s, longest_s)


async def _spoken(channel: grpc.aio.Channel, text: str) -> bytes:
    request = riva_tts_pb2.SynthesizeSpeechRequest(
        text=text,
        language_code="en-US",
        encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
        sample_rate_hz=RATE_HZ,
    )
    answer: riva_tts_pb2.SynthesizeSpeechResponse = await RivaSpeechSynthesisStub(channel).Synthesize(request)
    return bytes(answer.audio)
