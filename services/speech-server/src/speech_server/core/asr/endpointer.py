"""When does an utterance start and stop? Speech probabilities of frames in, facts out.

              start_threshold of start_history is speech
    Quiet  ───────────────────────────────────────────────▶  Speech ─┐ stop_threshold_eou of stop_history_eou
      ▲                                                         │    │ is silence: EndExpected (once a pause)
      └─────────────────────────────────────────────────────────┘ ◀──┘
              stop_threshold of stop_history is silence

Time is counted in frames, so the same audio always gives the same facts, however fast it comes.
"""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpointing:
    """The rules. Histories in seconds, thresholds are parts (0..1) of their history."""

    start_history_s: float = 0.3
    start_threshold: float = 0.2
    stop_history_s: float = 0.8
    stop_threshold: float = 0.98
    stop_history_eou_s: float | None = None
    """None, or not shorter than `stop_history_s`: no early sign of the end."""
    stop_threshold_eou: float = 0.98
    onset: float = 0.5
    """From this probability on a frame begins speech."""
    offset: float = 0.35
    """Below this probability a frame of running speech is silence (lower than `onset`: a wavering voice goes on)."""


@dataclass(frozen=True, slots=True)
class Started:
    """An utterance began; its first frame of speech was frame number `first_frame` (from 0)."""

    first_frame: int


@dataclass(frozen=True, slots=True)
class EndExpected:
    """The shorter silence is over: the utterance has probably ended."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The longer silence is over: the utterance has ended."""


Fact = Started | EndExpected | Stopped


class Endpointer:
    """One stream's endpointer. Push every frame's probability, in order."""

    def __init__(self, rules: Endpointing, frame_s: float) -> None:
        self._rules = rules
        self._start_frames = _frames(rules.start_history_s, frame_s)
        self._stop_frames = _frames(rules.stop_history_s, frame_s)
        eou_s = rules.stop_history_eou_s
        early = eou_s is not None and eou_s < rules.stop_history_s
        self._eou_frames = _frames(eou_s, frame_s) if early and eou_s is not None else 0
        self._window: deque[bool] = deque(maxlen=max(self._start_frames, self._stop_frames))
        self._frame = 0
        self.in_speech = False
        """Is an utterance open?"""
        self._end_expected = False

    def push(self, probability: float) -> Fact | None:
        """What this frame has made true."""
        voiced = probability >= (self._rules.offset if self.in_speech else self._rules.onset)
        self._window.append(voiced)
        self._frame += 1
        return self._while_speech(voiced) if self.in_speech else self._while_quiet(voiced)

    def reset(self) -> None:
        """The utterance was ended from outside: wait for the next start, counting on."""
        self._window.clear()
        self.in_speech = self._end_expected = False

    def _while_quiet(self, voiced: bool) -> Fact | None:
        if not voiced:
            return None
        recent = list(self._window)[-self._start_frames :]
        if sum(recent) < self._rules.start_threshold * self._start_frames:
            return None
        first = self._frame - len(recent) + recent.index(True)
        self.reset()
        self.in_speech = True
        return Started(first)

    def _while_speech(self, voiced: bool) -> Fact | None:
        if voiced:
            self._end_expected = False
            return None
        if self._silent(self._stop_frames, self._rules.stop_threshold):
            self.reset()
            return Stopped()
        if self._eou_frames and not self._end_expected:
            self._end_expected = self._silent(self._eou_frames, self._rules.stop_threshold_eou)
            return EndExpected() if self._end_expected else None
        return None

    def _silent(self, frames: int, threshold: float) -> bool:
        if len(self._window) < frames:
            return False
        recent = list(self._window)[-frames:]
        return recent.count(False) >= threshold * frames


def _frames(history_s: float, frame_s: float) -> int:
    """Whole frames that fill `history_s`; rounded up, so that a silence is never called too early."""
    return max(1, -int(-(history_s / frame_s - 1e-6) // 1))
