"""What does the server tell Prometheus? One registry for each server, so that two servers fit in one process."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from speech_server.admission import Admission
from speech_server.core.requests.request_stats import OK, RequestRecord

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0, 10.0)
_T = TypeVar("_T")
_RTF = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)


@dataclass(slots=True)
class RequestStats:
    """What a request says of itself while it is served; the durations of a RequestRecord."""

    queue_s: float = 0.0
    inference_s: float = 0.0
    audio_s: float = 0.0
    status: str = OK
    begun: bool = False
    """The status line is out: an error can only break the answer off."""

    @contextmanager
    def inferring(self) -> Iterator[None]:
        """Count the time of the block as the engine's."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.inference_s += time.monotonic() - began

    async def inferred(self, work: Awaitable[_T]) -> _T:
        """What `work` gives; its time is the engine's."""
        with self.inferring():
            return await work


class _Figures(Collector):
    def __init__(self, figures: Callable[[], Mapping[str, float]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[CounterMetricFamily]:
        for name, value in self._figures().items():
            yield CounterMetricFamily(f"speech_engine_{name}", "Counted by the recogniser itself", value=value)


class Metrics:  # size: an attribute a metric
    """All of them; every label has few values."""

    def __init__(self, note: Callable[[RequestRecord], None] | None = None) -> None:
        """`note` gets the record of every request that has ended."""
        self.registry = made = CollectorRegistry()
        self._note = note
        seconds = partial(Histogram, buckets=_SECONDS, registry=made)
        labels = ["wire", "route"]
        self._requests = Counter("speech_requests_ended", "Requests ended", [*labels, "status"], registry=made)
        self._queue = seconds("speech_queue_seconds", "Time in line for a place", labels)
        self._inference = seconds("speech_inference_seconds", "Engine time of a request", labels)
        self._total = seconds("speech_request_seconds", "Request arrived to answer complete", labels)
        self._active = Gauge("speech_requests_active", "Requests being served", ["service"], registry=made)
        self._served = Counter("speech_requests", "Requests admitted", ["service"], registry=made)
        self._refused = Counter("speech_refusals", "Requests refused", ["rpc", "code"], registry=made)
        self._utterances = Counter("speech_utterances", "Finals sent", registry=made)
        self._final = seconds("speech_final_latency_seconds", "End of the utterance arrived to final written")
        meaning = "Engine time by audio time, one observation an utterance"
        self._rtf = Histogram("speech_recognition_rtf", meaning, buckets=_RTF, registry=made)
        self._first_chunk = seconds("speech_synthesis_first_chunk_seconds", "Text arrived to first audio written")
        self._spoken = Counter("speech_synthesis_audio_seconds", "Audio synthesised", registry=made)

    @contextmanager
    def serving(self, service: str) -> Iterator[None]:
        """Count one admitted request for the length of the block."""
        self._served.labels(service).inc()
        with self._active.labels(service).track_inprogress():
            yield

    @contextmanager
    def request(self, wire: str, route: str) -> Iterator[RequestStats]:
        """Observe one request from its arrival to its end; the ticket says the rest."""
        began = time.monotonic()
        stats = RequestStats()
        try:
            yield stats
        except BaseException as error:
            if stats.status == OK:
                stats.status = "INTERNAL" if isinstance(error, Exception) else "CANCELLED"
            raise
        finally:
            total_s = time.monotonic() - began
            self._requests.labels(wire, route, stats.status).inc()
            if stats.status == OK:
                self._queue.labels(wire, route).observe(stats.queue_s)
                self._inference.labels(wire, route).observe(stats.inference_s)
                self._total.labels(wire, route).observe(total_s)
            if self._note is not None:
                record = RequestRecord(
                    time.time(), wire, route, stats.status, total_s, stats.queue_s, stats.inference_s, stats.audio_s
                )
                self._note(record)

    def refused(self, rpc: str, code: str) -> None:
        """A request ended with an error status."""
        self._refused.labels(rpc, code).inc()

    def utterance(self, final_s: float, engine_s: float, audio_s: float) -> None:
        """A final was written `final_s` after its utterance's end had arrived."""
        self._utterances.inc()
        self._final.observe(max(0.0, final_s))
        if audio_s > 0:
            self._rtf.observe(engine_s / audio_s)

    def first_chunk(self, waited_s: float) -> None:
        """The first audio of a text was written `waited_s` after the text came."""
        self._first_chunk.observe(waited_s)

    def spoken(self, audio_s: float) -> None:
        """So much audio was sent."""
        self._spoken.inc(audio_s)

    def watch(self, figures: Callable[[], Mapping[str, float]]) -> None:
        """Show an engine's own counts, as they are when Prometheus asks."""
        self.registry.register(_Figures(figures))

    def watch_places(self, gates: Sequence[Admission]) -> None:
        """Show how many requests of each kind are served and wait, as it is when Prometheus asks."""
        told: Mapping[str, tuple[str, Callable[[Admission], int]]] = {
            "active": ("Requests that hold a place now", lambda gate: gate.active),
            "waiting": ("Requests in line for a place now", lambda gate: gate.waiting),
            "limit": ("Requests that may hold a place", lambda gate: gate.limit),
        }
        for name, (meaning, count) in told.items():
            gauge = Gauge(f"speech_admission_{name}", meaning, ["kind"], registry=self.registry)
            for gate in gates:
                gauge.labels(gate.kind).set_function(partial(count, gate))

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Show the length of an engine's own queue likewise."""
        meaning = "Pieces of audio in line for the model now"
        Gauge("speech_engine_waiting", meaning, registry=self.registry).set_function(waiting)
