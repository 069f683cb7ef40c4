"""How is a number said, and which number did the words mean?"""

from fractions import Fraction

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_SMALL = _UNITS + _TEENS
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {
    word: 10 * value for value, word in enumerate(_TENS) if value > 1
}
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

LARGEST = 999_999_999_999
"""The largest number `number_words` can say."""


def number_words(number: int) -> str:
    """56 -> "fifty six". Raises ValueError beyond +-LARGEST."""
    if abs(number) > LARGEST:
        raise ValueError(f"numbers beyond {LARGEST} cannot be said")
    if number < 0:
        return f"minus {number_words(-number)}"
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return f"{_TENS[tens]} {_SMALL[rest]}" if rest else _TENS[tens]
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    count, rest = divmod(number, size)
    return f"{number_words(count)} {name}" + (f" {number_words(rest)}" if rest else "")


def fraction_words(number: Fraction) -> str:
    """7/2 -> "three point five", rounded to two decimals ("about" says so)."""
    rounded = round(number, 2)
    about = "" if rounded == number else "about "
    sign = "minus " if rounded < 0 else ""
    whole, hundredths = divmod(int(abs(rounded) * 100), 100)
    decimals = f"{hundredths:02}".rstrip("0")
    point = " point " + " ".join(_SMALL[int(digit)] for digit in decimals) if decimals else ""
    return f"{about}{sign}{number_words(whole)}{point}"


def ordinal_words(number: int) -> str:
    """21 -> "twenty first"."""
    *front, last = number_words(number).split()
    regular = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return " ".join([*front, _ORDINALS.get(last, regular)])


def digits_words(digits: str) -> str:
    """ "12" -> "twelve", "3.5" -> "three point five"; digits too many to be one number are said one by one."""
    whole, _, decimals = digits.partition(".")
    long = len(whole) > 12 or (len(whole) > 1 and whole.startswith("0"))
    said = " ".join(_SMALL[int(digit)] for digit in whole) if long else number_words(int(whole))
    return f"{said} point {' '.join(_SMALL[int(digit)] for digit in decimals)}" if decimals else said


def parse_number(words: str) -> Fraction | None:
    """ "a hundred and five" -> 105, "minus three point five" -> -7/2; None when the words are no number."""
    if words.startswith("minus "):
        positive = parse_number(words.removeprefix("minus "))
        return None if positive is None else -positive
    whole_words, point, decimal_words = words.partition(" point ")
    whole = _parse_whole(whole_words.split())
    if whole is None or not point:
        return whole
    digits = [_VALUES.get(word, 10) for word in decimal_words.split()]
    if not digits or max(digits) > 9:
        return None
    return whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits))


def _parse_whole(words: list[str]) -> Fraction | None:
    total, group, previous = 0, 0, 0
    scales = {name: size for size, name in _SCALES}
    counted = [word for word in words if word != "and"]
    if not counted:
        return None
    for position, word in enumerate(counted):
        if word == "a" and position + 1 < len(counted) and counted[position + 1] in scales:
            group, previous = 1, 1
        elif word == "hundred" and 0 < group < 100:
            group, previous = group * 100, 100
        elif word in scales and word != "hundred" and group:
            total, group, previous = total + group * scales[word], 0, 1_000
        elif word in _VALUES and _may_follow(_VALUES[word], previous):
            group, previous = group + _VALUES[word], _VALUES[word]
        else:
            return None
    return Fraction(total + group)


def _may_follow(value: int, previous: int) -> bool:
    """Is "<previous> <value>" the way people say one number: "twenty five", "hundred twenty", not "five six"?"""
    return previous in (0, 100, 1_000) or (20 <= previous < 100 and 0 < value < 10)
