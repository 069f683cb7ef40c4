"""What is a token, and when is each one due?"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an answer comes."""

    first_token_s: float
    """From the request's arrival."""
    token_s: float

    def due_s(self, n: int) -> float:
        """When token `n` (0, 1, ...) is due, in seconds since the request arrived. Delays do not add up."""
        return self.first_token_s + n * self.token_s


def tokens(text: str) -> tuple[str, ...]:
    """Words with the space before them and the punctuation that ends them; together they are the text again."""
    return tuple(_TOKEN.findall(text.rstrip()))


def answer_tokens(text: str, limit: int | None, stop_texts: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The tokens to send and the finish reason: "length" when `limit` cut the answer, else "stop"."""
    ends = [position for position in (text.find(stop) for stop in stop_texts) if position >= 0]
    every = tokens(text[: min(ends)] if ends else text)
    return (every[:limit], "length") if limit is not None and len(every) > limit else (every, "stop")


async def pace_tokens(pieces: Sequence[str], arrived_at: float, pace: Pace) -> AsyncGenerator[tuple[int, str], None]:
    """(n, token) from n = 1 on, each when it is due; `arrived_at` is in the loop's time. Lets others run in between."""
    loop = asyncio.get_running_loop()
    for n, piece in enumerate(pieces):
        await asyncio.sleep(max(0.0, arrived_at + pace.due_s(n) - loop.time()))
        yield n + 1, piece
