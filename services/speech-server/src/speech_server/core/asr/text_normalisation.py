"""How should a transcript be written? With or without punctuation, numbers as digits, some words masked.

Words keep their times: "twenty five" becomes one word from the start of the first to the end of the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from text_to_num import Token, find_numbers

from speech_server.core.asr.asr_types import Hypothesis, Word

NUMBER_LANGUAGES = frozenset({"en", "fr", "es", "pt", "de", "nl", "it", "da"})
"""Languages whose number words can be read."""
_PUNCTUATION = '.,;:!?…¿¡"()[]{}«»“”„।'
_SMALLEST_NUMBER = 10
"""Smaller ones stand as words, as in most written English: "one more time" stays."""


@dataclass(frozen=True, slots=True)
class TextFormat:
    """What a caller wants, as far as it means a change to what the engine says."""

    plain: bool = False
    """Neither punctuation nor capitals."""
    digits_of: str = ""
    """Language (two letters) whose number words become digits; empty: none."""
    masked: frozenset[str] = frozenset()
    """Lower-case words that are written as their first letter and asterisks."""


def normalise_text(hypothesis: Hypothesis, wording: TextFormat) -> Hypothesis:
    """The hypothesis as it was asked for, alternatives included."""
    if wording == TextFormat():
        return hypothesis
    words = hypothesis.words or tuple(Word(token, 0.0, 0.0) for token in hypothesis.text.split())
    if wording.plain:
        words = tuple(replace(word, text=text) for word in words if (text := _plain(word.text)))
    if wording.digits_of:
        words = _with_digits(words, wording.digits_of)
    words = tuple(replace(word, text=_mask(word.text, wording.masked)) for word in words)
    return replace(
        hypothesis,
        text=" ".join(word.text for word in words),
        words=words if hypothesis.words else (),
        others=tuple(normalise_text(other, wording) for other in hypothesis.others),
    )


def masked_words(lines: Iterable[str]) -> frozenset[str]:
    """The words of a list, one a line; blank lines and comments (#) left out."""
    stripped = (line.strip().lower() for line in lines)
    return frozenset(line for line in stripped if line and not line.startswith("#"))


def _plain(text: str) -> str:
    return text.strip(_PUNCTUATION).lower()


def _mask(text: str, masked: frozenset[str]) -> str:
    bare = text.strip(_PUNCTUATION)
    if bare.lower() not in masked:
        return text
    return text.replace(bare, bare[0] + "*" * (len(bare) - 1))


class _NumberToken(Token):  # type: ignore[misc]  # text_to_num has no types
    """A word as the number finder sees it; a pause of a second separates two numbers."""

    def __init__(self, word: Word) -> None:
        self.word = word

    def text(self) -> str:
        return self.word.text.strip(_PUNCTUATION).lower()

    def nt_separated(self, previous: Token) -> bool:
        return isinstance(previous, _NumberToken) and self.word.start_s - previous.word.end_s > 1.0


def _with_digits(words: tuple[Word, ...], language: str) -> tuple[Word, ...]:
    tokens = [_NumberToken(word) for word in words]
    written = list(words)
    for found in reversed(list(find_numbers(tokens, language, threshold=_SMALLEST_NUMBER))):
        spoken = words[found.start : found.end]
        end = spoken[-1].text
        tail = end[len(end.rstrip(_PUNCTUATION)) :]
        number = Word(found.text + tail, spoken[0].start_s, spoken[-1].end_s, min(word.confidence for word in spoken))
        written[found.start : found.end] = [number]
    return tuple(written)
