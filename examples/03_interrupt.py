"""Stop a reply after a while, see what the caller counts as having heard: 03_interrupt.py HOST:PORT QUESTION SECONDS"""

import asyncio
import sys

from voice_client import Playout, Turn, TurnEvent, connect
from voice_client.call import Call

TICK_S = 0.02


async def listen_and_stop(call: Call, playout: Playout, after_s: float) -> None:
    """Play as a sound card would, report it, then interrupt."""
    loop, heard_s = asyncio.get_running_loop(), 0.0
    while True:
        played = playout.play(round(TICK_S * playout.rate_hz), loop.time())
        heard_s += TICK_S if played.heard_bytes else 0
        for report in playout.reports(loop.time(), call.samples_sent):
            await call.report_playout(report)
        if heard_s >= after_s:
            await call.interrupt()
            heard_s = float("-inf")
        await asyncio.sleep(TICK_S)


async def main(target: str, question: str, after_s: str) -> None:
    """One reply, cut."""
    async with connect(target) as call:
        playout = Playout(call.started.output.rate_hz)
        listening = asyncio.create_task(listen_and_stop(call, playout, float(after_s)))
        await call.say(question)
        async for event in call:
            playout.take(event)
            match event:
                case TurnEvent(kind=Turn.REPLY_INTERRUPTED):
                    sys.stdout.write(f"stopped after {event.heard_ms} ms; heard: {event.heard_text}\n")
                    break
                case TurnEvent(kind=Turn.REPLY_ENDED):
                    sys.stdout.write("the reply was over before it could be stopped\n")
                    break
        listening.cancel()


asyncio.run(main(*sys.argv[1:]))
