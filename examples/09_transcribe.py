"""Words only, over a plain WebSocket, without our library: 09_transcribe.py ws://HOST:PORT/v1/transcribe RECORDING"""

import asyncio
import json
import sys
import wave

from websockets.asyncio.client import ClientConnection, connect

CHUNK_S = 0.1


async def speak(socket: ClientConnection, pcm16: bytes, rate_hz: int) -> None:
    """Send the recording as fast as it would be spoken, then say that it is over."""
    chunk_bytes = round(CHUNK_S * rate_hz) * 2
    loop = asyncio.get_running_loop()
    next_at = loop.time()
    for first in range(0, len(pcm16), chunk_bytes):
        await socket.send(pcm16[first : first + chunk_bytes])  # bytes = audio, text = JSON
        next_at += CHUNK_S
        await asyncio.sleep(next_at - loop.time())
    await socket.send(json.dumps({"type": "end"}))


async def main(url: str, path: str, token: str = "") -> None:
    """Print what is understood, as it is understood."""
    with wave.open(path) as recording:
        if (recording.getnchannels(), recording.getsampwidth()) != (1, 2):
            sys.exit(f"{path} must be a mono recording of 16-bit samples")
        rate_hz, pcm16 = recording.getframerate(), recording.readframes(recording.getnframes())
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with connect(f"{url}?sample_rate={rate_hz}&interim_ms=200", additional_headers=headers) as socket:
        sending = asyncio.create_task(speak(socket, pcm16, rate_hz))
        async for message in socket:  # ends with the close
            event = json.loads(message)
            match event["type"]:
                case "partial":
                    sys.stdout.write(f"… {event['text']}\n")
                case "final":
                    first, last = event["start_s"], event["end_s"]
                    sys.stdout.write(f"{first:.2f} to {last:.2f} s: {event['text']}\n")
                case "warning" | "error":
                    sys.stdout.write(f"{event['code']}: {event['message']}\n")
        sending.cancel()
        if socket.close_code != 1000:
            sys.exit(f"the stream was closed with code {socket.close_code}")


asyncio.run(main(*sys.argv[1:]))
