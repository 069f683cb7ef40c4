"""What does the server tell Prometheus? One registry a server, so that two servers fit in one process."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0, 10.0)
_RTF = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)


class Metrics:
    """All of them; every label has few values."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self._active = Gauge("speech_requests_active", "Requests being served", ["service"], registry=made)
        self._served = Counter("speech_requests", "Requests admitted", ["service"], registry=made)
        self._refused = Counter("speech_refusals", "Requests refused", ["rpc", "code"], registry=made)
        self._utterances = Counter("speech_utterances", "Finals sent", registry=made)
        self._final = Histogram(
            "speech_final_latency_seconds",
            "End of the utterance arrived to final written",
            buckets=_SECONDS,
            registry=made,
        )
        self._rtf = Histogram(
            "speech_recognition_rtf",
            "Engine time by audio time, one observation an utterance",
            buckets=_RTF,
            registry=made,
        )
        self._first_chunk = Histogram(
            "speech_synthesis_first_chunk_seconds",
            "Text arrived to first audio written",
            buckets=_SECONDS,
            registry=made,
        )
        self._spoken = Counter("speech_synthesis_audio_seconds", "Audio synthesised", registry=made)

    @contextmanager
    def serving(self, service: str) -> Iterator[None]:
        """Count one admitted request for the length of the block."""
        self._served.labels(service).inc()
        with self._active.labels(service).track_inprogress():
            yield

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

    def page(self) -> bytes:
        """The text Prometheus reads."""
        return generate_latest(self.registry)
