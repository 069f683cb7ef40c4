"""Which loudspeaker samples belong to a microphone frame? A canceller needs both, sample beside sample.

Two threads at two paces bring them, 20 ms at a time. The canceller finds the delay by itself, but only one that is
positive: the loudspeaker's samples must not come later than their echo. So what waits here is kept short. If more than
SLACK_S was waiting all through the last WINDOW_S, the surplus is dropped: two devices drift apart by some 100 ppm,
which is 0.1 ms a second. What is missing is silence.

Example at 1 kHz: 100 samples were played before the first frame of 20: the oldest 60 are dropped, 20 wait behind it.
"""

from collections import deque

from pcm import SAMPLE_BYTES, samples

SLACK_S = 0.02
"""What may wait: one block of a device. Less than output and input delay together, which are 20 ms and more."""
WINDOW_S = 1.0
LONGEST_S = 1.0
"""A microphone that stands still: older samples are dropped."""


class EchoReference:
    """Loudspeaker samples at the microphone's rate on their way to the canceller. Not for two threads at once."""

    def __init__(self, rate_hz: int) -> None:
        self._slack = round(SLACK_S * rate_hz)
        self._window = round(WINDOW_S * rate_hz)
        self._longest = round(LONGEST_S * rate_hz)
        self._waiting: deque[bytes] = deque()
        self._count = 0
        self._least = 0
        """Fewest samples that waited behind a frame since the window began."""
        self._taken: int | None = None
        """Samples of frames since the window began; None before the first one."""

    @property
    def waiting(self) -> int:
        """Samples that wait."""
        return self._count

    def add(self, pcm16: bytes) -> None:
        """The loudspeaker plays these next."""
        self._waiting.append(pcm16)
        self._count += samples(pcm16)
        self._drop(self._count - self._longest)

    def take(self, count: int) -> bytes:
        """As many as the microphone's frame has."""
        if self._taken is None:
            self._drop(self._count - count - self._slack)
            self._taken, self._least = 0, self._longest
        taken = self._cut(count)
        self._taken += count
        self._least = min(self._least, self._count)
        if self._taken >= self._window:
            self._drop(self._least - self._slack)
            self._taken, self._least = 0, self._longest
        return taken.ljust(count * SAMPLE_BYTES, b"\0")

    def _drop(self, count: int) -> None:
        if count > 0:
            self._cut(count)

    def _cut(self, count: int) -> bytes:
        parts = []
        while count and self._waiting:
            chunk = self._waiting.popleft()
            part, rest = chunk[: count * SAMPLE_BYTES], chunk[count * SAMPLE_BYTES :]
            if rest:
                self._waiting.appendleft(rest)
            parts.append(part)
            count -= samples(part)
            self._count -= samples(part)
        return b"".join(parts)
