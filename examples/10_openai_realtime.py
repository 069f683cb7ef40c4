"""OpenAI's SDK, unchanged: a spoken question and its spoken answer. 10_openai_realtime.py URL QUESTION.wav OUT.wav

URL is the gateway's web port with /v1, such as http://localhost:8090/v1; the recording is PCM16, mono, 24 kHz."""

import asyncio
import base64
import sys
import wave

from openai import AsyncOpenAI

RATE_HZ = 24_000
FRAME_BYTES = 2 * RATE_HZ // 25  # 40 ms


async def main(url: str, question: str, out: str) -> None:
    """One turn, as it would be spoken."""
    with wave.open(question) as file:
        assert file.getparams()[:3] == (1, 2, RATE_HZ), f"{question} is not mono PCM16 at 24 kHz"
        waiting = file.readframes(file.getnframes())
    client = AsyncOpenAI(api_key="none needed", base_url=url, websocket_base_url=url.replace("http", "ws", 1))
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
        )

        async def speak() -> None:
            for at in range(0, len(waiting) + 2 * RATE_HZ * 2, FRAME_BYTES):  # then two seconds of silence
                frame = waiting[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
                await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
                await asyncio.sleep(0.04)

        speaking = asyncio.create_task(speak())
        with wave.open(out, "wb") as answer:
            answer.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
            async for event in connection:
                match event.type:
                    case "conversation.item.input_audio_transcription.completed":
                        sys.stdout.write(f"heard: {event.transcript}\n")
                    case "response.output_audio.delta":
                        answer.writeframes(base64.b64decode(event.delta))
                    case "response.output_audio_transcript.done":
                        sys.stdout.write(f"reply: {event.transcript}\n")
                    case "error":
                        sys.exit(event.error.message)
                    case "response.done":
                        break
        speaking.cancel()


asyncio.run(main(*sys.argv[1:]))
