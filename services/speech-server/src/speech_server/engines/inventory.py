"""Which models do the settings want, and where does each lie? One answer for `models` and for `doctor`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from speech_server.engine_settings import KokoroSettings, MoonshineSettings, ParakeetSettings, StreamingSettings
from speech_server.engines.asr.moonshine import factory as moonshine_choice
from speech_server.engines.asr.moonshine.factory import MOONSHINE
from speech_server.engines.asr.moonshine.model import MoonshineModel
from speech_server.engines.asr.moonshine.model_files import find_model as find_moonshine
from speech_server.engines.asr.parakeet import model_files as parakeet_layout
from speech_server.engines.asr.parakeet.catalogue import CATALOGUE, look_up
from speech_server.engines.asr.parakeet.download import pull
from speech_server.engines.asr.parakeet.factory import root as parakeet_root
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.streaming_transducer import model_files as streaming_layout
from speech_server.engines.asr.streaming_transducer.model import StreamingModel
from speech_server.engines.onnx.model_format import Device, Precision, PrecisionSetting
from speech_server.engines.onnx.session import Limits
from speech_server.engines.tts.kokoro.factory import KOKORO, fetch
from speech_server.engines.tts.kokoro.factory import known as kokoro_known
from speech_server.engines.tts.kokoro.model import KokoroModel
from speech_server.engines.tts.kokoro.model_files import read_folder
from speech_server.errors import EngineUnavailable
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import default_root, folder_of
from speech_server.settings import Settings

Fetch = Callable[[PinnedModel, Precision, Path], Path]
"""The model's folder, fetched unless it is here and whole. Blocking. Raises EngineUnavailable."""

Look = Callable[[Path, Device], str]
Load = Callable[[Path, Device], None]
Files = TypeVar("Files", parakeet_layout.ModelFiles, streaming_layout.StreamingFiles)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from, and where it is kept."""

    known: PinnedModel
    root: Path
    fetch: Fetch

    @property
    def place(self) -> Path:
        """Where this revision lies, or would."""
        return folder_of(self.root, self.known)


@dataclass(frozen=True, slots=True)
class Model:
    """A model an engine may need. Either `by_hand` or `source` is set."""

    setting: str
    """What the names of its settings begin with."""
    name: str
    precision: PrecisionSetting
    look: Look
    """What a folder holds for a device, in words, by names and sizes. Raises EngineUnavailable."""
    load: Load
    """Load that on the CPU and let it go: the proof that it can be used. Raises EngineUnavailable."""
    by_hand: Path | None = None
    source: Source | None = None
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


def wanted(settings: Settings) -> list[Model]:
    """Those that the engines of the settings need, none for engines without weights."""
    made = {
        "parakeet": lambda: parakeet(settings.parakeet),
        "moonshine": lambda: moonshine(settings.moonshine),
        "streaming": lambda: streaming(settings.streaming),
    }
    found = [made[engine]() for engine in settings.recognisers if engine in made]
    if settings.server.speech_tts_engine == "kokoro":
        found.append(kokoro(settings.kokoro))
    return found


def named(settings: Settings, name: str, revision: str = "") -> Model:
    """The model of this name, or any owner/name of the hub as a Parakeet one. Raises EngineUnavailable."""
    if name.lower() in (KOKORO.name, KOKORO.repo.lower(), "kokoro"):
        chosen = settings.kokoro
        return kokoro(chosen.model_copy(update={"kokoro_revision": revision}) if revision else chosen)
    if name.lower() in (MOONSHINE.name, moonshine_choice.HUB.lower(), "moonshine"):
        return moonshine(settings.moonshine, revision)
    if name == settings.streaming.streaming_model_name and settings.streaming.streaming_model_path is not None:
        return streaming(settings.streaming)
    return parakeet(settings.parakeet, name, revision)


def catalogue(settings: Settings) -> list[Source]:
    """Every model that can be fetched by name."""
    root = parakeet_root(settings.parakeet)
    listed = [Source(one, root, pull) for one in CATALOGUE]
    return [*listed, _moonshine_source(settings.moonshine), _kokoro_source(settings.kokoro)]


def parakeet(chosen: ParakeetSettings, name: str = "", revision: str = "") -> Model:
    """The model of the settings, or another of the catalogue or the hub. Raises EngineUnavailable."""
    is_own = name in ("", chosen.parakeet_model_id)
    model = Model("PARAKEET", chosen.parakeet_model_id, chosen.parakeet_precision, *_parakeet_folder(chosen))
    if is_own and not revision and chosen.parakeet_model_path is not None:
        pinned = next((one for one in CATALOGUE if one.name == chosen.parakeet_model_id), None)
        return replace(model, by_hand=chosen.parakeet_model_path, pinned=pinned)
    known = look_up(name or chosen.parakeet_model_id, revision or (chosen.parakeet_revision if is_own else ""))
    source = Source(known, parakeet_root(chosen), pull)
    return replace(model, name=known.name, source=source, pinned=known, may_pull=chosen.parakeet_pull)


def streaming(chosen: StreamingSettings) -> Model:
    """The folder placed by hand. Raises EngineUnavailable when none is named."""
    if chosen.streaming_model_path is None:
        raise EngineUnavailable("The streaming engine needs STREAMING_MODEL_PATH: the folder of a model, by hand.")
    name, precision = chosen.streaming_model_name, chosen.streaming_precision
    return Model("STREAMING", name, precision, *_streaming_folder(chosen), by_hand=chosen.streaming_model_path)


def moonshine(chosen: MoonshineSettings, revision: str = "") -> Model:
    """The small recogniser's model, of the settings or of another commit."""

    def look(folder: Path, device: Device) -> str:
        files = find_moonshine(folder)
        return f"{files.encoder.name}, {len(files.vocabulary)} tokens"

    def load(folder: Path, device: Device) -> None:
        MoonshineModel(find_moonshine(folder))

    model = Model("MOONSHINE", MOONSHINE.name, "int8", look, load)
    if chosen.moonshine_model_path is not None:
        return replace(model, by_hand=chosen.moonshine_model_path, pinned=MOONSHINE)
    source = _moonshine_source(chosen, revision)
    return replace(model, source=source, pinned=source.known, may_pull=chosen.moonshine_pull)


def _moonshine_source(chosen: MoonshineSettings, revision: str = "") -> Source:
    known = moonshine_choice.known(revision or chosen.moonshine_revision)
    return Source(known, chosen.moonshine_cache or default_root(), moonshine_choice.fetch)


def kokoro(chosen: KokoroSettings) -> Model:
    """The neural voices' model."""
    model = Model("KOKORO", KOKORO.name, chosen.kokoro_precision, *_kokoro_folder(chosen))
    if chosen.kokoro_model_path is not None:
        return replace(model, by_hand=chosen.kokoro_model_path, pinned=KOKORO)
    source = _kokoro_source(chosen)
    return replace(model, source=source, pinned=source.known, may_pull=chosen.kokoro_pull)


def _kokoro_source(chosen: KokoroSettings) -> Source:
    return Source(kokoro_known(chosen), chosen.kokoro_cache or default_root(), fetch)


def _parakeet_folder(chosen: ParakeetSettings) -> tuple[Look, Load]:
    return _recogniser_folder(
        lambda folder, device: parakeet_layout.find_model(folder, device, chosen.parakeet_precision),
        lambda files: ParakeetModel(files, Placement()),
    )


def _streaming_folder(chosen: StreamingSettings) -> tuple[Look, Load]:
    return _recogniser_folder(
        lambda folder, device: streaming_layout.find_model(folder, device, chosen.streaming_precision),
        lambda files: StreamingModel(files, "cpu", Limits()),
    )


def _recogniser_folder(find: Callable[[Path, Device], Files], make: Callable[[Files], object]) -> tuple[Look, Load]:
    def look(folder: Path, device: Device) -> str:
        files = find(folder, device)
        return f"{files.encoder.name}, {len(files.vocabulary)} tokens"

    def load(folder: Path, device: Device) -> None:
        make(find(folder, device))

    return look, load


def _kokoro_folder(chosen: KokoroSettings) -> tuple[Look, Load]:
    def look(folder: Path, device: Device) -> str:
        files = read_folder(folder, chosen.kokoro_precision)
        return f"{files.model.name}, {len(files.styles)} voices"

    def load(folder: Path, device: Device) -> None:
        KokoroModel(read_folder(folder, chosen.kokoro_precision).model, 0).close()

    return look, load
