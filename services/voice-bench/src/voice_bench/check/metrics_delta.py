"""What happened between two looks at /metrics? Differences of counters and histograms of the gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from prometheus_client.parser import text_string_to_metric_families

RESPONSE = "voice_gateway_response_latency_seconds"


@dataclass(frozen=True, slots=True)
class GatewayCounters:
    """Counters since a gateway's start, or what was added. Buckets: upper bound in seconds -> how many were below."""

    started: float
    refused: float
    failures: float
    turns: float
    buckets: Mapping[float, float]

    def since(self, before: "GatewayCounters") -> "GatewayCounters":
        """What came after `before`; a gateway that restarted in between counts from its start."""
        if self.started < before.started:
            return self
        return GatewayCounters(
            self.started - before.started,
            self.refused - before.refused,
            self.failures - before.failures,
            self.turns - before.turns,
            {bound: count - before.buckets.get(bound, 0.0) for bound, count in self.buckets.items()},
        )


def read_counters(pages: Iterable[str]) -> GatewayCounters:
    """The sum over the /metrics pages of all pods. Raises ValueError where a page is no gateway's."""
    sums: dict[str, float] = {}
    buckets: dict[float, float] = {}
    for page in pages:
        names = set()
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                names.add(sample.name)
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
                if sample.name == f"{RESPONSE}_bucket":
                    bound = float(sample.labels["le"])
                    buckets[bound] = buckets.get(bound, 0.0) + sample.value
        if "voice_sessions_started_total" not in names:
            raise ValueError("this page has no voice_sessions_started_total: name the gateway's HTTP port, /metrics")
    counted = ("sessions_started", "sessions_refused", "failures", "turns")
    started, refused, failures, turns = (sums.get(f"voice_{name}_total", 0.0) for name in counted)
    return GatewayCounters(started, refused, failures, turns, buckets)


def quantile(buckets: Mapping[float, float], part: float) -> float | None:
    """As Prometheus's histogram_quantile: linear inside the bucket; None = nothing was observed."""
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    rank, below, under = part * total, 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank:
            if bound == inf:
                return under
            inside = buckets[bound] - below
            return under + (bound - under) * ((rank - below) / inside if inside else 1.0)
        below, under = buckets[bound], bound
    return under
