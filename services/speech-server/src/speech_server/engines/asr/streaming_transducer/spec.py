"""What is a streaming transducer to the server? A model placed by hand, and how it is built."""

from pathlib import Path

from speech_server.core.asr.asr_types import AsrModel
from speech_server.engine_settings import StreamingSettings
from speech_server.engines.asr.streaming_transducer.model import StreamingModel
from speech_server.engines.asr.streaming_transducer.model_files import find_model
from speech_server.engines.asr.streaming_transducer.recogniser import StreamingRecogniser, StreamingSetup
from speech_server.engines.asr.streaming_transducer.step_batcher import StepLimits
from speech_server.engines.onnx.model_format import Device
from speech_server.engines.onnx.session import Limits
from speech_server.engines.spec import AsrSpec, EngineModel, EngineModels
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import VoiceActivityDetector
from speech_server.settings import Settings
from speech_server.timeline import Timeline

MEMORY_FACTOR = 2
"""Memory by the size of the files: the weights, and their work space."""


def build(settings: Settings, timeline: Timeline, detector: VoiceActivityDetector) -> StreamingRecogniser:
    """The engine, not started."""
    chosen = settings.streaming
    setup = StreamingSetup(
        model=AsrModel(chosen.streaming_model_name, chosen.languages(), boosts=True),
        folder=chosen.streaming_model_path,
        device=chosen.streaming_device,
        precision=chosen.streaming_precision,
        limits=Limits(chosen.streaming_threads, chosen.streaming_gpu_memory_mb << 20),
        steps=StepLimits(
            most=chosen.streaming_max_batch,
            waiting=chosen.streaming_max_streams,
            wait_s=settings.requests.speech_max_queue_wait_s,
            batch_s=chosen.streaming_tick_limit_s,
        ),
        most_streams=chosen.streaming_max_streams,
    )
    return StreamingRecogniser(setup, detector)


def model(chosen: StreamingSettings) -> EngineModel:
    """The folder placed by hand. Raises EngineUnavailable when none is named."""
    if chosen.streaming_model_path is None:
        raise EngineUnavailable("The streaming engine needs STREAMING_MODEL_PATH: the folder of a model, by hand.")
    precision = chosen.streaming_precision

    def look(folder: Path, device: Device) -> str:
        files = find_model(folder, device, precision)
        return f"{files.encoder.name}, {len(files.vocabulary)} tokens"

    return EngineModel(
        setting="STREAMING",
        name=chosen.streaming_model_name,
        precision=precision,
        short_name="",
        look=look,
        load=lambda folder, device: StreamingModel(find_model(folder, device, precision), "cpu", Limits()),
        memory_bytes=lambda folder, device: MEMORY_FACTOR * sum(one.stat().st_size for one in folder.glob("*.onnx*")),
        by_hand=chosen.streaming_model_path,
    )


def _named(settings: Settings, name: str, revision: str) -> EngineModel | None:
    chosen = settings.streaming
    is_ours = name == chosen.streaming_model_name and chosen.streaming_model_path is not None
    return model(chosen) if is_ours else None


SPEC = AsrSpec(
    build,
    recordings_at_once=lambda settings: settings.streaming.streaming_max_batch,
    fallback=lambda settings: settings.streaming.streaming_fallback_engine,
    device=lambda settings: ("STREAMING_DEVICE", settings.streaming.streaming_device),
    models=EngineModels(lambda settings: model(settings.streaming), _named),
    libraries=(("onnx_asr", "front-end of the recogniser"),),
)
