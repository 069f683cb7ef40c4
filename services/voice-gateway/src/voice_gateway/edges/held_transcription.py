"""What does an edge keep with a transcription stream? What was asked for, and how much its client may still send."""

from dataclasses import dataclass

from pcm import AudioFormat

from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.core.transcription import TranscriptionOptions
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.refusal_reports import RefusalReports
from voice_gateway.session.transcription import TranscriptionStream


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """What a client asked for, after checking."""

    options: TranscriptionOptions
    input: AudioFormat
    is_float: bool = False
    """Samples are 32-bit floating point numbers, -1 to 1."""
    words: bool = True
    """Finals tell each word with its time."""


class HeldTranscription:
    """One stream, in the registry."""

    def __init__(
        self, session: TranscriptionStream, request: TranscriptionRequest, token: str, max_session_s: float,
        limits: Limits,
    ) -> None:  # fmt: skip
        self.session = session
        self.request = request
        self.token = token
        self.max_session_s = max_session_s
        self.limits = limits
        self.messages = TokenBucket(limits.messages_per_s, limits.messages_burst)
        self.refusals = RefusalReports(session, limits)
