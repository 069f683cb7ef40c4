"""How are amounts of money, units, dates, times and telephone numbers said in one language?"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberFormatError, format_decimal, get_currency_name, parse_decimal
from babel.units import format_unit
from num2words import num2words

from voice_gateway.core.speakable.signs import SIGNS

_Say: TypeAlias = Callable[["re.Match[str]"], str | None]
_Rule: TypeAlias = tuple[str, _Say]

_CURRENCIES = {
    "US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
    "USD": "USD", "EUR": "EUR", "GBP": "GBP", "JPY": "JPY", "INR": "INR", "CHF": "CHF",
}  # fmt: skip
_UNITS = {
    "km/h": "speed-kilometer-per-hour", "mph": "speed-mile-per-hour", "km": "length-kilometer",
    "cm": "length-centimeter", "mm": "length-millimeter", "m": "length-meter", "kg": "mass-kilogram",
    "mg": "mass-milligram", "g": "mass-gram", "lbs": "mass-pound", "lb": "mass-pound", "oz": "mass-ounce",
    "ft": "length-foot", "ml": "volume-milliliter", "l": "volume-liter", "°c": "temperature-celsius",
    "°f": "temperature-fahrenheit", "tb": "digital-terabyte", "gb": "digital-gigabyte", "mb": "digital-megabyte",
    "kwh": "energy-kilowatt-hour", "kw": "power-kilowatt", "%": "concentr-percent",
    "hrs": "duration-hour", "ms": "duration-millisecond",
}  # fmt: skip
_AS_SHORT_AS_A_WORD = ("m", "g", "l", "ms")
"""Units only after a space, in small letters."""
_NUMBER = r"(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:,\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
_PLAIN = re.compile(rf"(?<![\w.,:])-?{_NUMBER}(?![\w:])")
_SCALES = r"million|billion|trillion|thousand|millionen|milliarden|millones|millions|milliards|mio\.?|mrd\.?"
_NOUN_FIRST = ("es", "fr", "it", "pt", "ca", "gl", "ro")
_NOUN_LAST = ("en", "de", "nl", "sv", "da", "nb", "no")
_GERMAN_MONTHS = "Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"


class Amounts:
    """One language's, as far as its data goes."""

    def __init__(self, language: str) -> None:
        try:
            self._locale: Locale | None = Locale.parse(language.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            self._locale = None
        self._language = language.split("-")[0].casefold()
        self._month_first = language.casefold() == "en-us"

    def rules(self) -> dict[str, _Rule]:
        """What voices read wrongly."""
        if self._locale is None:
            return {}
        signs = "|".join(re.escape(sign) for sign in _CURRENCIES)
        units = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
        found: dict[str, _Rule] = {
            "iso_date": (r"\b(?P<iso_y>[12]\d{3})-(?P<iso_m>\d\d)-(?P<iso_d>\d\d)\b", self._iso_date),
            "phone": (
                r"(?<![\w.])(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?!\w)"
                r"|(?<![\w.-])\d{3}-\d{4}(?![\w-])|\+\d[\d ]{6,16}\d|(?<![\w.,])(?:0\d{6,14}|\d{10,15})(?![\w.,]\d)",
                self._phone,
            ),
            "money": (
                rf"(?P<sign>US\$|[$€£¥₹])\s?(?P<sum>{_NUMBER})(?P<scale>\s(?:{_SCALES}))?(?![\w%]|[-–]\d)", self._money
            ),
            "money_after": (
                rf"(?<![\w.,])(?P<sum_>{_NUMBER})(?P<scale_>\s(?:{_SCALES}))?\s?(?P<sign_>{signs})(?!\w)", self._money
            ),
            "quantity": (
                rf"(?<![\w.,])(?:(?P<least>\d+)\s?[-–]\s?)?(?P<count>-?{_NUMBER})(?P<gap>\s?)"
                rf"(?P<unit>{units})(?![\w/²³^])(?-i:\.(?=\s[a-z]))?",
                self._quantity,
            ),
        }  # fmt: skip
        return found | self._written_dates() | self._of_language()

    def number_rules(self) -> dict[str, _Rule]:
        """Every other number."""
        return {
            "clock": (r"(?<![\w:.])(?:[01]?\d|2[0-3]):[0-5]\d(?![\w:])", lambda match: match[0].replace(":", " ")),
            "ordinal": (r"\b(?P<rank>\d+)(?:st|nd|rd|th)\b", lambda match: self._in_words(match["rank"], "ordinal")),
            "plain": (_PLAIN.pattern, lambda match: match[0]),
        }

    def numbers_as_words(self, text: str) -> str:
        """`text` with every number in words, as far as there are any."""
        return _PLAIN.sub(lambda match: self._in_words(match[0], "cardinal") or match[0], text)

    def _written_dates(self) -> dict[str, _Rule]:
        sign = r"\." if self._language in ("de", "ru", "pl", "cs", "sk", "fi", "nb", "da", "tr", "uk") else "/"
        return {
            "written_date": (
                rf"(?<![\w/.])(?P<first>\d{{1,2}}){sign}(?P<second>\d{{1,2}}){sign}(?P<y>(?:19|20)\d\d)(?![\w/])",
                self._written_date,
            )
        }

    def _of_language(self) -> dict[str, _Rule]:
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

    def _number(self, text: str) -> Decimal | None:
        text = re.sub(r"\s", "", text)
        try:
            return parse_decimal(text, locale=self._locale, strict=True)
        except NumberFormatError:
            pass
        try:
            return Decimal(text.replace(",", "")) if re.fullmatch(r"\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+", text) else None
        except InvalidOperation:  # more digits than a Decimal takes
            return None

    def _money(self, match: "re.Match[str]") -> str | None:
        after = match["sign"] is None
        amount = match["sum_" if after else "sum"]
        scale = match["scale_" if after else "scale"] or ""
        code = _CURRENCIES[(match["sign_"] if after else match["sign"]).upper()]
        value = self._number(amount)
        if value is None:
            return None
        if not scale and value != value.to_integral_value():
            return self._with_cents(value, code)
        name = self._currency(code, 2 if scale else value)
        of = {"es": " de ", "fr": " de ", "it": " di ", "pt": " de "}.get(self._language, " ") if scale else " "
        return f"{amount}{scale}{of}{name}" if scale else f"{self._digits(value)} {name}"

    def _with_cents(self, value: Decimal, code: str) -> str | None:
        if value != round(value, 2) or value >= 10**9:
            return f"{self._digits(value)} {self._currency(code, value)}"
        try:
            joined = {"separator": " and"} if self._language == "en" else {}
            said = num2words(value, lang=self._language, to="currency", currency=code, **joined)
            return str(said).replace(",", "")
        except (NotImplementedError, KeyError, TypeError, ValueError):
            return f"{self._digits(value)} {self._currency(code, value)}"

    def _currency(self, code: str, count: Decimal | int) -> str:
        name = get_currency_name(code, count=count, locale=self._locale)
        if self._language in _NOUN_FIRST:
            return name.split()[0]
        return re.split(r"[ -]", name)[-1] if self._language in _NOUN_LAST else name

    def _digits(self, value: Decimal) -> str:
        return format_decimal(value, locale=self._locale, group_separator=False, decimal_quantization=False)

    def _quantity(self, match: "re.Match[str]") -> str | None:
        symbol = match["unit"]
        if symbol.casefold() in _AS_SHORT_AS_A_WORD and (symbol != symbol.casefold() or not match["gap"]):
            return None
        sign, digits = ("-", match["count"][1:]) if match["count"].startswith("-") else ("", match["count"])
        value = self._number(digits)
        if value is None:
            return None
        value = -value if sign else value
        least = ""
        if match["least"]:
            if (signs := SIGNS.get(self._language)) is None:
                return None
            least = f"{match['least']} {signs.to} "
        return least + format_unit(value, _UNITS[symbol.casefold()], length="long", locale=self._locale)

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

    def _in_words(self, text: str, kind: str) -> str | None:
        value = self._number(text.removeprefix("-"))
        if value is None or value >= 10**15:
            return None
        whole = int(value) if value == value.to_integral_value() else value
        try:
            return str(num2words(-whole if text.startswith("-") else whole, lang=self._language, to=kind))
        except (NotImplementedError, KeyError, TypeError, ValueError, OverflowError):
            return None

    def _phone(self, match: "re.Match[str]") -> str | None:
        groups = re.findall(r"\+|\d+", match[0])
        return ", ".join(" ".join(group) for group in groups).replace("+, ", "+")


def _heures(match: "re.Match[str]") -> str:
    return f"{match['h']} heures" + ("" if match["mm"] == "00" else f" {int(match['mm'])}")
