"""LiveKit's OpenAI Realtime plug-in against a gateway: asks what a recording asks, hears the answer. One JSON line.

python realtime.py URL QUESTION.wav        (PCM16 at 24 kHz)
"""

import asyncio
import json
import sys
import wave

from livekit import rtc
from livekit.agents import llm
from livekit.plugins import openai

RATE_HZ = 24_000
FRAME_S = 0.02


async def converse(url: str, question: str) -> dict[str, object]:
    """What happened."""
    with wave.open(question) as file:
        assert file.getframerate() == RATE_HZ, file.getframerate()
        audio = file.readframes(file.getnframes())
    model = openai.realtime.RealtimeModel(model="gpt-realtime", base_url=url, api_key="anything")
    session = model.session()
    seen: dict[str, object] = {"errors": [], "heard": [], "audio_s": 0.0, "text": ""}
    answers: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
    session.on("generation_created", answers.put_nowait)
    session.on("error", lambda event: seen["errors"].append(str(event.error)))
    session.on(
        "input_audio_transcription_completed",
        lambda event: seen["heard"].append(event.transcript) if event.is_final else None,
    )
    await session.update_instructions("You are a weather service.")
    speaking = asyncio.create_task(_speak(session, audio))
    async with asyncio.timeout(40):
        answer = await answers.get()
        async for message in answer.message_stream:
            await asyncio.gather(_hear(message, seen), _read(message, seen))
    speaking.cancel()
    await session.aclose()
    return seen


async def _speak(session: llm.RealtimeSession, audio: bytes) -> None:
    """As a microphone would; silence after the question."""
    size = int(RATE_HZ * FRAME_S) * 2
    while True:
        frame, audio = audio[:size].ljust(size, b"\0"), audio[size:]
        session.push_audio(rtc.AudioFrame(frame, RATE_HZ, 1, size // 2))
        await asyncio.sleep(FRAME_S)


async def _hear(message: llm.MessageGeneration, seen: dict[str, object]) -> None:
    async for frame in message.audio_stream:
        seen["audio_s"] += frame.duration


async def _read(message: llm.MessageGeneration, seen: dict[str, object]) -> None:
    async for text in message.text_stream:
        seen["text"] += text


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(converse(*sys.argv[1:3]))) + "\n")
