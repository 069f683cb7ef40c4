"""What do the settings say to every offline model?"""

from collections.abc import Callable

from speech_server.core.asr.asr_types import AsrModel
from speech_server.core.asr.batching import Rules
from speech_server.engine_settings import ParakeetSettings
from speech_server.engines.asr.offline.batch_queue import BatchLimits
from speech_server.engines.asr.offline.model import Loaded
from speech_server.engines.asr.offline.recogniser import Setup
from speech_server.engines.asr.offline.streaming import Streaming
from speech_server.settings import RequestSettings


def setup(
    model: AsrModel,
    load: Callable[[], Loaded],
    chosen: ParakeetSettings,
    step_ms: float,
    requests: RequestSettings,
    quietest_dbfs: float,
) -> Setup:
    """For the model that `load` loads."""
    most = chosen.parakeet_microbatch_max_batch
    return Setup(
        model=model,
        load=load,
        rules=Rules(window_s=chosen.parakeet_microbatch_window_ms / 1000, most=most),
        # What may wait is a multiple of the largest batch.
        limits=BatchLimits(
            max(1, round((1 + requests.parakeet_queue_max_factor) * most)), chosen.parakeet_segment_limit_s
        ),
        streaming=Streaming(step_ms / 1000, chosen.parakeet_stream_context_seconds),
        recording_wait_s=requests.parakeet_max_queue_wait_s,
        quietest_dbfs=quietest_dbfs,
    )
