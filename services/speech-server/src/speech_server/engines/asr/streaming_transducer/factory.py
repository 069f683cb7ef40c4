"""Which streaming model do the settings mean?"""

from speech_server.core.asr.asr_types import AsrModel
from speech_server.engine_settings import StreamingSettings
from speech_server.engines.asr.streaming_transducer.recogniser import Setup, StreamingRecogniser
from speech_server.engines.asr.streaming_transducer.step_batcher import StepLimits
from speech_server.engines.onnx.session import Limits
from speech_server.interfaces import VoiceActivityDetector


def from_settings(
    chosen: StreamingSettings, detector: VoiceActivityDetector, queue_wait_s: float = 30.0
) -> StreamingRecogniser:
    """The engine, not started."""
    setup = Setup(
        model=AsrModel(chosen.streaming_model_name, chosen.languages(), boosts=True),
        folder=chosen.streaming_model_path,
        device=chosen.streaming_device,
        precision=chosen.streaming_precision,
        limits=Limits(chosen.streaming_threads, chosen.streaming_gpu_memory_mb << 20),
        ticks=StepLimits(
            most=chosen.streaming_max_batch,
            waiting=chosen.streaming_max_streams,
            wait_s=queue_wait_s,
            tick_s=chosen.streaming_tick_limit_s,
        ),
        most_streams=chosen.streaming_max_streams,
    )
    return StreamingRecogniser(setup, detector)
