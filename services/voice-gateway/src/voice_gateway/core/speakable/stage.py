"""When may what be said of a reply? Pieces of the model's text in, phrases for a voice out, as early as they are sure.

Time is an argument, seconds on any steady clock.
"""

from dataclasses import dataclass

from voice_gateway.core.phrases import MAX_PHRASE_CHARS, Phraser
from voice_gateway.core.speakable.phrase import SpeakablePhrase, plain


@dataclass(frozen=True, slots=True)
class Manner:
    """How text is made speakable."""

    max_chars: int = MAX_PHRASE_CHARS
    wait_s: float = 1.2
    """Whole words are spoken after this long without the end of a phrase, if nothing else is."""


class Speakable:
    """One reply's text."""

    def __init__(self, language: str, manner: Manner) -> None:
        self.text = ""
        """What is said, as it was written: this enters the history."""
        self.spoke = False
        """Whether there was anything to speak."""
        self._manner = manner
        self._phraser = Phraser(manner.max_chars)
        self._language = language

    def push(self, piece: str, now: float) -> list[SpeakablePhrase]:
        """The phrases that `piece` completes."""
        self.text += piece
        return self._worded(self._phraser.push(piece, now))

    def due_at(self) -> float | None:
        """When `hurry` may bring a phrase, if nothing more is pushed; None = not before more is pushed."""
        began_at = self._phraser.waiting_since
        return None if began_at is None else began_at + self._manner.wait_s

    def hurry(self, now: float) -> list[SpeakablePhrase]:
        """The caller hears nothing: what can be spoken without the end of the phrase, if it is due."""
        due_at = self.due_at()
        return self._worded(self._phraser.hurry()) if due_at is not None and due_at <= now else []

    def flush(self) -> list[SpeakablePhrase]:
        """The reply is complete."""
        return self._worded(self._phraser.flush())

    def _worded(self, phrases: list[str]) -> list[SpeakablePhrase]:
        self.spoke = self.spoke or bool(phrases)
        return [plain(phrase) for phrase in phrases]
