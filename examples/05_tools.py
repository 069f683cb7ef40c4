"""Lend the language model functions of yours: 05_tools.py HOST:PORT QUESTION"""

import asyncio
import sys
from typing import Any

from voice_client import CallOptions, Tool, ToolCall, Turn, TurnEvent, connect

DEGREES = {"Paris": 21, "Oslo": 8}


async def get_weather(city: str) -> dict[str, Any]:
    """The weather in a city now."""
    if city not in DEGREES:
        raise ValueError(f"there is no weather station in {city}")  # the model is told
    return {"city": city, "degrees": DEGREES[city]}


def open_door(floor: int) -> str:
    """Opens the door of a floor."""
    return f"the door of floor {floor} is open"  # not async: it runs in a thread


async def main(target: str, question: str) -> None:
    """One typed turn that needs a function."""
    tools = (Tool.of(get_weather, timeout_s=5), Tool.of(open_door, side_effects=True))
    async with connect(target, CallOptions(tools=tools)) as call:
        await call.say(question)
        async for event in call:
            match event:
                case ToolCall(name=name, arguments=arguments):
                    sys.stdout.write(f"called: {name} {dict(arguments)}\n")
                case TurnEvent(kind=Turn.REPLY_ENDED, text=text):
                    sys.stdout.write(f"reply: {text}\n")
                    break


asyncio.run(main(*sys.argv[1:]))
