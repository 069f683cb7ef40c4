"""What does the agent answer to a typed turn? Asked from this machine."""

import asyncio

from voice_client import Call, ReplyAudio, Turn, TurnEvent, connect

ANSWER_WITHIN_S = 15.0


async def reply_on(call: Call, text: str) -> str:
    """The words of the reply to `text`; some audio of it must come. Raises AssertionError."""
    await call.say(text)
    audio_bytes = 0
    async with asyncio.timeout(ANSWER_WITHIN_S):
        async for event in call:
            if isinstance(event, ReplyAudio):
                audio_bytes += len(event.pcm16)
            if isinstance(event, TurnEvent) and event.kind is Turn.REPLY_ENDED:
                assert audio_bytes, "the reply came without audio"
                return event.text
    raise AssertionError("the call ended without a reply")


async def reply_to(target: str, text: str) -> str:
    """The same in a call of its own."""
    async with connect(target) as call:
        return await reply_on(call, text)
