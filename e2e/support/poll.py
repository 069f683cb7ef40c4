"""How does a test wait for the cluster? It looks again until it is so, and says what it saw when it never is."""

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


def until(look: Callable[[], _Seen], *, is_so: Callable[[_Seen], bool], within_s: float, every_s: float = 0.5) -> float:
    """Seconds it took. Raises AssertionError with the last sight after `within_s`."""
    begun = time.monotonic()
    while True:
        seen = look()
        waited_s = time.monotonic() - begun
        if is_so(seen):
            return waited_s
        if waited_s > within_s:
            raise AssertionError(f"not within {within_s:g} s; last seen: {seen!r}")
        time.sleep(every_s)
