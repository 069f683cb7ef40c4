"""May another call start here?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class RefusalKind(Enum):
    """Why not."""

    BUSY = "busy"
    TOKEN_BUSY = "token_busy"
    DRAINING = "draining"
    BACKEND_DOWN = "backend_down"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and what to do instead."""

    kind: RefusalKind
    sentence: str
    retry_after_s: float


def elsewhere() -> Refusal:
    """The answer to the resume token of another gateway: a load balancer may have sent the caller to the wrong one."""
    sentence = "another gateway holds this call; try again over a new connection to reach it"
    return Refusal(RefusalKind.ELSEWHERE, sentence, 0.25)


def admit(*, active: int, limit: int, draining: bool, down: Sequence[str]) -> Refusal | None:
    """None = yes. `down` names the backends that don't answer."""
    if draining:
        return Refusal(RefusalKind.DRAINING, "this gateway is draining; connect again to reach another one", 0.1)
    if active >= limit:
        sentence = f"all {limit} calls of this gateway are taken; try again or try another gateway"
        return Refusal(RefusalKind.BUSY, sentence, 1.0)
    if down:
        names = " and ".join(down)
        return Refusal(RefusalKind.BACKEND_DOWN, f"{names} can't be reached right now; try again", 2.0)
    return None
