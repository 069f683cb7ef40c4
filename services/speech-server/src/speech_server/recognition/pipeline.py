"""What does recognition work with, and how does one request get a recogniser of its own?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pcm.level import FLOOR_DBFS

from speech_server.core.asr.asr_types import Hints, Hypothesis
from speech_server.core.asr.recognition_plan import AsrPolicy, RecognitionPlan
from speech_server.drain import Drain
from speech_server.interfaces import Recogniser, Utterances, VoiceActivityDetector
from speech_server.recognition.level_gate import LevelGate
from speech_server.recognition.utterance_segmenter import UtteranceSegmenter


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What the operator allows a stream."""

    idle_s: float
    most_ahead_s: float


@dataclass(frozen=True, slots=True)
class RecognitionContext:
    """What recognition works with."""

    recogniser: Recogniser
    detector: VoiceActivityDetector
    policy: AsrPolicy
    limits: StreamLimits
    pre_roll_s: float
    longest_utterance_s: float
    retry_after_ms: int
    by_utterance: bool = False
    """A recording's utterances go to `Recogniser.transcribe` one by one, not to a stream: better for offline models."""
    longest_recording_s: float = 7200.0
    quietest_dbfs: float = FLOOR_DBFS
    """Frames below this level are silence."""
    drain: Drain = field(default_factory=Drain)


class _WholeUtterances:
    """The utterances of a recording, each transcribed as a whole when it ends."""

    def __init__(self, recogniser: Recogniser, hints: Hints) -> None:
        self._recogniser = recogniser
        self._hints = hints
        self._pcm16 = bytearray()

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Keep it; the longest utterance bounds how much that can be."""
        self._pcm16 += pcm16
        return Hypothesis("")

    async def finish(self) -> Hypothesis:
        """Transcribe what was kept."""
        pcm16, self._pcm16 = bytes(self._pcm16), bytearray()
        return await self._recogniser.transcribe(pcm16, self._hints)

    async def close(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def open_segmenter(
    recognition: RecognitionContext, plan: RecognitionPlan, *, recorded: bool = False
) -> AsyncIterator[tuple[UtteranceSegmenter, Utterances]]:
    """The segmenter and utterances of one stream or recording, given back after the block. Raises EngineError."""
    utterances: Utterances
    if recorded and recognition.by_utterance:
        utterances = _WholeUtterances(recognition.recogniser, plan.hints)
    else:
        utterances = await recognition.recogniser.open(plan.hints)
    activity = LevelGate(recognition.detector.open(), recognition.quietest_dbfs)
    try:
        yield (
            UtteranceSegmenter(
                utterances, activity, plan.endpointing, recognition.pre_roll_s, recognition.longest_utterance_s
            ),
            utterances,
        )
    finally:
        activity.close()
        await utterances.close()
