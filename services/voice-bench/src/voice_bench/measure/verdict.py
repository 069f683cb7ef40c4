"""Was a target met? One sentence per target: what was measured, what was promised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target; `measured` None = nothing could be measured, which is a miss."""

    name: str
    measured: float | None
    limit: float
    unit: str
    met: bool

    def __str__(self) -> str:
        measured = "not measured" if self.measured is None else f"{self.measured:.3g} {self.unit}".rstrip()
        return f"{'met ' if self.met else 'MISS'}  {self.name}: {measured} (target <= {self.limit:g} {self.unit})"


def at_most(name: str, measured: float | None, limit: float, unit: str) -> Verdict:
    """Met when `measured` is not above `limit`."""
    return Verdict(name, measured, limit, unit, measured is not None and measured <= limit)


def none_of(name: str, count: int, unit: str = "") -> Verdict:
    """Met when it never happened."""
    return at_most(name, float(count), 0.0, unit)


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """How many times theirs ours is; None when either is unknown or theirs is not positive."""
    return ours / theirs if ours is not None and theirs is not None and theirs > 0 else None
