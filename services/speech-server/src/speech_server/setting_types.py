"""What have all groups of settings in common? How they are read, and the ranges of numbers."""

from typing import Annotated

from pydantic import AliasChoices, AliasGenerator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ORIGINAL_NAMES = {
    "speech_microbatch_window_ms": "parakeet_microbatch_window_ms",
    "speech_microbatch_max_batch": "parakeet_microbatch_max_batch",
    "speech_batch_limit_s": "parakeet_segment_limit_s",
    "speech_stream_context_seconds": "parakeet_stream_context_seconds",
    "speech_queue_max_factor": "parakeet_queue_max_factor",
    "speech_max_queue_wait_s": "parakeet_max_queue_wait_s",
    "speech_max_audio_seconds": "parakeet_max_audio_seconds",
    "speech_max_upload_mb": "parakeet_max_upload_mb",
}
"""What the original service called settings of every engine: taken as well; where both are set, ours wins."""


def _names(field: str) -> AliasChoices:
    return AliasChoices(field, ORIGINAL_NAMES.get(field, field))


class SettingsGroup(BaseSettings):
    """Settings that belong together."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, alias_generator=AliasGenerator(validation_alias=_names)
    )


Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]
Milliseconds = Annotated[int, Field(ge=0, le=600_000)]
Seconds = Annotated[float, Field(gt=0)]
Part = Annotated[float, Field(gt=0, le=1)]
