"""What does Prometheus read of places and queues?"""

from collections.abc import Mapping

from prometheus_client import generate_latest
from speech_server.admission import Admission
from speech_server.engines.asr.scripted.recogniser import Script, ScriptedRecogniser
from speech_server.engines.fallback import FallbackRecogniser
from speech_server.interfaces import HasCounters, HasQueue
from speech_server.metrics import Metrics
from speech_server.timeline import Timeline


class WithQueue(ScriptedRecogniser):
    """An engine with a queue of its own."""

    def __init__(self) -> None:
        super().__init__(Script(), Timeline(None))
        self.waiting = 3

    @property
    def figures(self) -> Mapping[str, float]:
        return {"batches": 7}


def test_places_are_gauges_by_kind_as_they_are_when_asked() -> None:
    metrics, gate = Metrics(), Admission("streams", 5, 1000)
    metrics.watch_places([gate, Admission("syntheses", 2, 1000)])
    gate.open()
    with gate.admit(), gate.admit():
        page = generate_latest(metrics.registry).decode()
    assert "# TYPE speech_admission_active gauge" in page
    assert 'speech_admission_active{kind="streams"} 2.0' in page
    assert 'speech_admission_limit{kind="syntheses"} 2.0' in page
    assert 'speech_admission_active{kind="streams"} 0.0' in generate_latest(metrics.registry).decode()


def test_an_engines_queue_is_a_gauge_also_behind_a_spare() -> None:
    metrics, engine = Metrics(), WithQueue()
    both = FallbackRecogniser(engine, ScriptedRecogniser(Script(), Timeline(None)))
    assert isinstance(both, HasQueue)
    assert isinstance(both, HasCounters)
    metrics.watch_queue(lambda: both.waiting)
    assert "speech_engine_waiting 3.0" in generate_latest(metrics.registry).decode()
    engine.waiting = 0
    assert "speech_engine_waiting 0.0" in generate_latest(metrics.registry).decode()
    assert FallbackRecogniser(ScriptedRecogniser(Script(), Timeline(None)), engine).waiting == 0
