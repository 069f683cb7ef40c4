"""What happened in a conversation, and when? One list of moments, of the caller, the gateway and the backends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, `at` seconds since the call began."""

    at: float
    event: str
    text: str = ""
    heard: str = ""
    reply: int = 0
    turn: int = 0
    reason: str = ""
    utterance: int = 0
    number: int = 0
    """Of all that happened, in the order in which it did: many things happen at the same time."""

    def __str__(self) -> str:
        about = [f"reply {self.reply}" if self.reply else "", self.reason, f'"{self.text}"' if self.text else ""]
        return " ".join([f"{self.at:.2f} {self.event}", *(part for part in about if part)])


@dataclass(slots=True)
class Moments:
    """The record of one call, while it goes on."""

    clock: Callable[[], float]
    began_at: float = field(init=False)
    all: list[Moment] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    """The gateway's numbers of replies, and the scenario's: 1 is the first that the caller was told of."""
    last_number: int = 0
    listeners: list[Callable[[Moment], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began_at = self.clock()

    def begin(self) -> None:
        """The call begins now: times count from here."""
        self.began_at = self.clock()
        self.note("call began")

    @property
    def now(self) -> float:
        """Seconds since the call began."""
        return self.clock() - self.began_at

    def note(
        self,
        event: str,
        text: str = "",
        *,
        heard: str = "",
        reply: int = 0,
        turn: int = 0,
        reason: str = "",
        utterance: int = 0,
        at: float | None = None,
    ) -> None:
        """Something happened, now or at a time near; `reply` is the gateway's number."""
        when = self.now if at is None else at
        reply = self.numbers.get(reply, 0)
        moment = Moment(when, event, text, heard, reply, turn, reason, utterance, self.next_number())
        self.all.append(moment)
        for listener in tuple(self.listeners):
            listener(moment)

    def next_number(self) -> int:
        """Of something that happens now."""
        self.last_number += 1
        return self.last_number

    def of(self, event: str) -> Iterator[Moment]:
        """All moments of this name."""
        return (moment for moment in self.all if moment.event == event)


def words_of(text: str) -> list[str]:
    """A text's words, without case and punctuation."""
    bare = "".join(sign if sign.isalnum() or sign.isspace() else " " if sign == "-" else "" for sign in text.casefold())
    return bare.split()


def same_words(one: str, other: str) -> bool:
    """Equal but for case, punctuation and spaces."""
    return words_of(one) == words_of(other)


def holds_words(text: str, part: str) -> bool:
    """Whether the words of `part` stand in `text`, one after the other."""
    words, wanted = words_of(text), words_of(part)
    return any(words[at : at + len(wanted)] == wanted for at in range(len(words) - len(wanted) + 1))
