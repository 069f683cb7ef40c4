"""Where is the language model's server, and how does the gateway get in?"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


async def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class LlmAccess:
    """One endpoint."""

    base_url: str
    key: Callable[[], str]
    """Of now: every request asks for it."""
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """For https; every handshake takes the files of then."""
    trouble: Callable[[], Awaitable[str]] = _nothing
    """What is wrong with the encryption, in a sentence; "" = nothing."""
