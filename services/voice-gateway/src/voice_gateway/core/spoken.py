"""When is each word of a phrase over? Word times that a voice tells are laid on the words that were sent.

Voices tell the words their own way: without punctuation, two as one ("there was"), numbers in parts, or not at all.
The history must hold the words that were written, so each reported word is looked for among the next ones of the
phrase; those passed over ended before it, in proportion to their letters. What is not told is guessed.
"""

from dataclasses import dataclass

_LOOK_AHEAD = 6
"""Words a voice may leave out or join before a reported one."""
_LETTERS_PER_S = 15
"""How fast voices speak, about: for a phrase that is still being made."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and the sample of its reply at which it is over."""

    text: str
    end_sample: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that is being made: the words without a time yet, and the sample from which on they are spoken."""

    words: tuple[str, ...]
    since: int

    def guess(self, rate_hz: int) -> list[SpokenWord]:
        """Where the words without a time will probably end."""
        letters = sum(len(word) + 1 for word in self.words)
        return _share(self.words, self.since, self.since + round(letters / _LETTERS_PER_S * rate_hz))

    def place(self, reported: str, end_sample: int) -> tuple["Phrase", list[SpokenWord]]:
        """The voice says that `reported` is over at `end_sample`: the words that are over with it."""
        wanted = _bare(reported)
        for index, word in enumerate(self.words[:_LOOK_AHEAD]):
            if wanted and _bare(word) == wanted:
                over, left = self.words[: index + 1], self.words[index + 1 :]
                return Phrase(left, end_sample), _share(over, self.since, end_sample)
        return self, []

    def finish(self, end_sample: int) -> list[SpokenWord]:
        """The phrase was made and ends at `end_sample`: the words that nothing was told of."""
        return _share(self.words, self.since, end_sample)


def begin(text: str, first_sample: int) -> Phrase:
    """`text` is spoken from `first_sample` on."""
    return Phrase(tuple(text.split()), first_sample)


def _share(words: tuple[str, ...], start: int, end: int) -> list[SpokenWord]:
    """The samples between the words, in proportion to their letters."""
    total = sum(len(word) + 1 for word in words)
    ends, letters = [], 0
    for word in words:
        letters += len(word) + 1
        ends.append(SpokenWord(word, start + round((end - start) * letters / total)))
    return ends


def _bare(word: str) -> str:
    return "".join(sign for sign in word.casefold() if sign.isalnum())
