"""Backends that follow a script in virtual time: text is said, a number is a wait, an exception is raised."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TypeAlias

from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.speech_types import SynthesisedAudio, SynthesisOptions
from voice_gateway.core.tools import NO_TOOLS, ToolCall, ToolChoice

RATE_HZ = 1000
WORD_S = 0.5
"""Every word lasts as long."""
Step: TypeAlias = str | float | Exception


class ScriptedModel:
    """A language model whose every answer is the script."""

    def __init__(self, *script: Step) -> None:
        self.script = script
        self.chats: list[list[Message]] = []
        self.read = 0
        """Steps taken."""
        self.closed = 0
        self.readied = 0

    async def get_ready(self) -> None:
        """Takes a tenth of a second."""
        self.readied += 1
        await asyncio.sleep(0.1)

    async def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall, None]:
        """The script."""
        self.chats.append(list(chat))
        try:
            for step in self.script:
                self.read += 1
                if isinstance(step, str):
                    yield step
                else:
                    await performed(step)
        finally:
            self.closed += 1


class ScriptedVoice:
    """A synthesiser that takes `delay_s` to begin and then gives a word at a time, `pace_s` apart. A phrase in
    `faults` meets its fault after its first word."""

    def __init__(self, delay_s: float = 0.0, pace_s: float = 0.0, *, timed: bool = True) -> None:
        self.delay_s = delay_s
        self.pace_s = pace_s
        self.timed = timed
        self.faults: dict[str, Step] = {}
        self.phrases: list[str] = []
        self.options: list[SynthesisOptions] = []
        self.words = 0
        self.closed = 0
        self.given_back = 0

    def open(self, options: SynthesisOptions) -> "ScriptedVoice":
        """The one voice for every reply."""
        self.options.append(options)
        return self

    def close(self) -> None:
        """A reply is over."""
        self.given_back += 1

    async def synthesise(self, phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
        """Half a second of audio for each word."""
        self.phrases.append(phrase)
        try:
            await asyncio.sleep(self.delay_s)
            for number, word in enumerate(phrase.split(), 1):
                self.words += 1
                yield SynthesisedAudio(
                    b"\1\0" * round(WORD_S * RATE_HZ), ((word, number * WORD_S),) if self.timed else ()
                )
                await asyncio.sleep(self.pace_s)
                if phrase in self.faults:
                    await performed(self.faults[phrase])
        finally:
            self.closed += 1


async def performed(step: Step) -> None:
    """Wait or raise."""
    if isinstance(step, Exception):
        raise step
    assert isinstance(step, float)
    await asyncio.sleep(step)
