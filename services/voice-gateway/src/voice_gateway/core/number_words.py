"""With which words may a number be said? "25" with "twenty", "five" and "two", in the language that is spoken."""

from functools import lru_cache

from num2words import num2words

from voice_gateway.core.bare_words import bare_words

_KINDS = ("cardinal", "ordinal", "year")
_MOST_DIGITS = 12
_CACHED = 4096


@lru_cache(_CACHED)
def said_as(digits: str, language: str) -> frozenset[str] | None:
    """The bare words of a number that is written in digits, said whole, as an ordinal, as a year, or digit by digit;
    None = nobody knows them. `language` is a tag."""
    number = "".join(sign for sign in digits if sign.isdecimal())[:_MOST_DIGITS]
    if not number:
        return None
    found: set[str] = set()
    for value in {int(number), *map(int, number)}:
        for kind in _KINDS:
            try:
                found.update(bare_words(str(num2words(value, lang=language.partition("-")[0].casefold(), to=kind))))
            except (NotImplementedError, KeyError, TypeError, ValueError, OverflowError, IndexError, AttributeError):
                continue
    return frozenset(found) or None
