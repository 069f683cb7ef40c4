"""Ask in text, hear the answer: 01_typed_turn.py HOST:PORT QUESTION OUT.wav"""

import asyncio
import sys
from pathlib import Path

from pcm import write_wav
from voice_client import ReplyAudio, ReplyText, Turn, TurnEvent, connect


async def main(target: str, question: str, out: str) -> None:
    """One typed turn."""
    audio = bytearray()
    async with connect(target) as call:
        await call.say(question)
        async for event in call:
            match event:
                case ReplyText(delta=delta):
                    sys.stdout.write(delta)
                case ReplyAudio(pcm16=pcm16):
                    audio += pcm16
                case TurnEvent(kind=Turn.REPLY_ENDED):
                    break
        write_wav(Path(out), [bytes(audio)], call.started.output.rate_hz)
    sys.stdout.write(f"\n{out}\n")


asyncio.run(main(*sys.argv[1:]))
