"""LiveKit's own NVIDIA plug-in against a speech server: speaks WORDS, hears a WAV file. One JSON line each.

python converse.py stt HOST:PORT WAV | tts HOST:PORT WORDS | voices HOST:PORT
"""

import asyncio
import json
import sys
import wave

from livekit import rtc
from livekit.agents import stt as events
from livekit.plugins import nvidia


async def hear(server: str, path: str) -> dict[str, object]:
    """The events of one recording, sent as a microphone would."""
    with wave.open(path) as file:
        rate_hz, audio = file.getframerate(), file.readframes(file.getnframes())
    audio += bytes(2 * rate_hz * 3 // 2)
    stream = nvidia.STT(server=server, use_ssl=False, sample_rate=rate_hz).stream()
    step = rate_hz // 50 * 2
    for at in range(0, len(audio), step):
        piece = audio[at : at + step]
        stream.push_frame(rtc.AudioFrame(piece, rate_hz, 1, len(piece) // 2))
        await asyncio.sleep(0.005)
    stream.end_input()
    finals: list[str] = []
    kinds: list[str] = []
    words = 0
    async with asyncio.timeout(30):
        async for event in stream:
            kinds.append(event.type.value)
            if event.type is events.SpeechEventType.FINAL_TRANSCRIPT:
                finals.append(event.alternatives[0].text)
                words += len(event.alternatives[0].words or [])
    return {"finals": finals, "kinds": sorted(set(kinds)), "words": words}


async def say(server: str, words: str) -> dict[str, object]:
    """The audio of one text, through the sentence-streaming way an agent uses."""
    stream = nvidia.TTS(server=server, use_ssl=False).stream()
    stream.push_text(words)
    stream.end_input()
    seconds = peak = 0.0
    async with asyncio.timeout(30):
        async for audio in stream:
            seconds += audio.frame.duration
            peak = max(peak, *(abs(sample) for sample in audio.frame.data), 0)
    await stream.aclose()
    return {"seconds": seconds, "peak": peak}


async def main(what: str, server: str, given: str = "") -> dict[str, object]:
    """What the plug-in made of it."""
    if what == "voices":
        return nvidia.TTS(server=server, use_ssl=False).list_voices()
    return await (hear if what == "stt" else say)(server, given)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(*sys.argv[1:4]))) + "\n")
