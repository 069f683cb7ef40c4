"""What does a voice get, and what does it stand for? The words of a phrase, each as written and as spoken."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """What was written without a space, or belongs together, and what a voice is given for it: "$5", "5 dollars"."""

    written: str
    spoken: str


@dataclass(frozen=True, slots=True)
class SpeakablePhrase:
    """What is synthesised at once."""

    words: tuple[Word, ...]

    @property
    def spoken(self) -> str:
        """The text for the voice."""
        return " ".join(word.spoken for word in self.words if word.spoken)

    @property
    def written(self) -> str:
        """The text for the history."""
        return " ".join(word.written for word in self.words)


def plain(text: str) -> SpeakablePhrase:
    """`text` is spoken as it is written."""
    return SpeakablePhrase(tuple(Word(word, word) for word in text.split()))
