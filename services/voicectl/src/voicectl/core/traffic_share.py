"""How many canary pods come nearest to a weight, and what share do they really get?"""

from math import ceil, floor

from voicectl.core.release_state import Release


def percent(stable: int, canary: int) -> float:
    """What the canary gets of 100 new calls when `stable` and `canary` pods (or weights) share them."""
    total = stable + canary
    return 100 * canary / total if total else 0.0


def replicas_for(weight: int, stable: int) -> int:
    """How many canary pods, at least 1, beside `stable` pods come nearest to `weight` percent (1 to 99)."""
    exact = stable * weight / (100 - weight)
    return min(
        {max(1, floor(exact)), max(1, ceil(exact))}, key=lambda pods: (abs(percent(stable, pods) - weight), pods)
    )


def of_new_calls(release: Release) -> float:
    """Percent of new calls that the canary gets now: by the route's weights, else by ready pods."""
    if release.weights is not None:
        return percent(release.weights.stable, release.weights.canary)
    return percent(release.stable.ready, release.canary.ready)


def plural(count: int, noun: str) -> str:
    """`1 pod`, `2 pods`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent_text(share: float) -> str:
    """`25 %`, `16.7 %`"""
    return f"{round(share, 1):g} %"
