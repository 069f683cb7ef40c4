"""Send a recording as it would be spoken, see what is heard and answered: 02_recording.py HOST:PORT RECORDING"""

import asyncio
import sys
from pathlib import Path

from pcm.compressed import read_recording
from voice_client import Latency, Transcript, Turn, TurnEvent, connect
from voice_client.call import Call

FRAME_S = 0.02


async def speak(call: Call, pcm16: bytes, rate_hz: int) -> None:
    """Audio in real time, then silence: a caller's microphone never stops."""
    frame_bytes = 2 * round(FRAME_S * rate_hz)
    due = asyncio.get_running_loop().time()
    at = 0
    while True:
        await call.send_audio(pcm16[at : at + frame_bytes].ljust(frame_bytes, b"\0"))
        at += frame_bytes
        due += FRAME_S
        await asyncio.sleep(due - asyncio.get_running_loop().time())


async def main(target: str, path: str) -> None:
    """One spoken turn."""
    async with connect(target) as call:
        rate_hz = call.started.input.rate_hz
        speaking = asyncio.create_task(speak(call, read_recording(Path(path)).at(rate_hz).pcm16, rate_hz))
        async for event in call:
            match event:
                case Transcript(text=text, final=final):
                    sys.stdout.write(f"{'heard' if final else '  ...'}: {text}\n")
                case TurnEvent(kind=Turn.REPLY_ENDED, text=text):
                    sys.stdout.write(f"reply: {text}\n")
                case Latency(gateway_response_latency=seconds) if seconds is not None:
                    sys.stdout.write(f"the reply began {seconds:.2f} s after the last word\n")
                    break
        speaking.cancel()


asyncio.run(main(*sys.argv[1:]))
