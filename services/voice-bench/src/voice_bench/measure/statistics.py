"""What do many measured numbers say? Percentiles and slopes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity was distributed; all but `count` in the quantity's unit."""

    count: int
    p50: float
    p95: float
    p99: float
    largest: float


def spread(values: Sequence[float]) -> Spread | None:
    """Percentiles with linear interpolation; None when nothing was measured."""
    if not values:
        return None
    p50, p95, p99 = (float(one) for one in np.percentile(values, (50, 95, 99)))
    return Spread(len(values), p50, p95, p99, float(max(values)))


def percentile(values: Sequence[float], percent: float) -> float | None:
    """One percentile; None when nothing was measured."""
    return float(np.percentile(values, percent)) if values else None


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of (x, y); 0 when there are fewer than two different x."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    xs, ys = np.array(points, dtype=float).T
    return float(np.polyfit(xs, ys, 1)[0])
