"""How does an edge get a call? It asks the registry that owns all calls."""

from dataclasses import dataclass
from typing import Protocol

from voice_gateway.core.events import Caller, CallOptions
from voice_gateway.session.session import Session


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may send and ask for."""

    max_audio_s: float = 1.0
    max_ahead_s: float = 5.0
    """Audio further ahead of real time than this is at a wrong rate, or a file poured in."""
    max_unread_s: float = 10.0
    """A stream whose caller reads nothing for so long is closed."""
    max_text_chars: int = 16384
    max_hotwords: int = 500
    max_metadata: int = 32


@dataclass(frozen=True, slots=True)
class About:
    """What this gateway is."""

    version: str
    languages: tuple[str, ...]
    asr_model: str
    llm_model: str
    voice: str
    max_session_s: float
    resume_life_s: float
    start_timeout_s: float


class Door(Protocol):
    """The registry, as edges see it. What it says of new calls may change between two of them."""

    @property
    def about(self) -> About:
        """What this gateway is."""

    @property
    def limits(self) -> Limits:
        """What a caller may send and ask for."""

    @property
    def defaults(self) -> CallOptions:
        """What a caller gets who asks for nothing."""

    def open(self, options: CallOptions, caller: Caller) -> tuple[Session, str]:
        """A new call and its resume token. Raises Refused."""

    def resume(self, token: str) -> Session:
        """The call that waits under `token`. Raises NotFound, or Refused for a token of another gateway."""

    def trouble(self) -> str:
        """Why no call can start now; empty = one can."""
