"""What does the detector keep of one stream? Audio it has not scored yet, and what the model remembers."""

from collections.abc import Callable, Sequence

from vad.model import CONTEXT_BYTES, FRAME_BYTES, WINDOW_BYTES, State, fresh_state

OnScores = Callable[[Sequence[float]], None]


class SileroStream:
    """Audio in any pieces; `on_scores` is told the probability of every whole frame, in order."""

    def __init__(self, wake: Callable[["SileroStream"], None], on_scores: OnScores) -> None:
        self._wake = wake
        self._audio = bytes(CONTEXT_BYTES)
        self._at = 0
        self.frames = 0
        """Whole frames that wait."""
        self.rest_bytes = 0
        """Audio after the last whole frame."""
        self.on_scores = on_scores
        self.state: State = fresh_state()
        self.closed = False

    def push(self, pcm16: bytes) -> int:
        """Audio at `RATE_HZ`; gives the number of frames that it completes."""
        if self.closed:
            return 0
        if self._at:
            self._audio, self._at = self._audio[self._at :], 0
        self._audio += pcm16
        frames, self.rest_bytes = divmod(len(self._audio) - CONTEXT_BYTES, FRAME_BYTES)
        completed, self.frames = frames - self.frames, frames
        if completed:
            self._wake(self)
        return completed

    def close(self) -> None:
        """Nothing is told any more, whatever is under way, and no more is held than what the model is working on."""
        self.closed = True
        self.on_scores = _nobody
        self._audio, self._at, self.frames = b"", 0, 0

    def take(self, count: int) -> list[bytes]:
        """The next so many frames, each with the end of the one before: for the detector."""
        end = self._at + count * FRAME_BYTES
        windows = [self._audio[at : at + WINDOW_BYTES] for at in range(self._at, end, FRAME_BYTES)]
        self._at = end
        self.frames -= count
        if not self.frames:  # a long recording is not kept
            self._audio, self._at = self._audio[end:], 0
        return windows


def _nobody(scores: Sequence[float]) -> None:
    """Listens to a stream that is closed."""
