"""What is Kokoro to the server? Its model, where that lies, and how it is built."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from speech_server.core.tts.tts_types import Voice
from speech_server.engine_settings import KokoroSettings
from speech_server.engines.onnx.model_format import Device, Precision
from speech_server.engines.spec import EngineModel, EngineModels, ModelSource, TtsSpec
from speech_server.engines.tts.espeak.phonemiser import EspeakPhonemiser
from speech_server.engines.tts.kokoro.model import KokoroModel
from speech_server.engines.tts.kokoro.model_files import MODEL_FILES, patterns, read_folder
from speech_server.engines.tts.kokoro.synthesiser import KokoroSetup, KokoroSynthesiser
from speech_server.engines.tts.kokoro.voices import voices_of
from speech_server.errors import EngineUnavailable
from speech_server.model_store.download import pull_files
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import default_root
from speech_server.settings import Settings
from speech_server.timeline import Timeline

KOKORO = PinnedModel(
    "kokoro-82m-v1.0",
    "onnx-community/Kokoro-82M-v1.0-ONNX",
    "1939ad2a8e416c0acfeecc08a694d14ef25f2231",
    ("en-US", "en-GB", "hi-IN", "es-ES", "fr-FR", "it-IT", "pt-BR"),
    setting="KOKORO",
)
"""Apache-2.0, code and weights. Its files' sums are taken at the first pull and checked from then on."""


def build(settings: Settings, timeline: Timeline) -> KokoroSynthesiser:
    """The engine, not started."""
    chosen = settings.kokoro
    return KokoroSynthesiser(
        KokoroSetup(
            folder=lambda: model(chosen).fetched(chosen.kokoro_precision),
            precision=chosen.kokoro_precision,
            threads=chosen.kokoro_threads,
            phrase_limit_s=chosen.kokoro_phrase_limit_s,
        )
    )


def voices(settings: Settings) -> Sequence[Voice]:
    """What the folder holds; nothing is fetched or loaded. Raises EngineUnavailable."""
    chosen = model(settings.kokoro)
    if not chosen.place.is_dir():
        raise EngineUnavailable(
            f"{chosen.name} is not in {chosen.place}; run `speech-server models pull {chosen.name}`."
        )
    return [one.voice for one in voices_of(read_folder(chosen.place, settings.kokoro.kokoro_precision).styles)]


def model(chosen: KokoroSettings, revision: str = "") -> EngineModel:
    """The model of the settings, or another commit of it."""
    precision = chosen.kokoro_precision

    def look(folder: Path, device: Device) -> str:
        files = read_folder(folder, precision)
        return f"{files.model.name}, {len(files.styles)} voices"

    made = EngineModel(
        setting=KOKORO.setting,
        name=KOKORO.name,
        precision=precision,
        short_name=KOKORO.name,
        look=look,
        load=lambda folder, device: KokoroModel(read_folder(folder, precision).model, 0).close(),
        memory_bytes=lambda folder, device: 1e9,
        download_bytes=dict.fromkeys(MODEL_FILES, 4e8),
        cpu_only=True,
    )
    if chosen.kokoro_model_path is not None and not revision:
        return replace(made, by_hand=chosen.kokoro_model_path, pinned=KOKORO)
    found = replace(KOKORO, revision=revision or chosen.kokoro_revision or KOKORO.revision)
    source = ModelSource(found, chosen.kokoro_cache or default_root(), fetch)
    return replace(made, source=source, pinned=found, may_pull=chosen.kokoro_pull)


def fetch(pinned: PinnedModel, precision: Precision, root: Path) -> Path:
    """The model's folder, fetched unless it is here and whole. Blocking. Raises EngineUnavailable."""

    def is_whole(have: Iterable[str]) -> bool:
        names = set(have)
        return MODEL_FILES[precision] in names and any(name.startswith("voices/") for name in names)

    return pull_files(pinned, patterns(precision), is_whole, root)


def _named(settings: Settings, name: str, revision: str) -> EngineModel | None:
    known = name.lower() in (KOKORO.name, KOKORO.repo.lower(), "kokoro")
    return model(settings.kokoro, revision) if known else None


def _sources(settings: Settings) -> list[ModelSource]:
    source = model(settings.kokoro.model_copy(update={"kokoro_model_path": None})).source
    return [source] if source is not None else []


SPEC = TtsSpec(
    build,
    voices,
    EngineModels(lambda settings: model(settings.kokoro), _named, _sources),
    (("huggingface_hub", "fetching models"),),
    lambda: (("eSpeak NG (phonemes)", EspeakPhonemiser()),),
)
