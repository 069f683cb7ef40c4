"""Is this transcript the reply itself, out of the caller's loudspeaker? It is compared with the words just played.

A recogniser hears an echo badly: it leaves words out, mistakes some, and writes numbers its own way. A caller who
repeats some of the words says others, too: before them, after them, or more than the odd one between.
"""

from difflib import SequenceMatcher, get_close_matches
from itertools import pairwise

from voice_gateway.core.bare_words import bare_words
from voice_gateway.core.number_words import said_as

BEFORE_S = 1.0
"""What was heard for so long before speech began may be the beginning of its echo: the way to the caller and back, and
sound that the detector missed."""
_ALIKE = 0.75
"""Words so similar (difflib's ratio) are one and the same, misheard: "you're", "your"."""
_LONG_WORD = 4
_FEWEST = 4
"""Of so many words one may be the caller's, of twice as many two."""
_OWN_RUN = 2
"""So many words in a row that were not played are the caller's own."""
_LONGEST = 80
_NUMBER = "#"


def is_echo(heard: str, played: str, numbers: frozenset[str] = frozenset(), *, final: bool, language: str = "") -> bool:
    """Whether `heard` is only what was `played`; `numbers` are number words of `language`. A partial's last word may
    be unfinished.

    Example: after "Your table is booked for two, at 8." these are its echo: "table is", "your table was booked",
    "for two at eight". These are not: "table for three please", "for two at nine", "no not at eight", "stop"."""
    words, source = _words(heard, numbers), _words(played, numbers)
    if not words or not source:
        return False
    words = _as_played(words, source, language, unfinished=not final)
    blocks = SequenceMatcher(None, words, source, autojunk=False).get_matching_blocks()[:-1]
    matched = {at for block in blocks for at in range(block.a, block.a + block.size)}
    if not blocks or any(word[0] == _NUMBER for at, word in enumerate(words) if at not in matched):
        return False  # another number is the caller's own: "a table for three", after "for two"
    own = _own_runs([(block.a, block.a + block.size) for block in blocks], len(words))
    span = blocks[-1].b + blocks[-1].size - blocks[0].b
    return max(own, default=0) < _OWN_RUN and sum(own) <= len(words) // _FEWEST and span <= 2 * len(words) + 1


def _words(text: str, numbers: frozenset[str]) -> list[str]:
    """Numbers are marked, those in digits twice."""
    words = bare_words(text)[-_LONGEST:]
    return [_NUMBER * (2 if any(map(str.isdigit, word)) else word in numbers) + word for word in words]


def _as_played(words: list[str], source: list[str], language: str, *, unfinished: bool) -> list[str]:
    """What was heard, in the words that were played where they can be meant."""
    found: list[str] = []
    for at, word in enumerate(words):
        if word in source:
            meant = word
        elif word[0] == _NUMBER:
            meant = _other_number(word, found, source, language)
        else:
            meant = _alike(word, source, unfinished=unfinished and at == len(words) - 1)
        if not (found and meant == found[-1] and meant[0] == _NUMBER):  # "twenty five" for "25"
            found.append(meant)
    return found


def _other_number(word: str, before: list[str], source: list[str], language: str) -> str:
    """The number after the same word that is in digits where this one is in words, or the reverse: at eight, at 8."""
    others = [one for one in source if one[0] == _NUMBER and _may_be(one, word, language)]
    if before and before[-1] in others:
        return before[-1]
    return next((one for left, one in pairwise(source) if before[-1:] == [left] and one in others), word)


def _may_be(one: str, other: str, language: str) -> bool:
    """Whether two numbers may be the same, one in digits and the other in words. Where the language says no numbers,
    any may be."""
    if _is_digits(one) == _is_digits(other):
        return False
    digits, word = (one, other) if _is_digits(one) else (other, one)
    known = said_as(digits.lstrip(_NUMBER), language)
    return known is None or word.lstrip(_NUMBER) in known


def _is_digits(number: str) -> bool:
    return number.startswith(_NUMBER * 2)


def _alike(word: str, source: list[str], *, unfinished: bool) -> str:
    if unfinished and (whole := next((one for one in source if one.lstrip(_NUMBER).startswith(word)), "")):
        return whole
    alike = get_close_matches(word, source, 1, _ALIKE) if len(word) >= _LONG_WORD else []
    return alike[0] if alike else word


def _own_runs(matched: list[tuple[int, int]], count: int) -> list[int]:
    """How many words in a row lie before, between and after those that match."""
    ends = [0, *(end for _, end in matched)]
    begins = [*(begin for begin, _ in matched), count]
    return [begin - end for begin, end in zip(begins, ends, strict=True) if begin > end]
