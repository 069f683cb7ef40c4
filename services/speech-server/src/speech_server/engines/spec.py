"""What must be known of an engine? How it is built, its models, how much it takes at once, what the doctor looks at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from speech_server.core.tts.tts_types import Voice
from speech_server.engines import silero_vad
from speech_server.engines.onnx.model_format import Device, Precision, PrecisionSetting
from speech_server.engines.onnx.providers import DeviceSetting
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import Recogniser, Startable, Synthesiser, VoiceActivityDetector
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import folder_of, read_manifest
from speech_server.settings import Settings
from speech_server.timeline import Timeline


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from, and where it is kept."""

    model: PinnedModel
    root: Path
    fetch: Callable[[PinnedModel, Precision, Path], Path]
    """The model's folder, fetched unless it is here and whole. Blocking. Raises EngineUnavailable."""

    @property
    def place(self) -> Path:
        """Where this revision lies, or would."""
        return folder_of(self.root, self.model)


@dataclass(frozen=True, slots=True)
class EngineModel:
    """A model that an engine needs. Either `by_hand` or `source` is set."""

    setting: str
    """What the names of its settings begin with."""
    name: str
    precision: PrecisionSetting
    short_name: str
    """What `models pull` takes for it; empty: nothing, it fetches what the chosen engines need."""
    look: Callable[[Path, Device], str]
    """What a folder holds for a device, in words, by names and sizes. Raises EngineUnavailable."""
    load: Callable[[Path, Device], object]
    """Load that on the CPU and let it go: the proof that it can be used. Raises EngineUnavailable."""
    memory_bytes: Callable[[Path, Device], float]
    """Memory that it takes with its work space, about."""
    download_bytes: Mapping[Precision, float] = field(default_factory=dict)
    cpu_only: bool = False
    by_hand: Path | None = None
    source: ModelSource | None = None
    pinned: PinnedModel | None = None
    """What the files should be, as far as it is known."""
    may_pull: bool = False
    """Fetched at the start when it is missing."""

    @property
    def place(self) -> Path:
        """Its folder, which may not be there."""
        if self.by_hand is not None:
            return self.by_hand
        assert self.source is not None, "a model has a folder or a source"
        return self.source.place

    def fetched(self, precision: Precision) -> Path:
        """Its folder, fetched if it must be and may. Blocking. Raises EngineUnavailable."""
        if self.source is not None and self.may_pull:
            return self.source.fetch(self.source.model, precision, self.source.root)
        if self.source is not None and read_manifest(self.place) is None:
            raise EngineUnavailable(
                f"{self.name} is not in {self.source.root} and {self.setting}_PULL is false; "
                f"run `{f'speech-server models pull {self.short_name}'.strip()}`, or set {self.setting}_MODEL_PATH."
            )
        return self.place


@dataclass(frozen=True, slots=True)
class EngineModels:
    """The models of an engine. All raise EngineUnavailable with a sentence."""

    chosen: Callable[[Settings], EngineModel]
    """The settings' own."""
    named: Callable[[Settings, str, str], EngineModel | None]
    """The one of this name and revision (empty: the settings'); None: no model of this engine."""
    sources: Callable[[Settings], Sequence[ModelSource]] = lambda settings: ()
    """Those that can be fetched by name."""


@dataclass(frozen=True, slots=True)
class AsrSpec:
    """One engine that recognises."""

    build: Callable[[Settings, Timeline, VoiceActivityDetector], Recogniser]
    recordings_at_once: Callable[[Settings], int] = lambda settings: settings.offline.speech_microbatch_max_batch
    """As many as it takes: a whole batch."""
    by_utterance: bool = False
    """It hears whole clips: a recording's utterances go to it one by one, not as a stream."""
    fallback: Callable[[Settings], str] = lambda settings: "none"
    """Who recognises when it can't."""
    device: Callable[[Settings], tuple[str, DeviceSetting]] | None = None
    """Where it shall run, with the name of the setting; None: on the CPU, always."""
    detector: Callable[[Settings], VoiceActivityDetector] = lambda settings: silero_vad.SileroDetector()
    stop_history_ms: Callable[[Settings], int] = lambda settings: settings.voice.speech_stop_history_ms
    models: EngineModels | None = None
    libraries: tuple[tuple[str, str], ...] = ()
    """(module, what it is for)"""
    parts: Callable[[], Sequence[tuple[str, Startable]]] = lambda: (
        ("voice activity (Silero)", silero_vad.SileroDetector()),
    )
    """What is small enough for the doctor to start, by name."""


@dataclass(frozen=True, slots=True)
class TtsSpec:
    """One engine that speaks."""

    build: Callable[[Settings, Timeline], Synthesiser]
    voices: Callable[[Settings], Sequence[Voice]] | None = None
    """Found without loading; None: ask the engine, which starts at once."""
    models: EngineModels | None = None
    libraries: tuple[tuple[str, str], ...] = ()
    parts: Callable[[], Sequence[tuple[str, Startable]]] = lambda: ()
