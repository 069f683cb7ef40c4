"""How much may one caller have? Calls at once, and calls, audio and typed turns in a stretch of time.

Pure: time comes in as an argument, seconds on any steady clock. Nothing here waits, so two calls that begin in the same
moment are counted one after the other, and never one too many begins.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

MAX_IDENTITIES = 100_000
"""About 65 MB when all of them have used up to every limit there is."""
_LOOKED_AT = 32
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
_SPANS_S = {"started": MINUTE_S, "typed": MINUTE_S, "audio_hour": HOUR_S, "audio_day": DAY_S}


class BadLimits(ValueError):
    """What is meant for limits is none."""


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """Of one identity. 0 = no limit."""

    calls: int = 0
    """At once."""
    calls_per_minute: float = 0.0
    audio_s_per_hour: float = 0.0
    audio_s_per_day: float = 0.0
    typed_turns_per_minute: float = 0.0

    def overridden(self, claimed: object) -> "UsageLimits":
        """With those that a mapping names in place of these. Raises BadLimits."""
        names = [field.name for field in fields(self)]
        if not isinstance(claimed, Mapping) or not set(claimed) <= set(names):
            raise BadLimits(f"must be an object with some of {', '.join(names)}")
        for value in claimed.values():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise BadLimits("must hold numbers, 0 or more (0 = no limit)")
        return replace(self, **{**claimed, **({"calls": int(claimed["calls"])} if "calls" in claimed else {})})


@dataclass(frozen=True, slots=True)
class Exceeded:
    """No, why, and when to come again."""

    sentence: str
    retry_after_s: float


class SlidingWindow:
    """What was used within the last `window_s` seconds: all of this stretch, and of the last one what still lies in it.

    Example with a minute: 30 uses in the last stretch, 10 in this one of which 15 s are over. 45/60 of the 30 count,
    so 32.5 were used within the last minute.
    """

    __slots__ = ("_before", "_now", "_stretch", "_window_s")

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._stretch = 0
        self._before = 0.0
        self._now = 0.0

    def used(self, now: float) -> float:
        """So much, by `now`."""
        self._advance(now)
        return self._before * (1 - self._part(now)) + self._now

    def add(self, amount: float, now: float) -> None:
        """So much more was used."""
        self._advance(now)
        self._now += amount

    def wait_s(self, most: float, now: float) -> float:
        """Time until no more than `most` counts as used; 0 = it is so."""
        if self.used(now) <= most:
            return 0.0
        left_s = self._window_s * (1 - self._part(now))
        if self._now <= most:
            return left_s - self._window_s * (most - self._now) / self._before
        return left_s + self._window_s * (1 - most / self._now)

    def _advance(self, now: float) -> None:
        stretch = int(now // self._window_s)
        if stretch > self._stretch:
            self._before = self._now if stretch == self._stretch + 1 else 0.0
            self._stretch, self._now = stretch, 0.0

    def _part(self, now: float) -> float:
        """Of this stretch that is over, 0 to 1."""
        return min(1.0, max(0.0, now / self._window_s - self._stretch))


class _Use:
    """Of one identity; of what no limit counts there is nothing here."""

    __slots__ = ("calls", "windows")

    def __init__(self) -> None:
        self.calls = 0
        self.windows: dict[str, SlidingWindow] = {}

    def window(self, name: str) -> SlidingWindow:
        """One of _SPANS_S."""
        if name not in self.windows:
            self.windows[name] = SlidingWindow(_SPANS_S[name])
        return self.windows[name]

    def is_over(self, now: float) -> bool:
        """Whether forgetting it changes nothing."""
        return not self.calls and not any(window.used(now) for window in self.windows.values())


class Usage:
    """What every identity has used. Only that is forgotten which limits nobody any more."""

    def __init__(self, most_identities: int = MAX_IDENTITIES) -> None:
        self._most = most_identities
        self._of: OrderedDict[str, _Use] = OrderedDict()
        """The least recently used first."""

    def __len__(self) -> int:
        return len(self._of)

    def calls(self, identity: str) -> int:
        """Running now."""
        return self._of[identity].calls if identity in self._of else 0

    def begin(self, identity: str, limits: UsageLimits, now: float) -> Exceeded | None:
        """A call begins, and is counted; or why it may not."""
        use = self._use(identity, now)
        if use is None:
            return Exceeded("too many different callers have used this server lately; try again, or elsewhere", 60.0)
        if limits.calls and use.calls >= limits.calls:
            return Exceeded(f"all {limits.calls} calls that you may have at once are taken here; end one first", 1.0)
        most = limits.calls_per_minute
        if most and (wait := use.window("started").wait_s(max(0.0, most - 1), now)):
            sentence = f"you have begun the {most:g} calls that you may begin here in a minute"
            return Exceeded(f"{sentence}; try again in {_shown(wait)}", wait)
        if exceeded := _audio_exceeded(use, limits, now):
            return exceeded
        use.calls += 1
        if most:
            use.window("started").add(1, now)
        return None

    def end(self, identity: str, now: float) -> None:
        """A call that had begun is over."""
        use = self._of[identity]
        use.calls -= 1
        if use.is_over(now):
            del self._of[identity]

    def heard(self, identity: str, audio_s: float, limits: UsageLimits, now: float) -> None:
        """So much audio came."""
        for most, name in ((limits.audio_s_per_hour, "audio_hour"), (limits.audio_s_per_day, "audio_day")):
            if most and audio_s and (use := self._use(identity, now)):
                use.window(name).add(audio_s, now)

    def audio_exceeded(self, identity: str, limits: UsageLimits, now: float) -> Exceeded | None:
        """Why no more audio may come; None = it may."""
        use = self._of.get(identity)
        return _audio_exceeded(use, limits, now) if use else None

    def typed(self, identity: str, limits: UsageLimits, now: float) -> Exceeded | None:
        """A turn is typed, and is counted; or why it is not taken."""
        most = limits.typed_turns_per_minute
        if not most or not (use := self._use(identity, now)):
            return None
        if wait := use.window("typed").wait_s(max(0.0, most - 1), now):
            return Exceeded(f"you have typed the {most:g} turns that you may type here in a minute", wait)
        use.window("typed").add(1, now)
        return None

    def _use(self, identity: str, now: float) -> _Use | None:
        """None = no place is left for a new one."""
        if use := self._of.get(identity):
            self._of.move_to_end(identity)
            return use
        if len(self._of) >= self._most:
            self._forget(now)
        if len(self._of) >= self._most:
            return None
        use = self._of[identity] = _Use()
        return use

    def _forget(self, now: float) -> None:
        """Some of the least recently used, if nothing that they used counts any more; the others are looked at last
        the next time."""
        for identity in [name for name, _ in zip(self._of, range(_LOOKED_AT), strict=False)]:
            if self._of[identity].is_over(now):
                del self._of[identity]
            else:
                self._of.move_to_end(identity)


def _audio_exceeded(use: _Use, limits: UsageLimits, now: float) -> Exceeded | None:
    for most, name, span in (
        (limits.audio_s_per_hour, "audio_hour", "an hour"),
        (limits.audio_s_per_day, "audio_day", "a day"),
    ):
        if most and (window := use.window(name)).used(now) >= most:
            wait = max(1.0, window.wait_s(most, now))
            sentence = f"you have sent the {most:g} s of audio that you may send here in {span}"
            return Exceeded(f"{sentence}; try again in {_shown(wait)}", wait)
    return None


def _shown(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * MINUTE_S else f"{seconds / MINUTE_S:.0f} min"
