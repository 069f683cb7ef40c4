"""What does the chat endpoint need from others? Somebody who notes when things happened."""

from typing import Protocol


class Timeline(Protocol):
    """Takes what happened, at the moment it happened. Events: llm.request, llm.token, llm.ended."""

    def record(self, event: str, *, at: float | None = None, flush: bool = False, **fields: object) -> None:
        """Note an event that happened at `at` (monotonic seconds), or now."""
