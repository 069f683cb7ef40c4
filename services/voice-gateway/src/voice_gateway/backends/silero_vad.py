"""Is somebody speaking? Silero's detector, one for all calls; each frame is told with the time it arrived."""

from collections import deque
from collections.abc import Callable, Sequence

import vad
from vad import FRAME_S, RATE_HZ

GATHER_S = 0.02
"""A frame waits at most this long for those of other calls: measured 0.17-0.35 % of a core per call, against 3-5 % for
a detector per call. Two thirds of a frame, so that no call has two in a batch."""

OnFrame = Callable[[float, float, float], None]


class SileroStream:
    """One call: when each frame arrived, and where to tell."""

    def __init__(self, detector: vad.SileroDetector, on_frame: OnFrame) -> None:
        self._stream = detector.open(self._told)
        self._on_frame = on_frame
        self._arrivals: deque[float] = deque()
        """Of the frames that are not scored yet; bounded by what callers may send: one second of audio a message."""

    def push(self, pcm16: bytes, arrived_at: float) -> None:
        """Audio whose last sample arrived at that time."""
        if frames := self._stream.push(pcm16):
            last_at = arrived_at - self._stream.rest_bytes / 2 / RATE_HZ
            for behind in range(frames - 1, -1, -1):
                self._arrivals.append(last_at - behind * FRAME_S)

    def close(self) -> None:
        """Frames under way are dropped, and the call is let go although the detector may still hold its stream."""
        self._stream.close()

    def _told(self, scores: Sequence[float]) -> None:
        for probability in scores:
            if self._stream.closed:
                return
            self._on_frame(probability, self._arrivals.popleft(), FRAME_S)


class SileroDetector:
    """The frames of all calls."""

    def __init__(self) -> None:
        self._detector = vad.SileroDetector(GATHER_S)

    def open(self, on_frame: OnFrame) -> SileroStream:
        """A stream for one call."""
        return SileroStream(self._detector, on_frame)

    async def run(self) -> None:
        """Score frames until cancelled."""
        await self._detector.run()
