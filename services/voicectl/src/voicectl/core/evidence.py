"""Does a track do what it is there for? Counters of its pods, and what they say against a canary. Pure.

A canary is judged by what changed since the watch began, and its failures by those of the stable in the same time: a
backend that fails for everybody is nobody's release.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from voicectl.core.release_state import Pod, Track
from voicectl.core.traffic_share import plural

ENOUGH = 3
"""So many calls, turns or failures say something."""
BAD_SHARE = 0.2
"""Failures a turn from which on a canary is bad, unless the stable fails half as often or more."""
NOT_READY_S = 10.0
"""A canary without a ready pod for so long is taken away: what the route gives it reaches nobody."""

CALLS, STARTED, ENDED = "voice_sessions_active", "voice_sessions_started_total", "voice_sessions_ended_total"
TURNS, REPLIES = "voice_turns_total", "voice_replies_total"
FAILURES, REFUSED = "voice_failures_total", "voice_sessions_refused_total"


@dataclass(frozen=True, slots=True)
class Counters:
    """Sums since the pods began."""

    started: int = 0
    ended: int = 0
    turns: int = 0
    replies: int = 0
    failures: int = 0
    refused: int = 0
    restarts: int = 0

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def since(self, before: "Counters") -> "Counters":
        """What was added; a counter that fell began anew."""
        pairs = ((getattr(self, each.name), getattr(before, each.name)) for each in fields(self))
        return Counters(*(now - then if now >= then else now for now, then in pairs))


@dataclass(frozen=True, slots=True)
class PodMetrics:
    """One pod and its metrics; `metrics` is None where it could not be asked."""

    pod: Pod
    metrics: Mapping[str, float] | None

    @property
    def calls(self) -> int | None:
        """Calls it holds now."""
        held = None if self.metrics is None else self.metrics.get(CALLS)
        return None if held is None else int(held)

    @property
    def counters(self) -> Counters:
        found = self.metrics or {}
        names = {"started": STARTED, "ended": ENDED, "turns": TURNS, "replies": REPLIES, "failures": FAILURES}
        counts = {field: int(found.get(name, 0)) for field, name in {**names, "refused": REFUSED}.items()}
        return Counters(**counts, restarts=self.pod.restarts)


def of_track(pod_metrics: Sequence[PodMetrics], track: Track) -> Counters:
    """The sums over the track's pods."""
    return sum((each.counters for each in pod_metrics if each.pod.track is track), Counters())


def change(before: Sequence[PodMetrics], now: Sequence[PodMetrics], track: Track) -> Counters:
    """What the track's pods added between two readings, pod by pod; one that is new counts whole."""
    earlier = {each.pod.name: each.counters for each in before}
    mine = [each for each in now if each.pod.track is track]
    return sum((each.counters.since(earlier.get(each.pod.name, Counters())) for each in mine), Counters())


def against(canary: Counters, stable: Counters) -> str:
    """What speaks against the canary, as a sentence; "" = nothing. Both are what was added in the same time."""
    if canary.restarts:
        return f"its pods started again {plural(canary.restarts, 'time')}"
    if canary.turns >= ENOUGH and not canary.replies:
        return f"it answered none of {canary.turns} turns"
    if canary.ended >= ENOUGH and not canary.replies and stable.replies:
        return f"{canary.ended} calls ended there without one answer"
    if canary.refused >= ENOUGH and not canary.started and stable.started:
        return f"it refused all of {canary.refused} calls"
    if canary.failures >= ENOUGH:
        share, usual = canary.failures / max(1, canary.turns), stable.failures / max(1, stable.turns)
        if share >= BAD_SHARE and share > 2 * usual:
            beside = f"stable: {stable.failures} in {stable.turns}"
            return f"{plural(canary.failures, 'failure')} in {plural(canary.turns, 'turn')} ({beside})"
    return ""
