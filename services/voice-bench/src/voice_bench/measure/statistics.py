"""What do many measured numbers say? Percentiles and slopes."""

from collections.abc import Sequence

import numpy as np


def figures(values: Sequence[float]) -> tuple[float | None, ...]:
    """p50, p95, p99 and the largest; None where nothing was measured."""
    return tuple(percentile(values, percent) for percent in (50, 95, 99, 100))


def percentile(values: Sequence[float], percent: float) -> float | None:
    """One percentile, by linear interpolation; None when nothing was measured."""
    return float(np.percentile(values, percent)) if values else None


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of (x, y); 0 when there are fewer than two different x."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    xs, ys = np.array(points, dtype=float).T
    return float(np.polyfit(xs, ys, 1)[0])
