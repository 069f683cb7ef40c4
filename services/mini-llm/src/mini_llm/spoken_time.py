"""How are a time and a date said?"""

from datetime import date, datetime

from mini_llm.numbers import number_words, ordinal_words

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST_HALF = ("January", "February", "March", "April", "May", "June")
_SECOND_HALF = ("July", "August", "September", "October", "November", "December")
_MONTHS = _FIRST_HALF + _SECOND_HALF


def time_words(moment: datetime) -> str:
    """15:05 -> "three oh five in the afternoon"."""
    hour = number_words((moment.hour - 1) % 12 + 1)
    oh = "oh " if moment.minute < 10 else ""
    minutes = f"{oh}{number_words(moment.minute)}" if moment.minute else "o'clock"
    return f"{hour} {minutes} {_part_of_day(moment.hour)}"


def date_words(day: date) -> str:
    """2026-03-03 -> "Tuesday, the third of March"."""
    return f"{_WEEKDAYS[day.weekday()]}, the {ordinal_words(day.day)} of {month_words(day)}"


def month_words(day: date) -> str:
    """The month's name."""
    return _MONTHS[day.month - 1]


def year_words(year: int) -> str:
    """2026 -> "twenty twenty six", 2005 -> "two thousand five", 1900 -> "nineteen hundred"."""
    century, rest = divmod(year, 100)
    if year < 1000 or (century % 10 == 0 and rest < 10):
        return number_words(year)
    if rest == 0:
        return f"{number_words(century)} hundred"
    return f"{number_words(century)} {'oh ' if rest < 10 else ''}{number_words(rest)}"


def _part_of_day(hour: int) -> str:
    if hour < 5 or hour >= 22:
        return "at night"
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening"
