"""When does speech start and stop? Probabilities of speech, frame by frame, become two facts."""

from dataclasses import dataclass, replace
from enum import Enum


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """Numbers measured with Silero v6: right from clean speech down to 5 dB signal-to-noise ratio."""

    start: float = 0.5
    """Probability from which a frame is speech."""
    stop: float = 0.35
    """Probability below which a frame of running speech is silence."""
    start_frames: int = 2
    """Speech frames in a row that start it."""
    hangover_s: float = 0.25
    """Silence that stops it."""


@dataclass(frozen=True, slots=True)
class GatePolicies:
    """A pause in the caller's turn may be long; a sound over a reply that ends at once is a cough."""

    turn: GatePolicy
    overlap: GatePolicy

    def starting_from(self, threshold: float) -> "GatePolicies":
        """With speech that starts from this probability on, and stops as far below it as it does now; 0 = as they
        are. Example: start 0.5, stop 0.35 and a threshold of 0.8: start 0.8, stop 0.65."""
        if not threshold:
            return self

        def moved(policy: GatePolicy) -> GatePolicy:
            return replace(policy, start=threshold, stop=max(0.01, threshold - (policy.start - policy.stop)))

        return GatePolicies(moved(self.turn), moved(self.overlap))


class GateChange(Enum):
    """What changed."""

    STARTED = "started"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SpeechGate:
    """One caller's gate."""

    speaking: bool = False
    run: int = 0
    """Speech frames in a row before it started."""
    first_at: float = 0.0
    """When the first frame of the running speech arrived."""
    last_at: float = 0.0
    """When the last speech frame arrived: T0 of the latencies."""
    hears: bool = False
    """The last frame was speech. In a burst many frames arrive at one time, so times do not tell."""


def gate(
    state: SpeechGate, probability: float, arrived_at: float, frame_s: float, policy: GatePolicy
) -> tuple[SpeechGate, GateChange | None]:
    """The gate after one frame of `frame_s` that arrived (its last sample) at `arrived_at`."""
    if not state.speaking:
        if probability < policy.start:
            return (replace(state, run=0, hears=False), None) if state.run or state.hears else (state, None)
        first_at = arrived_at - frame_s if state.run == 0 else state.first_at
        run = state.run + 1
        if run < policy.start_frames:
            return replace(state, run=run, first_at=first_at, hears=False), None
        return SpeechGate(True, 0, first_at, arrived_at, hears=True), GateChange.STARTED
    if probability >= policy.stop:
        return replace(state, last_at=arrived_at, hears=True), None
    if arrived_at - state.last_at < policy.hangover_s:
        return (replace(state, hears=False) if state.hears else state), None
    return replace(state, speaking=False, hears=False), GateChange.STOPPED
