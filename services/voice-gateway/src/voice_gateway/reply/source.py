"""Where do a reply's words come from? The language model, or a text known beforehand."""

from collections.abc import AsyncGenerator


async def fixed(text: str) -> AsyncGenerator[str, None]:
    """A greeting or a prompt, whole."""
    yield text
