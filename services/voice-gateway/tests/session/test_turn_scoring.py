"""When is the model asked, about which audio, and what does the machine get to know?"""

from collections.abc import Callable
from dataclasses import dataclass, field

from voice_gateway.core.recent_audio import RecentAudio
from voice_gateway.core.speech_gate import GatePolicy, SpeechGate, gate
from voice_gateway.core.turn_types import TurnScored
from voice_gateway.session.turn_scoring import PAUSE_S, TurnScoring

FRAME_S, RATE = 0.032, 16_000
FRAME = 512


@dataclass
class Asked:
    """A scorer that keeps what it was asked."""

    window_s: float = 8.0
    clips: list[bytes] = field(default_factory=list)
    told: list[Callable[[float], None]] = field(default_factory=list)

    def ask(self, pcm16: bytes, on_score: Callable[[float], None]) -> None:
        self.clips.append(pcm16)
        self.told.append(on_score)


class Caller:
    """Speech and silence, frame by frame; each sample of a frame is its number."""

    def __init__(self) -> None:
        self.scorer, self.posted, self.turn, self.frames = Asked(), list[TurnScored](), 1, 0
        self.scoring = TurnScoring(self.scorer, self.posted.append, lambda: self.turn, lambda: self.frames * FRAME_S)
        self._gate = SpeechGate()

    def says(self, probability: float, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.frames += 1
            self.scoring.push(self.frames.to_bytes(2, "little") * FRAME)
            at = self.frames * FRAME_S
            self._gate, change = gate(self._gate, probability, at, FRAME_S, GatePolicy())
            self.scoring.frame(self._gate, change, at, self.frames * FRAME)


def first_frame(pcm16: bytes) -> int:
    return int.from_bytes(pcm16[:2], "little")


def test_it_is_asked_once_in_each_pause_and_not_in_shorter_ones() -> None:
    caller = Caller()
    caller.says(0.9, 1.0)
    caller.says(0.0, PAUSE_S - 2 * FRAME_S)
    caller.says(0.9, 0.5)
    assert not caller.scorer.clips
    caller.says(0.0, 0.224)
    assert len(caller.scorer.clips) == 1
    caller.says(0.9, 0.5)
    caller.says(0.0, 2.0)
    assert len(caller.scorer.clips) == 2


def test_it_hears_the_turn_with_half_a_second_before_it_and_the_pause() -> None:
    caller = Caller()
    caller.says(0.0, 1.6)
    caller.says(0.9, 3.2)
    caller.says(0.0, 1.0)
    (clip,) = caller.scorer.clips
    began = first_frame(clip) * FRAME_S
    assert 1.0 < began < 1.3
    asked_at = (50 + 100 + 6) * FRAME_S
    assert abs(len(clip) / 2 / RATE - (asked_at - began + FRAME_S)) < FRAME_S


def test_a_turn_with_pauses_is_heard_whole_and_the_turn_before_it_not_at_all() -> None:
    caller = Caller()
    for _ in range(2):
        caller.says(0.9, 1.6)
        caller.says(0.0, 0.64)
    caller.turn = 2
    caller.says(0.0, 3.2)
    caller.says(0.9, 1.6)
    caller.says(0.0, 0.64)
    first, second, third = caller.scorer.clips
    assert first_frame(first) == first_frame(second) == 1
    assert first_frame(third) * FRAME_S > 6.4


def test_no_more_is_kept_than_the_model_listens_to() -> None:
    caller = Caller()
    caller.says(0.9, 20.0)
    caller.says(0.0, 0.64)
    (clip,) = caller.scorer.clips
    assert len(clip) == 2 * 8 * RATE


def test_a_score_is_a_fact_with_the_time_up_to_which_it_was_listened() -> None:
    caller = Caller()
    caller.says(0.9, 1.6)
    caller.says(0.0, 0.64)
    caller.scorer.told[0](0.75)
    (fact,) = caller.posted
    assert fact.probability == 0.75
    assert round(fact.until, 3) == round(1.6 + 6 * FRAME_S, 3)


def test_pieces_of_any_length_are_kept_to_the_sample() -> None:
    audio = RecentAudio(0.01, 1000)
    for n in range(1, 8):
        audio.append(b"".join(sample.to_bytes(2, "little") for sample in range(10 * n, 11 * n)))
    assert audio.samples == 28
    kept = audio.since(0)
    assert len(kept) == 20
    assert audio.since(26) == kept[-4:]
    assert audio.since(28) == b""
    assert audio.since(99) == b""
