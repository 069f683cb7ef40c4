"""Where do a reply's words come from? The language model, with the tools it calls, or a text known beforehand."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from voice_gateway.core.tools import ToolRound


@dataclass(frozen=True, slots=True)
class Boundary:
    """What was said before it stands for itself: it is spoken without the next word, and what follows begins anew, as
    an answer of the model's or (`filler`) as a sentence of our own."""

    filler: bool = False


class Speaker(Protocol):
    """Who says the words."""

    @property
    def text(self) -> str:
        """What is said so far, as it was written."""

    def quiet_from(self) -> float:
        """When the caller will have heard all that was said so far; inf = not known, or nothing may be heard now."""

    def rounds_changed(self) -> None:
        """Tools were called, or a result came."""


class Rounds(Protocol):
    """The model's answers and the tools it calls between them, as a reply sees them."""

    @property
    def record(self) -> tuple[ToolRound, ...]:
        """The calls so far, each with a result."""

    def begin(self, speaker: Speaker) -> None:
        """`speaker` says the words."""

    def decide(self) -> None:
        """The turn is decided: tools with side effects may be called."""


@dataclass(frozen=True, slots=True)
class Source:
    """The words of one reply."""

    pieces: AsyncGenerator[str | Boundary, None]
    """As they come; where they break off, this raises Upstream."""
    apology: str = ""
    """Said where `pieces` break off, after what came until then; "" = nothing."""
    rounds: Rounds | None = None
    """Of an answer that may call tools."""


def fixed(text: str) -> Source:
    """A greeting, a prompt or an apology."""
    return Source(_whole(text))


async def _whole(text: str) -> AsyncGenerator[str | Boundary, None]:
    yield text
