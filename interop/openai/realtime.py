"""A spoken conversation through the OpenAI SDK: a question that needs a tool, and a barge-in. One JSON line.

python realtime.py URL QUESTION.wav INTERRUPTION.wav        (PCM16 at 24 kHz)
"""

import asyncio
import base64
import json
import sys
import wave
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

RATE_HZ = 24_000
FRAME_S = 0.04
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
REPORT = "The sun shines all day, " * 12


class Microphone:
    """Sends recordings in real time, and silence between them."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self._connection = connection
        self._waiting = bytearray()

    def say(self, path: str) -> None:
        with wave.open(path) as file:
            assert file.getframerate() == RATE_HZ, file.getframerate()
            self._waiting += file.readframes(file.getnframes())

    async def run(self) -> None:
        size = int(RATE_HZ * FRAME_S) * 2
        while True:
            frame, self._waiting = bytes(self._waiting[:size]).ljust(size, b"\0"), self._waiting[size:]
            await self._connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
            await asyncio.sleep(FRAME_S)


async def converse(url: str, question: str, interruption: str) -> dict[str, Any]:
    """What happened."""
    client = AsyncOpenAI(api_key="anything", base_url=url, websocket_base_url=url.replace("http", "ws", 1))
    seen: dict[str, Any] = {"responses": [], "transcripts": [], "errors": [], "tool": None, "audio_s": {}}
    interrupted = False
    async with client.realtime.connect(model="gpt-realtime") as connection, asyncio.timeout(60):
        await connection.session.update(
            session={
                "type": "realtime",
                "instructions": "You are a weather service.",
                "tools": [TOOL],
                "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
            }
        )
        microphone = Microphone(connection)
        microphone.say(question)
        speaking = asyncio.create_task(microphone.run())
        async for event in connection:
            match event.type:
                case "error":
                    seen["errors"].append(event.error.message)
                case "conversation.item.input_audio_transcription.completed":
                    seen["transcripts"].append(event.transcript)
                case "response.output_audio.delta":
                    size = len(base64.b64decode(event.delta)) / 2 / RATE_HZ
                    seen["audio_s"][event.response_id] = seen["audio_s"].get(event.response_id, 0) + size
                    if seen["tool"] and not interrupted and seen["audio_s"][event.response_id] > 1:
                        interrupted = True
                        microphone.say(interruption)
                case "conversation.item.truncated":
                    seen["truncated_ms"] = event.audio_end_ms
                case "response.function_call_arguments.done":
                    seen["tool"] = [event.name, json.loads(event.arguments)]
                    output = {"type": "function_call_output", "call_id": event.call_id, "output": REPORT}
                    await connection.conversation.item.create(item=output)
                case "response.done":
                    details = event.response.status_details
                    seen["responses"].append([event.response.status, details.reason if details else None])
                    if any(item.type == "function_call" for item in event.response.output or []):
                        await connection.response.create()
                    elif interrupted and event.response.status == "completed":
                        break
        speaking.cancel()
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(converse(*sys.argv[1:4]))) + "\n")
