"""What time is it for the turn machine? Seconds since the call began, without the time in which nobody was attached.

A caller whose link is down can neither go on nor hear that the turn is over: while they are away nothing is decided.
"""

from collections.abc import Callable


class TurnClock:
    """One call's clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began_at = clock()
        self._stopped_at: float | None = None

    def now(self) -> float:
        """Seconds; stands still while it is stopped."""
        return (self._clock() if self._stopped_at is None else self._stopped_at) - self._began_at

    @property
    def is_stopped(self) -> bool:
        """Whether nobody is attached."""
        return self._stopped_at is not None

    def stop(self) -> None:
        """The caller is away."""
        if self._stopped_at is None:
            self._stopped_at = self._clock()

    def go_on(self) -> None:
        """The caller is back."""
        if self._stopped_at is not None:
            self._began_at += self._clock() - self._stopped_at
            self._stopped_at = None
