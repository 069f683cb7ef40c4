"""How long did the parts of a turn take? Time stamps in, named latencies out; the only place that knows the names.

Every latency counts from T0, the moment the last sample of the caller's speech arrived, unless its row says otherwise.
"""

from dataclasses import dataclass
from enum import Enum


class Mark(Enum):
    """A moment of a turn."""

    SPEECH_ENDED = "T0"
    ASR_FINAL = "final transcript at the gateway"
    TURN_ENDED = "end of turn decided"
    LLM_ASKED = "request sent"
    FIRST_TOKEN = "first token"
    PHRASE_SENT = "first phrase handed to TTS"
    FIRST_SOUND = "first audio byte"
    REPLY_LEFT = "first reply audio leaves"
    REPLY_PLAYED = "first reply sample played at the caller"
    BARGE_IN_BEGAN = "first sample of the barge-in"
    LAST_HEARD = "last reply sample heard"


LATENCIES: dict[str, tuple[Mark, Mark]] = {
    "asr_final_latency": (Mark.SPEECH_ENDED, Mark.ASR_FINAL),
    "endpointing_delay": (Mark.SPEECH_ENDED, Mark.TURN_ENDED),
    "llm_ttft": (Mark.LLM_ASKED, Mark.FIRST_TOKEN),
    "first_phrase_delay": (Mark.FIRST_TOKEN, Mark.PHRASE_SENT),
    "tts_ttfb": (Mark.PHRASE_SENT, Mark.FIRST_SOUND),
    "gateway_response_latency": (Mark.SPEECH_ENDED, Mark.REPLY_LEFT),
    "voice_to_voice": (Mark.SPEECH_ENDED, Mark.REPLY_PLAYED),
    "barge_in_stop": (Mark.BARGE_IN_BEGAN, Mark.LAST_HEARD),
}


@dataclass(slots=True)
class Timeline:
    """The time stamps of one turn and its reply; the first mark of a kind counts."""

    marks: dict[Mark, float]
    asr_lag_s: float | None = None
    """How far the recogniser was behind when the turn ended."""

    def mark(self, mark: Mark, at: float) -> None:
        """`mark` happened at `at`, unless it had already."""
        self.marks.setdefault(mark, at)

    def latencies(self) -> dict[str, float]:
        """Every latency whose two ends are known, seconds, never negative."""
        found = {} if self.asr_lag_s is None else {"asr_lag": self.asr_lag_s}
        for name, (start, end) in LATENCIES.items():
            if start in self.marks and end in self.marks:
                found[name] = max(0.0, self.marks[end] - self.marks[start])
        return found
