"""Where do a reply's words come from? The language model, or a text known beforehand."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from voice_gateway.core.tools import ToolCall


@dataclass(frozen=True, slots=True)
class Source:
    """The words of one reply."""

    pieces: AsyncGenerator[str, None]
    """As they come; where they break off, this raises Upstream."""
    apology: str = ""
    """Said where `pieces` break off, after what came until then; "" = nothing."""


def fixed(text: str) -> Source:
    """A greeting, a prompt or an apology."""
    return Source(_whole(text))


async def words_of(answer: AsyncGenerator[str | ToolCall, None]) -> AsyncGenerator[str, None]:
    """A model's text; no tools were offered."""
    async with aclosing(answer):
        async for piece in answer:
            if isinstance(piece, str):
                yield piece


async def _whole(text: str) -> AsyncGenerator[str, None]:
    yield text
