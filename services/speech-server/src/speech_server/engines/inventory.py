"""Which models do the settings want, and where does each lie? One answer for `models` and for `doctor`."""

from collections.abc import Iterator

from speech_server.engines.registry import ASR, TTS, asr_spec, chosen, tts_spec
from speech_server.engines.spec import AsrSpec, EngineModel, EngineModels, ModelSource, TtsSpec
from speech_server.errors import EngineUnavailable
from speech_server.settings import Settings


def wanted(settings: Settings) -> list[EngineModel]:
    """Those that the engines of the settings need, none for engines without weights. Raises EngineUnavailable."""
    return [spec.models.chosen(settings) for spec in chosen(settings) if spec.models is not None]


def named(settings: Settings, name: str, revision: str = "") -> EngineModel:
    """The model of this name, or any owner/name of the hub that an engine takes. Raises EngineUnavailable."""
    return next(model for models in _all() if (model := models.named(settings, name, revision)) is not None)


def placed_by_hand(settings: Settings) -> list[EngineModel]:
    """Those whose folder a setting names, whichever engine is chosen."""
    found = []
    for models in _all():
        try:
            found.append(models.chosen(settings))
        except EngineUnavailable:
            continue
    return [model for model in found if model.by_hand is not None]


def catalogue(settings: Settings) -> list[ModelSource]:
    """Every model that can be fetched by name."""
    return [source for models in _all() for source in models.sources(settings)]


def _all() -> Iterator[EngineModels]:
    specs: list[AsrSpec | TtsSpec] = [*map(tts_spec, TTS), *map(asr_spec, ASR)]
    return (spec.models for spec in specs if spec.models is not None)
