"""An offline model as an engine: loaded off the loop, one queue for all callers, streams and whole recordings alike."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from speech_server.core.asr.asr_types import ASR_RATE_HZ, AsrModel, Hints, Hypothesis, Word
from speech_server.core.asr.batching import Kind, Rules
from speech_server.core.asr.boosting import Boosting
from speech_server.core.asr.long_audio_split import Section
from speech_server.core.asr.subwords import joined, shifted
from speech_server.engines.asr.offline.batch_queue import BatchLimits, BatchQueue
from speech_server.engines.asr.offline.model import Loaded, OfflineModel
from speech_server.engines.asr.offline.streaming import OfflineUtterances, Streaming
from speech_server.engines.onnx.loader import device_state, load_in_thread
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.stats import EngineStats
from speech_server.engines.onnx.transducer import Floats
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import VoiceActivityDetector
from speech_server.recognition.sectioning import as_floats, clip_of, found_sections, powers

SHORTEST_SECTION_S, LONGEST_SECTION_S = 5.0, 20.0
"""A whole recording is recognised in sections; the model's speed decides between these."""
AHEAD = 8
"""Sections of one recording that wait at once: enough to fill batches, and others still get their turn."""
_LOUDNESS_SAMPLES = ASR_RATE_HZ // 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfflineSetup:
    """Everything the operator decided."""

    model: AsrModel
    load: Callable[[], Loaded]
    """Blocking. Raises EngineUnavailable."""
    rules: Rules = field(default_factory=Rules)
    limits: BatchLimits = field(default_factory=BatchLimits)
    streaming: Streaming = field(default_factory=Streaming)
    recording_wait_s: float = 30.0
    """A section of a whole recording that could not begin within this time fails."""
    quietest_dbfs: float = -70.0
    """A clip that is nowhere louder says nothing."""


class OfflineRecogniser:  # size: what interfaces.py asks of an engine, and its optional parts
    """`start` loads; then any number of streams and recordings."""

    def __init__(self, setup: OfflineSetup, detector: VoiceActivityDetector) -> None:
        """`detector` finds the silences in which recordings are cut; the server starts it first."""
        self._setup = setup
        self._detector = detector
        self._model: OfflineModel | None = None
        self._batcher: BatchQueue | None = None
        self._sessions = itertools.count(1)
        self._section_s = SHORTEST_SECTION_S
        self._why = ""

    @property
    def models(self) -> Sequence[AsrModel]:
        """The one that is loaded."""
        return (self._setup.model,)

    @property
    def state(self) -> str:
        """One line for `/readyz` and the log: model, precision, device, and why there."""
        if self._model is None:
            return "not loaded"
        return f"{self._setup.model.name} {self._model.precision} on {device_state(self._why, self._model.device)}"

    @property
    def figures(self) -> dict[str, float]:
        """For Prometheus."""
        return self.stats.figures()

    @property
    def waiting(self) -> int:
        """Clips in line for the model."""
        return self._batcher.waiting if self._batcher is not None else 0

    @property
    def stats(self) -> EngineStats:
        """What was done since the start."""
        return self._batcher.stats if self._batcher is not None else EngineStats()

    async def start(self) -> None:
        """Fetch if need be, load, warm up. Raises EngineUnavailable with a sentence."""
        loaded = await load_in_thread(self._setup.model.name, self._setup.load)
        self._model, self._why = loaded.model, loaded.why
        model, rules = loaded.model, replace(self._setup.rules, mixes_kinds=loaded.model.device == "cuda")
        self._batcher = BatchQueue(
            self._transcribe, rules, self._setup.limits, self._when_stuck, lambda: model.device == "cpu"
        )
        self._batcher.start(1 / loaded.rtf)
        in_limit_s = 0.4 * self._setup.limits.segment_s / loaded.rtf
        self._section_s = min(LONGEST_SECTION_S, max(SHORTEST_SECTION_S, in_limit_s))
        _log.info("the recogniser is ready: %s; real-time factor %.3f", self.state, loaded.rtf)

    async def stop(self) -> None:
        """What runs gets EngineUnavailable; the model is freed."""
        if self._batcher is not None:
            await self._batcher.stop()
            self._batcher = None
        self._model = None

    async def open(self, hints: Hints) -> OfflineUtterances:
        """A stream, its phrases favoured where the model can. The language is not used: a model finds it itself."""
        batcher, boosting = self._running(), await self._boosting(hints)
        return OfflineUtterances(
            batcher,
            self._setup.streaming,
            next(self._sessions),
            self._audible,
            boosting,
            knows_times=not self._setup.model.estimates_times,
        )

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording: cut in its silences, sections recognised together."""
        batcher, session, boosting = self._running(), next(self._sessions), await self._boosting(hints)
        found = await found_sections(self._detector, pcm16, self._section_s)
        words: list[Word] = []
        waiting: deque[tuple[Section, asyncio.Future[Hypothesis]]] = deque()
        try:
            for section in found:
                clip = as_floats(clip_of(pcm16, section))
                if self._audible(clip):
                    answer = batcher.submit(session, Kind.WHOLE, clip, self._setup.recording_wait_s, boosting)
                    waiting.append((section, answer))
                if len(waiting) >= AHEAD:
                    words += await _next(waiting)
            while waiting:
                words += await _next(waiting)
        finally:
            for _, answer in waiting:
                answer.cancel()
        return joined(words)

    def _running(self) -> BatchQueue:
        if self._batcher is None:
            raise EngineUnavailable(f"{self._setup.model.name} is not loaded.")
        return self._batcher

    async def _boosting(self, hints: Hints) -> Boosting | None:
        if not hints.phrases or self._model is None or self._model.lexicon is None:
            return None
        # Off the loop: many phrases take some 30 ms.
        return await asyncio.to_thread(self._model.lexicon.boosting, hints.phrases)

    def _audible(self, clip: Floats) -> bool:
        loudest = powers(clip, _LOUDNESS_SAMPLES).max(initial=0.0)
        return bool(loudest >= 10 ** (self._setup.quietest_dbfs / 10))

    def _transcribe(
        self, clips: Sequence[Floats], stop: Stop, boostings: Sequence[Boosting | None]
    ) -> list[Hypothesis]:
        assert self._model is not None
        return self._model.transcribe(clips, stop, boostings)

    def _when_stuck(self) -> None:
        if self._model is not None and self._model.device == "cuda":
            self._model.to_cpu("a batch hung")


async def _next(waiting: deque[tuple[Section, "asyncio.Future[Hypothesis]"]]) -> tuple[Word, ...]:
    section, answer = waiting[0]
    said = await answer
    waiting.popleft()
    return shifted(said.words, section.start_s)
