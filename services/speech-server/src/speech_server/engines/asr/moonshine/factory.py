"""Which Moonshine do the settings mean, and where does it lie?"""

from dataclasses import replace
from pathlib import Path

from speech_server.core.asr.asr_types import AsrModel
from speech_server.engine_settings import MoonshineSettings, ParakeetSettings
from speech_server.engines.asr.moonshine.model import MoonshineModel
from speech_server.engines.asr.moonshine.model_files import HUB_FILES, WHEEL_FILES, find_model
from speech_server.engines.asr.offline.factory import setup
from speech_server.engines.asr.offline.model import Loaded, measure
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.onnx.session import Limits
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import VoiceActivityDetector
from speech_server.model_store.download import pull_files
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import default_root, folder_of, read_manifest
from speech_server.model_store.wheel_download import Wheel, pull_from_wheel
from speech_server.settings import RequestSettings

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


def from_settings(
    chosen: MoonshineSettings,
    detector: VoiceActivityDetector,
    shared: ParakeetSettings,
    requests: RequestSettings,
    quietest_dbfs: float,
) -> OfflineRecogniser:
    """The engine, not started."""
    listed = AsrModel(MOONSHINE.name, MOONSHINE.languages, punctuates=True, estimates_times=True)

    def load() -> Loaded:
        model = MoonshineModel(find_model(folder(chosen)), Limits(chosen.moonshine_threads))
        return Loaded(model, "cpu (its weights are made for it)", measure(model))

    return OfflineRecogniser(
        setup(listed, load, shared, chosen.moonshine_stream_step_ms, requests, quietest_dbfs), detector
    )


def folder(chosen: MoonshineSettings) -> Path:
    """The model's folder, fetched if it must be and may. Blocking. Raises EngineUnavailable with a sentence."""
    if chosen.moonshine_model_path is not None:
        return chosen.moonshine_model_path
    model, root = known(chosen.moonshine_revision), chosen.moonshine_cache or default_root()
    if chosen.moonshine_pull:
        return fetch(model, "int8", root)
    if read_manifest(folder_of(root, model)) is None:
        raise EngineUnavailable(
            f"{model.name} is not in {root} and MOONSHINE_PULL is false; run `speech-server models pull moonshine`."
        )
    return folder_of(root, model)


def known(revision: str) -> PinnedModel:
    """The wheel's model; with a commit, the hub's."""
    return replace(MOONSHINE, repo=HUB, revision=revision, sums={}) if revision else MOONSHINE


def fetch(model: PinnedModel, precision: Precision, root: Path) -> Path:
    """The model's folder, fetched unless it is here and whole. Blocking. Raises EngineUnavailable."""
    if model.repo == WHEEL.name:
        return pull_from_wheel(model, WHEEL, root)
    return pull_files(model, HUB_FILES, lambda have: set(HUB_FILES) <= set(have), root)
