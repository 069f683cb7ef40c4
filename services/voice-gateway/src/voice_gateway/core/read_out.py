"""Is something read out: a number, a word that is spelled, an e-mail or street address? Then more of it is to come.

It is judged by the words alone, whatever signs a recogniser puts between its parts. What errs here costs a second of
waiting, or an answer into a number.
"""

import re
from dataclasses import dataclass
from itertools import accumulate

from voice_gateway.core.language import Language
from voice_gateway.core.numbers_read_out import Row, row_at_the_end

LONGEST_PHRASE_WORDS = 4
_LONGEST_ADDRESS_WORDS = 10
_LONGEST_TOWN_WORDS = 8
"""So many words may follow the house number: "oak street apartment four springfield illinois"."""
_LONGEST_STREET_WORDS = 4
"""So many may stand before it."""
_ADDRESS = re.compile(r"\S*@[^\s@]+\.[a-z]{2,}", re.IGNORECASE)
_CARD_DIGITS = 16


@dataclass(frozen=True, slots=True)
class LastWords:
    """The last words of a turn, bare."""

    words: tuple[str, ...]

    def ends_with(self, phrases: frozenset[str], before: int = 0) -> bool:
        """Whether one of the phrases stands right before the last `before` words."""
        return self._phrase_before(phrases, len(self.words) - before) > 0

    def _phrase_before(self, phrases: frozenset[str], end: int) -> int:
        """How many words before `end` are one of the phrases; 0 = none is."""
        most = min(LONGEST_PHRASE_WORDS, end)
        return next((n for n in range(most, 0, -1) if " ".join(self.words[end - n : end]) in phrases), 0)

    def after(self, phrases: frozenset[str]) -> tuple[str, ...] | None:
        """The words after the last of the phrases; None = there is none."""
        found = next((n for n in range(len(self.words)) if self.ends_with(phrases, n)), None)
        return None if found is None else self.words[len(self.words) - found :]

    def without(self, count: int, phrases: frozenset[str]) -> "LastWords | None":
        """What stands before the last `count` words and the phrases before those; None = no phrase stands there."""
        end = len(self.words) - count
        while n := self._phrase_before(phrases, end):
            end -= n
        return LastWords(self.words[:end]) if end < len(self.words) - count else None


def is_read_out(tail: LastWords, language: Language) -> bool:
    """Whether a number, a word that is spelled, or an address is under way."""
    words = tail.words
    between_parts = language.repeats | language.dot_words | language.spelling_words | language.at_words
    if words[-1] in between_parts - language.link_words:
        return len(words) == 1 or words[-2] not in language.connectives  # "a dash", "the dot"
    row = row_at_the_end(words, language)
    if _has_postal_code(tail, row, language):
        return False
    return (
        _is_explained(words, language)
        or _number_goes_on(tail, row, language)
        or _email_goes_on(tail, language)
        or _street_goes_on(tail, language)
    )


def _is_explained(words: tuple[str, ...], language: Language) -> bool:
    """Whether a letter is explained last: "b as in", "b as in boy"."""
    sensible = language.connectives | language.link_words
    for before in (0, 1):
        for phrase in language.spelled_like:
            end = len(words) - before - len(phrase.split())
            if end > 0 and " ".join(words[end : len(words) - before]) == phrase:
                return len(words[end - 1]) == 1 and words[end - 1].isalpha() and words[end - 1] not in sensible
    return False


def _number_goes_on(tail: LastWords, row: Row, language: Language) -> bool:
    """Whether more digits or letters are to be expected.

    Examples: "five five" (digits, one by one), "555" alone, "my number is 555 1234" (7 of 10 digits), "4111 1111 1111"
    (12 of a card's 16), "b r o", "555, no", "555, no, 556". Not so: "seven", "at nine thirty", "two hundred", "in
    2024", "my number is 555 123 4567"."""
    earlier = tail.without(len(row.words), language.corrections)
    if earlier is not None and earlier.words:
        before = row_at_the_end(earlier.words, language)
        if _number_goes_on(earlier, before, language) or (before.digits >= language.number_digits and not row.words):
            return not (row.words and _is_whole(before, row, language))
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


def _is_whole(before: Row, row: Row, language: Language) -> bool:
    """Whether a number is whole whose end was said again. Example: after "555 123, no, 124 4567" it may be 555 124
    4567: the groups before the one that was wrong count."""
    return any(kept + row.digits == language.number_digits for kept in accumulate(before.groups, initial=0))


def _has_postal_code(tail: LastWords, row: Row, language: Language) -> bool:
    """Whether a postal code ends what was said, as one or as the end of an address: "my zip is 94110", "I live at 12
    Oak Street, Springfield, 62704"."""
    digits = language.postal_digits
    after = tail.after(language.postal_cues)
    if after is not None and len(row.words) == len(after):
        return row.digits >= digits > 0
    after = tail.after(language.street_cues)
    if after is None or not digits:
        return False
    return (row.digits == digits and len(row.words) < len(after)) or any(
        word.isdecimal() and len(word) == digits for word in after[1:]
    )


def _email_goes_on(tail: LastWords, language: Language) -> bool:
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
    if any(word in language.dot_words for word in said[at + 1 :]):
        return False
    parts = language.dot_words | language.spelling_words
    is_address = said[at] not in language.link_words or any(word in parts for word in said[:at])
    return after_cue is not None or (is_address and at > 0 and len(said) - at <= 3)


def _street_goes_on(tail: LastWords, language: Language) -> bool:
    """Whether a street address lacks its end, which is its postal code. Examples: "my address is", "I live at 12", "I
    live at 12 Oak Street"; not so "I live at 12 Oak Street and I would like to order a pizza"."""
    after = tail.after(language.street_cues)
    if after is None:
        return False
    number = next((n for n in range(len(after)) if row_at_the_end(after[: n + 1], language).digits), None)
    if number is None:
        return len(after) <= _LONGEST_STREET_WORDS
    return len(after) - 1 - number <= _LONGEST_TOWN_WORDS
