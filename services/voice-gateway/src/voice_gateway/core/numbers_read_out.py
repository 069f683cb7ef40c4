"""Which digits and letters stand at the end of what was said, and how are they grouped?

"five five five", "555", "5 5 5" and "triple five" are three digits, "twenty-one" and "einundzwanzig" one group of two.
Whether that is a number under way is judged in `endings`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice_gateway.core.language import Language

_WRITTEN = re.compile(r"[+(]?\d[\d\-()+]*")
_CODE = re.compile(r"(?=.*\d)(?=.*[a-z])[a-z\d\-]+")
_SPELLED = re.compile(r"[^\W\d_](-[^\W\d_])*")
"""A letter, or several as in "b-r-o"."""
_YEARS = range(1800, 2100)


@dataclass(frozen=True, slots=True)
class Row:
    """Digits and letters in a row."""

    words: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    """How many digits each number has that was said or written, in their order."""
    letters: int = 0
    codes: int = 0
    """Words of letters and digits: "ab12"."""
    is_amount: bool = False
    """A year, a round number, or one with a word like "hundred": nobody reads it digit by digit."""
    is_written: bool = False
    """The recogniser wrote it in digits."""

    @property
    def digits(self) -> int:
        """All of them."""
        return sum(self.groups)


def row_at_the_end(words: Sequence[str], language: Language) -> Row:
    """The row with which these bare words end; an empty one where they end with something else."""
    first = len(words)
    while first > 0 and (_is_part(words[first - 1], language) or _joins(words, first - 1, language)):
        first -= 1
    # "a", "i" and "y" are letters and words: at the beginning of a row they are words.
    while first < len(words) and words[first] in language.connectives | language.link_words | language.spelling_words:
        first += 1
    row = tuple(words[first:])
    return Row(
        words=row,
        groups=tuple(_groups(row, language)),
        letters=sum(
            len(word.replace("-", ""))
            for n, word in enumerate(row)
            if _is_letters(word, language) and not _joins(row, n, language)
        ),
        codes=sum(bool(_CODE.fullmatch(word)) for word in row),
        is_amount=any(word in language.scales for word in row) or _is_round_or_year(row),
        is_written=any(_WRITTEN.fullmatch(word) for word in row),
    )


def _groups(row: Sequence[str], language: Language) -> Iterator[int]:
    """Example: "double five twenty one 555-12" has groups of 1, 1, 2, 3 and 2 digits."""
    before = ""
    for word in row:
        if word in language.connectives:
            continue  # treinta "y" cinco
        if word in language.digit_words and before not in language.tens:
            yield 1
            if before in language.repeats:
                yield 1
        elif _is_below_hundred(word, language):
            yield 2
        elif _WRITTEN.fullmatch(word):
            yield from (len(digits) for digits in re.findall(r"\d+", word))
        elif "-" in word:
            yield from _groups(word.split("-"), language)
        before = word


def _is_part(word: str, language: Language) -> bool:
    if word in language.repeats | language.scales | language.spelling_words or _is_letters(word, language):
        return True
    if "-" in word and not _WRITTEN.fullmatch(word):
        parts = [part for part in word.split("-") if part]
        return bool(_CODE.fullmatch(word)) or (bool(parts) and all(_is_number(part, language) for part in parts))
    return _is_number(word, language) or bool(_CODE.fullmatch(word))


def _is_number(word: str, language: Language) -> bool:
    return word in language.digit_words or _is_below_hundred(word, language) or bool(_WRITTEN.fullmatch(word))


def _is_below_hundred(word: str, language: Language) -> bool:
    """Of two digits; einundzwanzig is one word."""
    joined = (ten for ten in language.tens if word.endswith(f"und{ten}"))
    return word in language.number_words or word in language.tens or any(joined)


def _is_letters(word: str, language: Language) -> bool:
    return bool(_SPELLED.fullmatch(word)) and word not in language.digit_words


def _joins(words: Sequence[str], n: int, language: Language) -> bool:
    """treinta "y" cinco, two hundred "and" five."""
    between = 0 < n < len(words) - 1 and words[n] in language.connectives
    return between and words[n - 1] in language.tens | language.scales and _is_number(words[n + 1], language)


def _is_round_or_year(row: Sequence[str]) -> bool:
    if len(row) != 1 or not row[0].isdecimal():
        return False
    return row[0].endswith("00") or (len(row[0]) == 4 and int(row[0]) in _YEARS)
