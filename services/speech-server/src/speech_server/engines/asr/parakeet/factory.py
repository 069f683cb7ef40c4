"""Which Parakeet do the settings mean?"""

from pathlib import Path

from speech_server.core.asr.asr_types import AsrModel
from speech_server.engine_settings import ParakeetSettings
from speech_server.engines.asr.offline.factory import setup
from speech_server.engines.asr.offline.model import Loaded
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.asr.parakeet.catalogue import look_up
from speech_server.engines.asr.parakeet.download import pull
from speech_server.engines.asr.parakeet.loading import load
from speech_server.engines.asr.parakeet.model import Placement
from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.onnx.session import Limits
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import VoiceActivityDetector
from speech_server.model_store.store import default_root, folder_of, read_manifest
from speech_server.settings import RequestSettings


def from_settings(
    chosen: ParakeetSettings, detector: VoiceActivityDetector, requests: RequestSettings, quietest_dbfs: float
) -> OfflineRecogniser:
    """The engine, not started."""
    placement = Placement(
        decoder_device="cuda" if chosen.parakeet_decoder_device == "same" else "cpu",
        precision=chosen.parakeet_precision,
        limits=Limits(chosen.parakeet_threads, chosen.parakeet_gpu_memory_mb << 20),
    )

    def loaded() -> Loaded:
        return load(lambda precision: folder(chosen, precision), chosen.parakeet_device, placement)

    step_ms = chosen.parakeet_stream_step_ms
    return OfflineRecogniser(setup(listed(chosen), loaded, chosen, step_ms, requests, quietest_dbfs), detector)


def listed(chosen: ParakeetSettings) -> AsrModel:
    """What the model list shows. Of NVIDIA's Parakeet only the TDT models write punctuation."""
    model = chosen.parakeet_model_id
    if chosen.parakeet_model_path is not None:
        languages = chosen.languages() or ("en-US",)
        return AsrModel(chosen.parakeet_model_id, languages, punctuates="tdt" in model, boosts=True)
    known = look_up(chosen.parakeet_model_id, chosen.parakeet_revision)
    return AsrModel(known.name, chosen.languages() or known.languages, punctuates="tdt" in model, boosts=True)


def root(chosen: ParakeetSettings) -> Path:
    """Where models are kept."""
    return chosen.parakeet_cache or default_root()


def folder(chosen: ParakeetSettings, precision: Precision) -> Path:
    """The model's folder; fetches it unless that is forbidden. Blocking. Raises EngineUnavailable."""
    if chosen.parakeet_model_path is not None:
        return chosen.parakeet_model_path
    known = look_up(chosen.parakeet_model_id, chosen.parakeet_revision)
    if chosen.parakeet_pull:
        return pull(known, precision, root(chosen))
    place = folder_of(root(chosen), known)
    if read_manifest(place) is None:
        raise EngineUnavailable(
            f"{known.name} is not in {root(chosen)} and PARAKEET_PULL is false; run `speech-server models pull`."
        )
    return place
