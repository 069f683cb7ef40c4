"""Which neural model do the settings mean, and where does it lie?"""

from collections.abc import Iterable
from pathlib import Path

from speech_server.engine_settings import KokoroSettings
from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.tts.kokoro.model_files import MODEL_FILES, patterns
from speech_server.engines.tts.kokoro.synthesiser import KokoroSetup, KokoroSynthesiser
from speech_server.errors import EngineUnavailable
from speech_server.model_store.download import pull_files
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import default_root, folder_of, read_manifest

KOKORO = PinnedModel(
    "kokoro-82m-v1.0",
    "onnx-community/Kokoro-82M-v1.0-ONNX",
    "1939ad2a8e416c0acfeecc08a694d14ef25f2231",
    ("en-US", "en-GB", "hi-IN", "es-ES", "fr-FR", "it-IT", "pt-BR"),
    setting="KOKORO",
)
"""Apache-2.0, code and weights. Its files' sums are taken at the first pull and checked from then on."""


def from_settings(chosen: KokoroSettings) -> KokoroSynthesiser:
    """The engine, not started."""
    return KokoroSynthesiser(
        KokoroSetup(
            folder=lambda: folder(chosen),
            precision=chosen.kokoro_precision,
            threads=chosen.kokoro_threads,
            phrase_limit_s=chosen.kokoro_phrase_limit_s,
        )
    )


def folder(chosen: KokoroSettings) -> Path:
    """The model's folder, fetched if it must be and may. Blocking. Raises EngineUnavailable with a sentence."""
    if chosen.kokoro_model_path is not None:
        return chosen.kokoro_model_path
    model, root = known(chosen), chosen.kokoro_cache or default_root()
    if chosen.kokoro_pull:
        return fetch(model, chosen.kokoro_precision, root)
    place = folder_of(root, model)
    if read_manifest(place) is None:
        raise EngineUnavailable(
            f"{model.name} is not in {place} and KOKORO_PULL is false; run `speech-server models pull {model.name}`, "
            "or set KOKORO_MODEL_PATH."
        )
    return place


def known(chosen: KokoroSettings) -> PinnedModel:
    """The model at the revision of the settings."""
    revision = chosen.kokoro_revision or KOKORO.revision
    return PinnedModel(KOKORO.name, KOKORO.repo, revision, KOKORO.languages, KOKORO.sums, KOKORO.setting)


def fetch(model: PinnedModel, precision: Precision, root: Path) -> Path:
    """The model's folder, fetched unless it is here and whole. Blocking. Raises EngineUnavailable."""

    def is_whole(have: Iterable[str]) -> bool:
        names = set(have)
        return MODEL_FILES[precision] in names and any(name.startswith("voices/") for name in names)

    return pull_files(model, patterns(precision), is_whole, root)
