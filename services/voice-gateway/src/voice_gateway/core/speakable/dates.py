"""How are dates and times said in one language?"""

import re
from collections.abc import Callable
from datetime import date
from typing import TypeAlias

from babel import Locale
from babel.dates import format_date
from num2words import num2words

Say: TypeAlias = Callable[["re.Match[str]"], str | None]
Rule: TypeAlias = tuple[str, Say]
"""A pattern and how what it finds is said; None = as it is written."""

_GERMAN_MONTHS = "Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"


class Dates:
    """One language's."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self._language = locale.language
        self._month_first = str(locale) == "en_US"

    def rules(self) -> dict[str, Rule]:
        """What voices read wrongly."""
        found: dict[str, Rule] = {
            "iso_date": (r"\b(?P<iso_y>[12]\d{3})-(?P<iso_m>\d\d)-(?P<iso_d>\d\d)\b", self._iso_date),
        }
        return found | self._written() | self._of_language()

    def _written(self) -> dict[str, Rule]:
        sign = r"\." if self._language in ("de", "ru", "pl", "cs", "sk", "fi", "nb", "da", "tr", "uk") else "/"
        return {
            "written_date": (
                rf"(?<![\w/.])(?P<first>\d{{1,2}}){sign}(?P<second>\d{{1,2}}){sign}(?P<y>(?:19|20)\d\d)(?![\w/])",
                self._written_date,
            )
        }

    def _of_language(self) -> dict[str, Rule]:
        if self._language == "en":
            return {
                "number_sign": (r"\b(?-i:No)\.\s(?=\d)", lambda _: "number "),
                "hour": (r"\b(?P<h>1?\d|2[0-3]):00(?=\s?[ap]\.?m\b)", lambda match: match["h"]),
                "o_clock": (r"\b(?P<o>[1-9]|1[0-2]):00\b(?!:)", lambda match: f"{match['o']} o'clock"),
                "oh": (r"\b(?P<hh>1?\d|2[0-3]):0(?P<mm>[1-9])\b(?!:)", lambda match: f"{match['hh']} oh {match['mm']}"),
            }
        if self._language == "de":
            return {
                "day": (rf"(?P<article>\bder\s)?\b(?P<n>[1-9]|[12]\d|3[01])\.\s(?=(?:{_GERMAN_MONTHS})\b)", self._day)
            }
        if self._language == "fr":
            return {"heure": (r"\b(?P<h>1?\d|2[0-3])\s?h\s?(?P<mm>[0-5]\d)\b", _heures)}
        return {}

    def _iso_date(self, match: "re.Match[str]") -> str | None:
        return self._date(int(match["iso_y"]), int(match["iso_m"]), int(match["iso_d"]))

    def _written_date(self, match: "re.Match[str]") -> str | None:
        first, second = int(match["first"]), int(match["second"])
        day, month = (second, first) if self._month_first else (first, second)
        return self._date(int(match["y"]), month, day)

    def _date(self, year: int, month: int, day: int) -> str | None:
        try:
            said = format_date(date(year, month, day), "long", locale=self._locale)
        except ValueError:  # there is no such day
            return None
        return f"{self._ordinal(day)}n {said.partition(' ')[2]}" if self._language == "de" else said

    def _day(self, match: "re.Match[str]") -> str | None:
        article = match["article"] or ""
        return f"{article}{self._ordinal(int(match['n']))}{'' if article else 'n'} "

    def _ordinal(self, number: int) -> str:
        return str(num2words(number, lang=self._language, to="ordinal"))


def _heures(match: "re.Match[str]") -> str:
    return f"{match['h']} heures" + ("" if match["mm"] == "00" else f" {int(match['mm'])}")
