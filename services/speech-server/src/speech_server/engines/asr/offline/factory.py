"""What do the settings say to every offline model?"""

from collections.abc import Callable

from speech_server.core.asr.asr_types import AsrModel
from speech_server.core.asr.batching import Rules
from speech_server.engines.asr.offline.batch_queue import BatchLimits
from speech_server.engines.asr.offline.model import Loaded
from speech_server.engines.asr.offline.recogniser import OfflineSetup
from speech_server.engines.asr.offline.streaming import Streaming
from speech_server.settings import Settings


def setup(settings: Settings, model: AsrModel, load: Callable[[], Loaded], step_ms: float) -> OfflineSetup:
    """For the model that `load` loads; `step_ms`: new audio before a stream's next partial."""
    chosen, requests = settings.offline, settings.requests
    most = chosen.speech_microbatch_max_batch
    # What may wait is a multiple of the largest batch.
    waiting = max(1, round((1 + requests.speech_queue_max_factor) * most))
    return OfflineSetup(
        model=model,
        load=load,
        rules=Rules(window_s=chosen.speech_microbatch_window_ms / 1000, most=most),
        limits=BatchLimits(waiting, chosen.speech_batch_limit_s),
        streaming=Streaming(step_ms / 1000, chosen.speech_stream_context_seconds),
        recording_wait_s=requests.speech_max_queue_wait_s,
        quietest_dbfs=settings.voice.speech_quietest_dbfs,
    )
