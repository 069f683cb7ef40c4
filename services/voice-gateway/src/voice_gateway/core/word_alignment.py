"""When is each word of a phrase over? Word times that a voice tells are laid on the words that were sent.

Voices tell the words their own way: without punctuation, two as one ("there was"), numbers in parts, or not at all.
The history must hold the words that were written, so each reported word is looked for among the next ones that the
voice was given; those passed over ended before it, in proportion to their letters. What is not told is guessed.
A written word that is spoken as several ("$5", "five dollars") is over with the last of them.
"""

from dataclasses import dataclass

from voice_gateway.core.speakable.phrase import SpeakablePhrase, Word

_LOOK_AHEAD = 6
"""Words a voice may leave out or join before a reported one."""
_LETTERS_PER_S = 15
"""How fast voices speak, about: for a phrase that is still being made."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A written word and the sample of its reply at which it is over."""

    text: str
    end_sample: int


@dataclass(frozen=True, slots=True)
class PhraseAlignment:
    """A phrase that is being made: the words without a time yet, and the sample from which on they are spoken."""

    words: tuple[Word, ...]
    """What is written is "" where a written word goes on after this spoken one."""
    since: int

    def guess(self, rate_hz: int) -> list[TimedWord]:
        """Where the words without a time will probably end."""
        letters = sum(len(word.spoken) + 1 for word in self.words)
        return _share(self.words, self.since, self.since + round(letters / _LETTERS_PER_S * rate_hz))

    def place(self, reported: str, end_sample: int) -> tuple["PhraseAlignment", list[TimedWord]]:
        """The voice says that `reported` is over at `end_sample`: the words that are over with it.

        Example: of "Well, there was one", spoken from sample 0 on, the voice tells "there" at 800. "Well," was passed
        over: with 6 of the 12 letters and spaces it ended at 400."""
        wanted = _bare(reported)
        for index, word in enumerate(self.words[:_LOOK_AHEAD]):
            if wanted and _bare(word.spoken) == wanted:
                over, left = self.words[: index + 1], self.words[index + 1 :]
                return PhraseAlignment(left, end_sample), _share(over, self.since, end_sample)
        return self, []

    def finish(self, end_sample: int) -> list[TimedWord]:
        """The phrase was made and ends at `end_sample`: the words that nothing was told of."""
        return _share(self.words, self.since, end_sample)


def align(phrase: SpeakablePhrase, first_sample: int) -> PhraseAlignment:
    """`phrase` is spoken from `first_sample` on."""
    words: list[Word] = []
    for word in phrase.words:
        *before, last = word.spoken.split() or [""]
        words += [*(Word("", part) for part in before), Word(word.written, last)]
    return PhraseAlignment(tuple(words), first_sample)


def _share(words: tuple[Word, ...], start: int, end: int) -> list[TimedWord]:
    """The samples between the words, in proportion to their letters."""
    total = sum(len(word.spoken) + 1 for word in words)
    ends, letters = [], 0
    for word in words:
        letters += len(word.spoken) + 1
        if word.written:
            ends.append(TimedWord(word.written, start + round((end - start) * letters / total)))
    return ends


def _bare(word: str) -> str:
    return "".join(sign for sign in word.casefold() if sign.isalnum())
