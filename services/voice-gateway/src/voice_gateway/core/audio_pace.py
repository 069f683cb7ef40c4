"""May more audio be taken now? No further ahead of real time than `max_ahead_s`; what is missing may be made up for.

Example, with 5 s: of a file that is poured in, 5 s are taken at once and the rest as fast as it can be spoken. After a
link stood still for 8 s, 13 s may come at once.
"""

_FAST_CLOCK = 1.01
"""A clock that is a little faster than ours is forgiven; sound cards differ by 0.1 % at most."""
_MOMENT_S = 0.001
"""Less is nothing to wait for."""
_SAVED_S = 60.0
"""Time without audio that may be made up for."""


class AudioPace:
    """One stream's. Time is an argument, seconds on any steady clock."""

    def __init__(self, max_ahead_s: float, now: float) -> None:
        self._max_ahead_s = max_ahead_s
        self._ahead_s = 0.0
        self._at = now

    def wait_s(self, now: float) -> float:
        """0 = take more; else it is worth looking again after so many seconds."""
        self._ahead_s = max(-_SAVED_S, self._ahead_s - max(0.0, now - self._at) * _FAST_CLOCK)
        self._at = max(self._at, now)
        over_s = self._ahead_s - self._max_ahead_s
        return over_s / _FAST_CLOCK if over_s > _MOMENT_S else 0.0

    def take(self, length_s: float) -> None:
        """So much was taken."""
        self._ahead_s += length_s
