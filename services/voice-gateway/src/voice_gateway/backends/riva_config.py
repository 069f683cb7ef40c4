"""What is a recognition stream asked for? Riva's configuration, from the operator's settings and the call's options."""

from dataclasses import dataclass, replace

from riva.client.proto import riva_asr_pb2 as riva
from riva.client.proto import riva_audio_pb2

from voice_gateway.backends.endpoint import Tier
from voice_gateway.core.events import INPUT_RATE_HZ
from voice_gateway.core.speech_types import RecognitionOptions


@dataclass(frozen=True, slots=True)
class AsrSettings:
    """What an operator chose."""

    stop_history_ms: int
    stop_history_eou_ms: int
    chunk_s: float
    buffer_s: float
    keepalive_s: float
    connect_timeout_s: float
    outage_s: float
    fallback_model: str = ""
    """What the fallback's servers call their model; "" = they choose."""


def streaming_configs(
    settings: AsrSettings, options: RecognitionOptions
) -> dict[Tier, riva.StreamingRecognitionConfig]:
    """By target: the names of models are each server's own."""
    return {
        Tier.PRIMARY: _streaming_config(settings, options),
        Tier.FALLBACK: _streaming_config(settings, replace(options, model=settings.fallback_model)),
    }


def _streaming_config(settings: AsrSettings, options: RecognitionOptions) -> riva.StreamingRecognitionConfig:
    config = riva.RecognitionConfig(
        encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
        sample_rate_hertz=INPUT_RATE_HZ,
        audio_channel_count=1,
        language_code=options.language,
        max_alternatives=1,
        enable_automatic_punctuation=options.punctuation,
        enable_word_time_offsets=True,
        model=options.model,
        speech_contexts=[riva.SpeechContext(phrases=[phrase], boost=boost) for phrase, boost in options.hotwords],
    )
    if stop_history_ms := options.stop_history_ms or settings.stop_history_ms:
        config.endpointing_config.stop_history = stop_history_ms
    if settings.stop_history_eou_ms:
        config.endpointing_config.stop_history_eou = settings.stop_history_eou_ms
    return riva.StreamingRecognitionConfig(config=config, interim_results=True)
