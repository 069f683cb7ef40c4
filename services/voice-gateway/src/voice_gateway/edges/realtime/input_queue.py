"""When is the caller's audio heard? As it was spoken: what comes faster waits here, within bounds.

Clients of this protocol may append a whole recording at once. A recogniser can take that, turn-taking can't: a silence
of half a second would pass in a millisecond. So audio is handed on as time passes, and a commit behind it waits.
"""

from collections import deque
from dataclasses import dataclass

_BYTES_PER_S = 2 * 16_000
_PIECE_BYTES = _BYTES_PER_S // 10
_CATCH_UP = 1.05
"""What waits is handed on so much faster than it was spoken: a clock that is a little fast never fills the queue."""
MAX_WAITING_S = 30.0
AHEAD_S = 1.0
"""Audio may be ahead of time by so much without waiting: a link that stalls for a moment brings it in one piece."""
AHEAD_COMMITTED_S = 15.0
"""The same where only a commit ends a turn: then silences mean nothing."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The turn is over after the audio before this."""


class InputQueue:
    """PCM16 at 16 kHz. Time is an argument, seconds on any steady clock."""

    def __init__(self) -> None:
        self.ahead_s = AHEAD_S
        self._waiting: deque[bytes | Commit] = deque()
        self._bytes = 0
        self._heard_until = 0.0
        """When what was handed on will have been spoken."""
        self.since_commit_bytes = 0
        """Taken since the last commit."""

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be handed on later."""
        return bool(self._waiting)

    @property
    def has_commit(self) -> bool:
        """Whether a commit waits behind audio."""
        return any(isinstance(piece, Commit) for piece in self._waiting)

    @property
    def waiting_s(self) -> float:
        """Seconds of audio that wait."""
        return self._bytes / _BYTES_PER_S

    def push(self, pcm16: bytes) -> bool:
        """More audio; False = there is no room for it, and it was not taken."""
        if self.waiting_s + len(pcm16) / _BYTES_PER_S > MAX_WAITING_S:
            return False
        self.since_commit_bytes += len(pcm16)
        self._bytes += len(pcm16)
        self._waiting.extend(pcm16[at : at + _PIECE_BYTES] for at in range(0, len(pcm16), _PIECE_BYTES))
        return True

    def commit(self) -> None:
        """The turn is over after what was pushed."""
        self.since_commit_bytes = 0
        self._waiting.append(Commit())

    def clear(self) -> None:
        """Forget what waits since the last commit."""
        while self._waiting and isinstance(last := self._waiting[-1], bytes):
            self._bytes -= len(last)
            self._waiting.pop()
        self.since_commit_bytes = 0

    def take(self, now: float) -> bytes | Commit | None:
        """What is due next; None = nothing now."""
        if not self._waiting or now < self.next_at():
            return None
        piece = self._waiting.popleft()
        if isinstance(piece, bytes):
            self._bytes -= len(piece)
            speed = _CATCH_UP if self._waiting else 1.0
            self._heard_until = max(self._heard_until, now) + len(piece) / _BYTES_PER_S / speed
        return piece

    def next_at(self) -> float:
        """When something that waits is due."""
        return self._heard_until - self.ahead_s
