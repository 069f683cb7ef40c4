"""When must the microphone be silent, so that a reply from the loudspeaker does not come back as speech?

While a reply sounds, and a tail after it: the room rings on, and the devices are late. Example: with a tail of 0.3 s, a
reply whose last sample sounds at 5.0 keeps the microphone silent until 5.3.

Pure: moments are seconds on any steady clock.
"""

from dataclasses import dataclass

TAIL_S = 0.3
"""A room's reverberation (0.2 to 0.5 s until it is 30 dB down), and what an input device holds back (0.02 to 0.1 s)."""


@dataclass(frozen=True, slots=True)
class HalfDuplex:
    """The gate of one call."""

    tail_s: float = TAIL_S
    sounds_until: float = float("-inf")

    def played(self, at: float, seconds: float) -> "HalfDuplex":
        """`seconds` of a reply sound from `at` on."""
        return HalfDuplex(self.tail_s, max(self.sounds_until, at + seconds))

    def is_closed(self, now: float) -> bool:
        """Whether the microphone must be silent."""
        return now < self.sounds_until + self.tail_s
