"""The caller says when the turn is over, as with a button: 04_push_to_talk.py HOST:PORT RECORDING"""

import asyncio
import sys
from pathlib import Path

from pcm.compressed import read_recording
from voice_client import CallOptions, Transcript, Turn, TurnEvent, connect

FRAME_S = 0.02


async def main(target: str, path: str) -> None:
    """One turn between pressing and letting go."""
    async with connect(target, CallOptions(push_to_talk=True)) as call:
        rate_hz = call.started.input.rate_hz
        pcm16 = read_recording(Path(path)).at(rate_hz).pcm16
        frame_bytes = 2 * round(FRAME_S * rate_hz)
        for at in range(0, len(pcm16), frame_bytes):
            await call.send_audio(pcm16[at : at + frame_bytes])
            await asyncio.sleep(FRAME_S)
        await call.commit()
        async for event in call:
            match event:
                case Transcript(text=text, final=True):
                    sys.stdout.write(f"heard: {text}\n")
                case TurnEvent(kind=Turn.REPLY_ENDED, text=text):
                    sys.stdout.write(f"reply: {text}\n")
                    break


asyncio.run(main(*sys.argv[1:]))
