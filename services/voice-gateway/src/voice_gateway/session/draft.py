"""What is a reply before its turn is decided? Nobody is told of it; what it says is kept for the release."""

from collections.abc import Callable
from dataclasses import dataclass, field

from voice_gateway.core.conversation import Conversation
from voice_gateway.core.events import CallOptions, ReplyText
from voice_gateway.core.timeline import Mark, Timeline
from voice_gateway.errors import Upstream


@dataclass(slots=True)
class Draft:
    """Draft `n`, and the listener of its reply until it is released. One that is dropped is heard by nobody else, so
    that whatever its tasks still do before they are cancelled reaches no other reply of its number."""

    n: int
    options: CallOptions
    history: Conversation
    """Before the words that it answers."""
    clock: Callable[[], float]
    note_work: Callable[[], None]
    note_overload: Callable[[float], None]
    began_at: float
    timeline: Timeline = field(default_factory=lambda: Timeline({}))
    untold: list[ReplyText] = field(default_factory=list)
    failed: bool = False

    def answers(self, n: int, options: CallOptions, history: Conversation) -> bool:
        """Whether it is what reply `n` would be if it were begun now. One that failed is not: another try may do."""
        return self.n == n and not self.failed and self.options == options and self.history == history

    def reply_text_added(self, n: int, delta: str) -> None:
        """Listener of the reply."""
        self.untold.append(ReplyText(n, delta))

    def reply_has_room(self, n: int) -> bool:
        """Listener of the reply."""
        return False

    def reply_audio_due(self, n: int, offset: int, pcm16: bytes) -> None:
        """Listener of the reply: never, for it has no room."""

    def reply_marked(self, n: int, mark: Mark) -> None:
        """Listener of the reply."""
        self.timeline.mark(mark, self.clock())

    def reply_requested(self, n: int) -> None:
        """Listener of the reply."""
        self.note_work()

    def reply_failed(self, n: int, error: Upstream) -> None:
        """Listener of the reply."""
        self.failed = True
        if error.overloaded:
            self.note_overload(error.retry_after_s)

    def reply_tools_changed(self, n: int) -> None:
        """Listener of the reply: the release looks."""
