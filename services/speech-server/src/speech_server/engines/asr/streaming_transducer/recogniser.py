"""A streaming model as an engine: loaded off the loop, one batch for all callers, streams and recordings alike."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from speech_server.core.asr.asr_types import ASR_RATE_HZ, AsrModel, Hints, Hypothesis, Word
from speech_server.core.asr.boosting import Boosting
from speech_server.core.asr.subwords import joined, shifted
from speech_server.engines.asr.streaming_transducer.model import StreamingModel, StreamStep, Utterance
from speech_server.engines.asr.streaming_transducer.model_files import find_model
from speech_server.engines.asr.streaming_transducer.step_batcher import StepBatcher, StepLimits
from speech_server.engines.onnx.loader import device_state, load_in_thread, load_on_device, still_on
from speech_server.engines.onnx.model_format import Device, PrecisionSetting
from speech_server.engines.onnx.providers import ChosenDevice, DeviceSetting, probe
from speech_server.engines.onnx.session import Limits, SessionOpener, Stop
from speech_server.engines.onnx.stats import EngineStats
from speech_server.errors import EngineBusy, EngineUnavailable
from speech_server.interfaces import VoiceActivityDetector
from speech_server.recognition.sectioning import as_floats, clip_of, found_sections

LONGEST_SECTION_S = 60.0
"""Of a recording: the model forgets what is long ago anyhow."""
PIECE_BYTES = 2 * ASR_RATE_HZ
"""A recording is heard a second at a time, so that streams get their turn between."""
WARM_UP_WINDOWS = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamingSetup:
    """Everything the operator decided."""

    model: AsrModel
    folder: Path | None
    device: DeviceSetting = "auto"
    precision: PrecisionSetting = "auto"
    limits: Limits = field(default_factory=Limits)
    """Of onnxruntime."""
    steps: StepLimits = field(default_factory=StepLimits)
    most_streams: int = 128
    """Streams and recordings open at once; more are refused."""


class StreamingRecogniser:
    """`start` loads; then any number of streams and recordings."""

    def __init__(
        self,
        setup: StreamingSetup,
        detector: VoiceActivityDetector,
        open_with: SessionOpener | None = None,
        probe_with: Callable[[DeviceSetting], ChosenDevice] = lambda wanted: probe(wanted, "STREAMING_DEVICE"),
    ) -> None:
        """`detector` finds the speech of whole recordings; the server starts it first."""
        self._setup = setup
        self._detector = detector
        self._open_with = open_with
        self._probe_with = probe_with
        self._model: StreamingModel | None = None
        self._batcher: StepBatcher | None = None
        self._streams = 0
        self._why = ""

    @property
    def models(self) -> Sequence[AsrModel]:
        """The one that is loaded. It writes punctuation if it has tokens for it."""
        if self._model is None:
            return (self._setup.model,)
        marks = {piece.lstrip("\u2581") for piece in self._model.files.vocabulary}
        return (replace(self._setup.model, punctuates={".", "?"} <= marks),)

    @property
    def state(self) -> str:
        """One line for `/readyz` and the log: model, precision, chunk, device, and why there."""
        if self._model is None:
            return "not loaded"
        chunk_ms = 10 * self._model.shape.shift
        name, precision = self._setup.model.name, self._model.files.precision
        return f"{name} {precision}, chunks of {chunk_ms} ms, on {device_state(self._why, self._model.device)}"

    @property
    def figures(self) -> dict[str, float]:
        """For Prometheus."""
        return (self._batcher.stats if self._batcher is not None else EngineStats()).figures()

    @property
    def waiting(self) -> int:
        """Pieces in line for the model."""
        return self._batcher.waiting if self._batcher is not None else 0

    async def start(self) -> None:
        """Load, warm up. Raises EngineUnavailable with a sentence."""
        model, rtf = await load_in_thread("streaming", self._load)
        self._model = model
        self._batcher = StepBatcher(model.decode, self._setup.steps)
        self._batcher.start()
        megabytes = model.shape.stream_bytes / 1e6
        _log.info(
            "the streaming model is ready: %s; real-time factor of one caller %.3f, %.1f MB an open utterance",
            self.state,
            rtf,
            megabytes,
        )

    async def stop(self) -> None:
        """What runs gets EngineUnavailable; the model is freed."""
        if self._batcher is not None:
            await self._batcher.stop()
            self._batcher = None
        self._model = None

    async def open(self, hints: Hints) -> "StreamingUtterances":
        """A stream, its phrases favoured."""
        model, batcher = self._running()
        if self._streams >= self._setup.most_streams:
            raise EngineBusy(
                f"{self._streams} streams are open, as many as STREAMING_MAX_STREAMS allows; try again later."
            )
        self._streams += 1
        try:
            # Off the loop: many phrases take some 30 ms.
            boosting = await asyncio.to_thread(model.lexicon.boosting, hints.phrases) if hints.phrases else None
        except BaseException:
            self._closed()
            raise
        return StreamingUtterances(model, batcher, self._closed, boosting)

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording: its stretches of speech, one after another."""
        utterances = await self.open(hints)
        words: list[Word] = []
        try:
            for section in await found_sections(self._detector, pcm16, LONGEST_SECTION_S):
                clip = clip_of(pcm16, section)
                for at in range(0, len(clip), PIECE_BYTES):
                    await utterances.accept(clip[at : at + PIECE_BYTES])
                words += shifted((await utterances.finish()).words, section.start_s)
        finally:
            await utterances.close()
        return joined(words)

    def _closed(self) -> None:
        self._streams -= 1

    def _running(self) -> tuple[StreamingModel, StepBatcher]:
        if self._model is None or self._batcher is None:
            raise EngineUnavailable("The streaming model is not loaded.")
        return self._model, self._batcher

    def _load(self) -> tuple[StreamingModel, float]:
        if self._setup.folder is None:
            raise EngineUnavailable(
                "SPEECH_ASR_ENGINE=streaming needs STREAMING_MODEL_PATH, the folder of a model placed by hand; "
                "none is fetched."
            )
        folder = self._setup.folder
        loaded, self._why = load_on_device(
            self._setup.device, self._probe_with, lambda device: self._load_on(folder, device)
        )
        return loaded

    def _load_on(self, folder: Path, device: Device) -> tuple[StreamingModel, float]:
        files = find_model(folder, device, self._setup.precision)
        model = StreamingModel(files, device, self._setup.limits, self._open_with)
        rtf = model.measure(WARM_UP_WINDOWS, Stop())
        still_on(device, model.device)
        return model, rtf


class StreamingUtterances:
    """One stream's utterances. What is shown is never taken back, but its last word may still grow."""

    def __init__(
        self, model: StreamingModel, batcher: StepBatcher, closed: Callable[[], None], boosting: Boosting | None = None
    ) -> None:
        self._model = model
        self._boosting = boosting
        self._batcher = batcher
        self._closed: Callable[[], None] | None = closed
        self._open: Utterance | None = None

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Hear more and say what is believed. Raises EngineBusy, EngineUnavailable."""
        if self._open is None:
            self._open = self._model.begin(self._boosting)
        said = await self._decode(StreamStep(self._open, as_floats(pcm16)))
        return replace(said, confidence=0.0, stability=max(0, len(said.words) - 1) / max(1, len(said.words)))

    async def finish(self) -> Hypothesis:
        """The final: silence fills the last window."""
        if self._open is None:
            return Hypothesis("")
        said = await self._decode(StreamStep(self._open, as_floats(b""), ends=True))
        self._open = None
        return said

    async def close(self) -> None:
        """Forget the open utterance, and make room for another stream."""
        self._open = None
        if self._closed is not None:
            self._closed()
            self._closed = None

    async def _decode(self, step: StreamStep) -> Hypothesis:
        try:
            return await self._batcher.decode(step)
        except BaseException:
            # It may be heard in part, or be heard still: the next one begins anew.
            self._open = None
            raise
