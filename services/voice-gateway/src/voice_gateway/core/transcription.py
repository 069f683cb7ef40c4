"""What is agreed for a stream that is only transcribed? No reply is made, and no turn is decided."""

from dataclasses import dataclass

from voice_gateway.core.speech_types import RecognitionOptions


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """One stream's options; seconds."""

    language: str
    """As the caller is told; what recognition calls it is in `recognition`."""
    recognition: RecognitionOptions
    interim: bool = True
    """Partials are sent."""
    interim_s: float = 0.2
    """From one partial to the next while speech goes on."""
    idle_s: float = 60.0
    """A stream that brings nothing for so long is ended."""
    max_lag_s: float = 8.0
    """A recogniser that owes a word for so long counts as lost."""
