"""Speak a recording to the gateway over a plain WebSocket: 07_websocket.py ws://HOST:PORT/v1/converse RECORDING.wav"""

import asyncio
import base64
import sys
import wave
from typing import Any

import aiohttp

FRAME_S = 0.02


async def speak(socket: aiohttp.ClientWebSocketResponse, recording: wave.Wave_read) -> None:
    """Audio in real time, then silence: a caller's microphone never stops."""
    frame = round(FRAME_S * recording.getframerate())
    while True:
        pcm16 = recording.readframes(frame).ljust(2 * frame, b"\0")
        await socket.send_json({"audio": {"data": base64.b64encode(pcm16).decode()}})
        await asyncio.sleep(FRAME_S)


def told(message: dict[str, Any]) -> bool:
    """Write what the gateway tells; whether the reply has ended."""
    match message:
        case {"transcript": {"text": text, **more}}:
            sys.stdout.write(f"{'heard' if more.get('final') else '  ...'}: {text}\n")
        case {"replyAudio": {"data": data}}:
            sys.stdout.write(f"  {len(base64.b64decode(data)) // 2} samples of the reply\n")
        case {"turn": {"kind": "REPLY_ENDED", "text": text}}:
            sys.stdout.write(f"reply: {text}\n")
            return True
        case {"error": {"message": sentence}}:
            sys.exit(sentence)
    return False


async def main(url: str, path: str) -> None:
    """One spoken turn."""
    with wave.open(path) as recording:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, protocols=["voice_workflow.v1.json"]) as socket,
            asyncio.TaskGroup() as tasks,
        ):
            await socket.send_json({"start": {"input": {"sampleRateHz": recording.getframerate()}}})
            speaking = tasks.create_task(speak(socket, recording))
            async for frame in socket:
                if told(frame.json()):
                    break
            speaking.cancel()


asyncio.run(main(*sys.argv[1:]))
