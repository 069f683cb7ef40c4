"""When does a caller with push-to-talk talk? A tap of the key begins and ends it; a key that is held talks while it is.

A terminal tells no release of a key, only that it repeats while it is held, after a first pause. So:

    silent ── press ──▶ talking ── press after more than REPEATS_FROM_S ──▶ silent       (two taps)
                          │ press within REPEATS_FROM_S: the key repeats
                          ▼
                        held ── no press for RELEASED_AFTER_S ──▶ silent                 (released)

Example: presses at 0.0, 0.5, 0.53, 0.56 (repeating) and none after: talks from 0.0 to 0.81.

Pure: the moment of a press comes in, and so does the moment that has been reached.
"""

from dataclasses import dataclass

REPEATS_FROM_S = 0.7
"""Systems repeat a key after 0.25 to 0.66 s; two taps on purpose are further apart: a turn lies between."""
RELEASED_AFTER_S = 0.25
"""Systems repeat a held key every 0.03 to 0.1 s."""


@dataclass(frozen=True, slots=True)
class TalkKey:
    """The talk key up to now; moments are seconds on any steady clock."""

    is_talking: bool = False
    pressed_at: float = 0.0
    is_held: bool = False

    def press(self, now: float) -> "TalkKey":
        """The key was pressed, or repeats."""
        if not self.is_talking:
            return TalkKey(True, now)
        if self.is_held or now - self.pressed_at < REPEATS_FROM_S:
            return TalkKey(True, now, is_held=True)
        return TalkKey(False, now)

    def deadline(self) -> float | None:
        """When `at` must be asked next; None = nothing happens without a press."""
        return self.pressed_at + RELEASED_AFTER_S if self.is_talking and self.is_held else None

    def at(self, now: float) -> "TalkKey":
        """Time has passed."""
        due = self.deadline()
        return TalkKey(False, now) if due is not None and now >= due else self
