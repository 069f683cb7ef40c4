"""How does what was said so far end? Complete, in the midst of a sentence, or in the midst of what is read out.

A silence means less than the words before it: "and" is followed by more, "five five five" by more digits, "yes." by
nothing. The words of the whole turn are judged, because recognisers cut it into finals and put a sign after each:
"My number is." "Five, five, five." So what is read out counts more than a sentence sign, and a word like "and", too.
"""

import re
from dataclasses import dataclass

from voice_gateway.core.language import Language
from voice_gateway.core.numbers_read_out import Row, row_at_the_end
from voice_gateway.core.turn_types import Ending

_TAIL_CHARS = 400
"""All that is looked at: a number, and the words before it that say so."""
_QUESTION = "?"
_ENDS, _GOES_ON = f".!।॥{_QUESTION}", ",;:-\u2013\u2014…"
_CLOSERS, _OPENERS = "\"'”\u2019»)]", "\"'“\u2018«([¿¡"
_LONGEST_ADDRESS_WORDS, _LONGEST_PHRASE_WORDS = 10, 4
_ADDRESS = re.compile(r"\S*@[^\s@]+\.[a-z]{2,}", re.IGNORECASE)
_CARD_DIGITS = 16


@dataclass(frozen=True, slots=True)
class _Tail:
    """The last words of a turn, bare, and the sign after them."""

    words: tuple[str, ...]
    sign: str

    def ends_with(self, phrases: frozenset[str], before: int = 0) -> bool:
        """Whether one of the phrases stands right before the last `before` words."""
        words = self.words[: len(self.words) - before]
        return any(" ".join(words[-n:]) in phrases for n in range(1, min(_LONGEST_PHRASE_WORDS, len(words)) + 1))

    def after(self, phrases: frozenset[str]) -> tuple[str, ...] | None:
        """The words after the last of the phrases; None = there is none."""
        found = next((n for n in range(len(self.words)) if self.ends_with(phrases, n)), None)
        return None if found is None else self.words[len(self.words) - found :]


def ending(text: str, language: Language) -> Ending:
    """How a turn with these words ends, as far as words tell.

    Examples: "book a table." COMPLETE, "book a table" UNKNOWN (many recognisers write no signs), "book a table and."
    INCOMPLETE, "my number is five five five." READING_OUT, "yes" ANSWER."""
    tail = _tail(text[-_TAIL_CHARS:], language)
    if not tail.words:
        return Ending.UNKNOWN
    goes_on = bool(tail.sign) and tail.sign in _GOES_ON
    if " ".join(tail.words) in language.answers and not goes_on:
        return Ending.ANSWER
    if tail.sign != _QUESTION and _is_read_out(tail, language):
        return Ending.READING_OUT
    if goes_on or tail.ends_with(language.fillers):
        return Ending.INCOMPLETE
    if tail.sign != _QUESTION and tail.ends_with(language.connectives):
        return Ending.INCOMPLETE
    if tail.sign:
        return Ending.COMPLETE
    return Ending.INCOMPLETE if tail.ends_with(language.link_words) else Ending.UNKNOWN


def _tail(text: str, language: Language) -> _Tail:
    """Without the fillers that stand before the last word."""
    stripped = text.rstrip().rstrip(_CLOSERS)
    sign = "…" if stripped.endswith("..") else stripped[-1:] if stripped[-1:] in tuple(_ENDS + _GOES_ON) else ""
    words = [bare for word in text.split() if (bare := _bare(word))]
    return _Tail(tuple(word for word in words[:-1] if word not in language.fillers) + tuple(words[-1:]), sign)


def _bare(word: str) -> str:
    return word.casefold().strip(_ENDS + _GOES_ON + _CLOSERS + _OPENERS)


def _is_read_out(tail: _Tail, language: Language) -> bool:
    """Whether a number, a word that is spelled, or an address is under way."""
    words = tail.words
    between_parts = language.repeats | language.dot_words | language.spelling_words | language.at_words
    if words[-1] in between_parts - language.link_words:
        return len(words) == 1 or words[-2] not in language.connectives  # "a dash", "the dot"
    row = row_at_the_end(words, language)
    return _is_explained(words, language) or _number_goes_on(tail, row, language) or _address_goes_on(tail, language)


def _is_explained(words: tuple[str, ...], language: Language) -> bool:
    """Whether a letter is explained last: "b as in", "b as in boy"."""
    sensible = language.connectives | language.link_words
    for before in (0, 1):
        for phrase in language.spelled_like:
            end = len(words) - before - len(phrase.split())
            if end > 0 and " ".join(words[end : len(words) - before]) == phrase:
                return len(words[end - 1]) == 1 and words[end - 1].isalpha() and words[end - 1] not in sensible
    return False


def _number_goes_on(tail: _Tail, row: Row, language: Language) -> bool:
    """Whether more digits or letters are to be expected.

    Examples: "five five" (digits, one by one), "555" alone, "my number is 555 1234" (7 of 10 digits), "4111 1111 1111"
    (12 of a card's 16), "b r o". Not so: "seven", "at nine thirty", "two hundred", "in 2024", "my number is 555 123
    4567"."""
    # Of one digit more than a telephone number has, it has a prefix; of more than that it is a card's.
    is_card = (len(row.groups) > 1 and set(row.groups) == {4}) or row.digits > language.number_digits + 1
    lacks_digits = row.digits < (_CARD_DIGITS if is_card else language.number_digits)
    after_cue = tail.after(language.number_cues)
    if after_cue is not None and len(row.words) >= len(after_cue):
        return bool(row.letters or row.codes) or lacks_digits
    if row.letters or row.codes:
        return row.letters + row.codes + len(row.groups) > 1
    if row.is_amount or not lacks_digits:
        return False
    if len(row.groups) < 2:
        return row.is_written and row.digits >= 3 and row.words == tail.words
    return row.is_written or row.groups not in ((1, 2), (2, 2))  # "nine thirty", "nineteen ninety"


def _address_goes_on(tail: _Tail, language: Language) -> bool:
    """Whether an e-mail address lacks its end. Examples: "anna dot smith at example", "my email is anna", "anna@"."""
    after_cue = tail.after(language.address_cues)
    said = tail.words[-_LONGEST_ADDRESS_WORDS:] if after_cue is None else after_cue
    if len(said) > _LONGEST_ADDRESS_WORDS:
        return False
    if "@" in "".join(said[-2:]):
        return not _ADDRESS.search(" ".join(said))
    at = max((n for n, word in enumerate(said) if word in language.at_words), default=None)
    if at is None:
        return after_cue is not None
    dots = [n for n, word in enumerate(said) if word in language.dot_words]
    return not any(n > at for n in dots) and (after_cue is not None or (bool(dots) and len(said) - at <= 3))
