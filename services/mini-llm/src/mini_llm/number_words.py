"""How are a number, a time and a date said?"""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from num2words import num2words

LARGEST = 999_999_999_999
"""The largest number that is said."""


def number_words(number: Fraction | int) -> str:
    """7/2 -> "three point five", rounded to two decimals ("about" says so)."""
    rounded = round(Fraction(number), 2)
    about = "" if rounded == number else "about "
    minus = "minus " if rounded < 0 else ""  # num2words loses it before "zero point"
    size = abs(rounded)
    return about + minus + _words(int(size) if size.denominator == 1 else Decimal(int(size * 100)) / 100)


def time_words(moment: datetime) -> str:
    """15:05 -> "three oh five in the afternoon"."""
    hour = _words((moment.hour - 1) % 12 + 1)
    oh = "oh " if moment.minute < 10 else ""
    minutes = f"{oh}{_words(moment.minute)}" if moment.minute else "o'clock"
    return f"{hour} {minutes} {_part_of_day(moment.hour)}"


def date_words(day: date) -> str:
    """2026-03-03 -> "Tuesday, the third of March"."""
    return f"{day:%A}, the {_words(day.day, 'ordinal')} of {day:%B}"


def year_words(year: int) -> str:
    """2026 -> "twenty twenty six", 1907 -> "nineteen oh seven"."""
    return _words(year, "year")


def _words(number: int | Decimal, kind: str = "cardinal") -> str:
    said = str(num2words(number, lang="en", to=kind))
    return said.replace("-", " ").replace(",", "").replace(" and ", " ")


def _part_of_day(hour: int) -> str:
    if hour < 5 or hour >= 22:
        return "at night"
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening"
