"""The OpenAI SDK against a speech server: transcribes FILE, speaks WORDS, listens live. One JSON line each.

python converse.py models URL | speech URL WORDS FORMAT FILE | transcribe URL FILE FORMAT | stream URL FILE
                 | realtime URL WAV
"""

import asyncio
import base64
import json
import sys
import wave
from pathlib import Path

from openai import AsyncOpenAI

RATE_HZ = 24_000


async def models(client: AsyncOpenAI) -> object:
    """The names listed."""
    return [model.id async for model in client.models.list()]


async def speech(client: AsyncOpenAI, words: str, form: str, path: str) -> object:
    """Writes the audio while it comes; gives its size and how many pieces it came in."""
    size = pieces = 0
    with Path(path).open("wb") as file:
        async with client.audio.speech.with_streaming_response.create(
            model="tts-1",
            voice="alloy",
            input=words,
            response_format=form,  # type: ignore[arg-type]
        ) as answer:
            async for piece in answer.iter_bytes(4096):
                size += file.write(piece)
                pieces += 1
    return {"bytes": size, "pieces": pieces}


async def transcribe(client: AsyncOpenAI, path: str, form: str) -> object:
    """The answer in one of the formats."""
    with Path(path).open("rb") as file:
        answer = await client.audio.transcriptions.create(
            model="whisper-1",
            file=file,
            response_format=form,  # type: ignore[call-overload]
            **({"timestamp_granularities": ["word", "segment"]} if form == "verbose_json" else {}),
        )
    return answer if isinstance(answer, str) else answer.model_dump()


async def stream(client: AsyncOpenAI, path: str) -> object:
    """The events of a streamed transcription."""
    with Path(path).open("rb") as file:
        events = await client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file, stream=True)
        return [event.model_dump() async for event in events]


async def realtime(client: AsyncOpenAI, path: str) -> object:
    """The events of a live transcription of 24 kHz audio."""
    with wave.open(path) as file:
        audio = file.readframes(file.getnframes()) + bytes(3 * RATE_HZ)
    seen: list[str] = []
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as line:
        await line.session.update(
            session={
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": RATE_HZ},
                        "transcription": {"model": "gpt-4o-transcribe"},
                        "turn_detection": {"type": "server_vad"},
                    }
                },
            }
        )
        for at in range(0, len(audio), 4800):
            await line.input_audio_buffer.append(audio=base64.b64encode(audio[at : at + 4800]).decode())
        async with asyncio.timeout(20):
            async for event in line:
                seen.append(event.type)
                if event.type == "conversation.item.input_audio_transcription.completed":
                    return {"transcript": event.transcript, "events": seen}
    return {"events": seen}


async def main(what: str, url: str, *given: str) -> object:
    """What the SDK made of it."""
    verbs = {"models": models, "speech": speech, "transcribe": transcribe, "stream": stream, "realtime": realtime}
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none", timeout=30, max_retries=0) as client:
        return await verbs[what](client, *given)  # type: ignore[operator]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(*sys.argv[1:])), default=str) + "\n")
