"""Does what was observed meet the objectives? Pure: figures in, a verdict of sentences out."""

from collections.abc import Sequence
from dataclasses import dataclass

from voice_bench.check.metrics_delta import GatewayCounters, quantile
from voice_bench.measure.statistics import percentile


@dataclass(frozen=True, slots=True)
class Objectives:
    """What callers were promised."""

    p95_s: float = 1.2
    """gateway_response_latency: T0 to the first reply audio, of our calls and of all turns in that time."""
    errors: float = 0.01
    """Part of calls, and of turns, that may fail."""
    tls: bool = True
    """The calls must be made over TLS."""


@dataclass(frozen=True, slots=True)
class Observations:
    """What the check saw: its own calls, what the gateway counted meanwhile, and who stands behind it."""

    calls: int
    failed: Sequence[str]
    """A sentence for each call that failed."""
    responses_s: Sequence[float]
    """gateway_response_latency of every answered turn of our calls."""
    counters: GatewayCounters
    over_tls: bool
    fake_backends: Sequence[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One objective: was it met, and the figures."""

    name: str
    met: bool
    sentence: str


def judge(observed: Observations, asked: Objectives) -> list[Finding]:
    """One finding for every objective, all of which must be met; with a fake backend, that is the only one."""
    if observed.fake_backends:
        return [_backends(observed)]
    return [
        _backends(observed),
        _tls(observed, asked),
        _calls(observed, asked),
        _turns(observed, asked),
        _own_latency(observed, asked),
        _counted_latency(observed, asked),
    ]


def _backends(observed: Observations) -> Finding:
    if observed.fake_backends:
        why = "; ".join(observed.fake_backends)
        return Finding("backends", False, f"{why}. Such a backend says nothing about production: use Riva and NIM.")
    return Finding("backends", True, "no simulated backend among the models and voices")


def _tls(observed: Observations, asked: Objectives) -> Finding:
    if observed.over_tls or not asked.tls:
        return Finding("tls", True, "calls over TLS" if observed.over_tls else "calls without TLS, as was allowed")
    return Finding(
        "tls", False, "the calls used no TLS; give --tls or --ca, or --plaintext where TLS ends before the gateway"
    )


def _calls(observed: Observations, asked: Objectives) -> Finding:
    share = len(observed.failed) / observed.calls
    first = f"; the first: {observed.failed[0]}" if observed.failed else ""
    sentence = f"{len(observed.failed)} of {observed.calls} calls failed, {asked.errors:.1%} may{first}"
    return Finding("calls", share <= asked.errors, sentence)


def _turns(observed: Observations, asked: Objectives) -> Finding:
    counters = observed.counters
    if counters.started < 1:
        return Finding("failures", False, "none of the calls is in the metrics: --metrics names another gateway")
    share = (counters.failures + counters.refused) / max(1.0, counters.turns)
    sentence = (
        f"{counters.failures:g} failures and {counters.refused:g} refusals at {counters.turns:g} turns of all callers"
    )
    return Finding("failures", share <= asked.errors, f"{sentence}, {asked.errors:.1%} may")


def _own_latency(observed: Observations, asked: Objectives) -> Finding:
    return _latency("our calls", percentile(observed.responses_s, 95), asked)


def _counted_latency(observed: Observations, asked: Objectives) -> Finding:
    return _latency("all calls", quantile(observed.counters.buckets, 0.95), asked)


def _latency(whose: str, p95_s: float | None, asked: Objectives) -> Finding:
    if p95_s is None:
        return Finding(
            f"latency, {whose}", False, "no turn has a gateway_response_latency; is there speech in what was said?"
        )
    sentence = f"p95 of gateway_response_latency {p95_s:.3f} s, {asked.p95_s:g} s promised"
    return Finding(f"latency, {whose}", p95_s <= asked.p95_s, sentence)
