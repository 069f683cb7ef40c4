"""What is Parakeet to the server? Its models, where they lie, and how it is built."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from speech_server.core.asr.asr_types import AsrModel
from speech_server.engine_settings import ParakeetSettings
from speech_server.engines.asr.offline.factory import setup
from speech_server.engines.asr.offline.model import Loaded
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.asr.parakeet.catalogue import CATALOGUE, look_up
from speech_server.engines.asr.parakeet.download import pull
from speech_server.engines.asr.parakeet.loading import load
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.onnx.model_format import BEST, Device, Precision
from speech_server.engines.onnx.session import Limits
from speech_server.engines.spec import AsrSpec, EngineModel, EngineModels, ModelSource
from speech_server.interfaces import VoiceActivityDetector
from speech_server.model_store.store import default_root
from speech_server.settings import Settings
from speech_server.timeline import Timeline

MEMORY_BYTES: Mapping[Precision, float] = {"int8": 1.5e9, "fp16": 3e9, "fp32": 4.5e9}
"""Memory that a model of 0.6 billion weights takes with its work space."""


def build(settings: Settings, timeline: Timeline, detector: VoiceActivityDetector) -> OfflineRecogniser:
    """The engine, not started."""
    chosen = settings.parakeet
    placement = Placement(
        decoder_device="cuda" if chosen.parakeet_decoder_device == "same" else "cpu",
        precision=chosen.parakeet_precision,
        limits=Limits(chosen.parakeet_threads, chosen.parakeet_gpu_memory_mb << 20),
    )

    def loaded() -> Loaded:
        return load(lambda precision: model(chosen).fetched(precision), chosen.parakeet_device, placement)

    return OfflineRecogniser(setup(settings, listed(chosen), loaded, chosen.parakeet_stream_step_ms), detector)


def listed(chosen: ParakeetSettings) -> AsrModel:
    """What the model list shows. Of NVIDIA's Parakeet only the TDT models write punctuation."""
    model = chosen.parakeet_model_id
    if chosen.parakeet_model_path is not None:
        languages = chosen.languages() or ("en-US",)
        return AsrModel(chosen.parakeet_model_id, languages, punctuates="tdt" in model, boosts=True)
    known = look_up(chosen.parakeet_model_id, chosen.parakeet_revision)
    return AsrModel(known.name, chosen.languages() or known.languages, punctuates="tdt" in model, boosts=True)


def model(chosen: ParakeetSettings, name: str = "", revision: str = "") -> EngineModel:
    """The model of the settings, or another of the catalogue or the hub. Raises EngineUnavailable."""
    is_own = name in ("", chosen.parakeet_model_id)
    precision = chosen.parakeet_precision

    def look(folder: Path, device: Device) -> str:
        files = find_model(folder, device, precision)
        return f"{files.encoder.name}, {len(files.vocabulary)} tokens"

    made = EngineModel(
        setting="PARAKEET",
        name=chosen.parakeet_model_id,
        precision=precision,
        short_name="",
        look=look,
        load=lambda folder, device: ParakeetModel(find_model(folder, device, precision), Placement()),
        memory_bytes=lambda folder, device: MEMORY_BYTES[BEST[device][0] if precision == "auto" else precision],
        download_bytes={"int8": 0.7e9, "fp16": 1.3e9, "fp32": 2.6e9},
    )
    if is_own and not revision and chosen.parakeet_model_path is not None:
        pinned = next((one for one in CATALOGUE if one.name == chosen.parakeet_model_id), None)
        return replace(made, by_hand=chosen.parakeet_model_path, pinned=pinned)
    found = look_up(name or chosen.parakeet_model_id, revision or (chosen.parakeet_revision if is_own else ""))
    source = ModelSource(found, _root(chosen), pull)
    return replace(made, name=found.name, source=source, pinned=found, may_pull=chosen.parakeet_pull)


def _root(chosen: ParakeetSettings) -> Path:
    return chosen.parakeet_cache or default_root()


SPEC = AsrSpec(
    build,
    by_utterance=True,
    fallback=lambda settings: settings.parakeet.parakeet_fallback_engine,
    device=lambda settings: ("PARAKEET_DEVICE", settings.parakeet.parakeet_device),
    models=EngineModels(
        lambda settings: model(settings.parakeet),
        lambda settings, name, revision: model(settings.parakeet, name, revision),
        lambda settings: [ModelSource(one, _root(settings.parakeet), pull) for one in CATALOGUE],
    ),
    libraries=(("onnx_asr", "front-end of the recogniser"), ("huggingface_hub", "fetching models")),
)
