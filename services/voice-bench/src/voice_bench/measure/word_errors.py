"""How many words are wrong? Compared as they are spoken, however they are written: "Mr. Ten" is "mister 10"."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import jiwer

_BETWEEN_DIGITS = re.compile(r"(?<=\d) (?=\d)")
_ONE = re.compile(r"\bone\b")


@dataclass(frozen=True, slots=True)
class Errors:
    """Wrong words of many texts together."""

    words: int
    """That were said."""
    wrong: int
    """Other words, missing ones, and words that nobody said."""

    @property
    def rate(self) -> float | None:
        """Pooled word error rate; None where no word was said."""
        return self.wrong / self.words if self.words else None

    @property
    def percent(self) -> float | None:
        """The rate in percent."""
        return 100 * self.wrong / self.words if self.words else None


def spoken_words(text: str, language: str = "en-US") -> list[str]:
    """What a word error rate compares. Lower case, without punctuation; in English also one way of writing numbers
    ("five five" is 55), titles, contractions and spellings."""
    if not language.lower().startswith("en"):
        return re.sub(r"[^\w' ]+", " ", text.lower()).split()
    normal = _ONE.sub("1", _english()(text))
    # The normaliser joins digits that are said as words, but not "5, 5"; and it leaves "one" alone.
    words = _BETWEEN_DIGITS.sub("", normal).split()
    return [word for word in words if any(letter.isalnum() for letter in word)]


def errors(pairs: Sequence[tuple[str, str]], language: str = "en-US") -> Errors:
    """(said, heard) pairs, pooled. Where nothing was said every word is wrong."""
    said, heard = ([" ".join(spoken_words(pair[side], language)) for pair in pairs] for side in (0, 1))
    output = jiwer.process_words(said, heard)
    wrong = output.substitutions + output.deletions + output.insertions
    return Errors(output.hits + output.substitutions + output.deletions, wrong)


@cache
def _english() -> Callable[[str], str]:
    with warnings.catch_warnings():
        # Python complains of a backslash in one of its docstrings, once, when it compiles the file.
        warnings.simplefilter("ignore")
        from whisper_normalizer.english import EnglishTextNormalizer
    normalizer: Callable[[str], str] = EnglishTextNormalizer()
    return normalizer
