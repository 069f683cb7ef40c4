"""Which waiting clips are recognised together, and which not at all? Clips and the time in, a plan out.

    waiting ──▶ late ones out ──▶ in order of urgency ──▶ the first leads ──▶ those of its length join ──▶ batch
                                                              └─ batch not full, window still open: wait

Finals come before whole recordings, those before partials; what waits too long is as urgent as a final. Inside a kind
every session's first clip comes before any session's second. A clip is padded to the longest of its batch, so only
clips of a like length share one.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

BUCKETS_S = (0.5, 1.0, 2.0, 3.0, 4.5, 6.5, 9.0, 13.0, 19.0, 28.0)
"""Upper edges of the lengths that may share a batch: padding is a half at most, and a third above two seconds."""


class Kind(IntEnum):
    """Why a clip is recognised; smaller is more urgent."""

    FINAL = 0
    WHOLE = 1
    PARTIAL = 2


@dataclass(frozen=True, slots=True)
class Job:
    """One clip that waits. Times are the caller's clock."""

    number: int
    session: int
    kind: Kind
    audio_s: float
    arrived: float
    deadline: float
    """From then on it is worth nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided, and what the machine can do."""

    window_s: float = 0.008
    most: int = 32
    most_padded_s: float = 240.0
    """Seconds of audio in one batch, padding included: bounds memory and time."""
    starving_s: float = 1.0
    """A whole recording that has waited so long is as urgent as a final."""
    mixes_kinds: bool = True
    """May partials ride along with finals? Free on a GPU; on a CPU they make the finals late."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    run: tuple[Job, ...] = ()
    late: tuple[Job, ...] = ()
    wake: float | None = None
    """Nothing to run before then; None: not before something arrives."""


def plan(waiting: Sequence[Job], now: float, rules: Rules) -> Plan:
    """Jobs to run now together, jobs to give up, or the time of the next look."""
    late = tuple(job for job in waiting if job.deadline <= now)
    ready = _by_urgency([job for job in waiting if job.deadline > now], now, rules)
    if not ready:
        return Plan(late=late)
    batch = _batch(ready, now, rules)
    closes = min(job.arrived for job in batch) + rules.window_s
    if len(batch) < rules.most and now < closes:
        return Plan(late=late, wake=closes)
    return Plan(batch, late)


def _by_urgency(jobs: Sequence[Job], now: float, rules: Rules) -> list[Job]:
    turns: Counter[tuple[int, int]] = Counter()
    keyed = []
    for job in sorted(jobs, key=lambda job: (job.arrived, job.number)):
        rank = _rank(job, now, rules)
        keyed.append(((rank, turns[rank, job.session], job.deadline, job.number), job))
        turns[rank, job.session] += 1
    return [job for _, job in sorted(keyed, key=lambda pair: pair[0])]


def _rank(job: Job, now: float, rules: Rules) -> int:
    starving = job.kind is Kind.WHOLE and now - job.arrived >= rules.starving_s
    return int(Kind.FINAL if starving else job.kind)


def _batch(ready: Sequence[Job], now: float, rules: Rules) -> tuple[Job, ...]:
    lead = ready[0]
    bucket, rank = _bucket(lead), _rank(lead, now, rules)
    batch = [lead]
    longest_s = lead.audio_s
    for job in ready[1:]:
        if len(batch) == rules.most:
            break
        wider_s = max(longest_s, job.audio_s)
        fits = (len(batch) + 1) * wider_s <= rules.most_padded_s
        alike = rules.mixes_kinds or _rank(job, now, rules) == rank
        if _bucket(job) == bucket and fits and alike:
            batch.append(job)
            longest_s = wider_s
    return tuple(batch)


def _bucket(job: Job) -> int:
    return bisect_left(BUCKETS_S, job.audio_s)
