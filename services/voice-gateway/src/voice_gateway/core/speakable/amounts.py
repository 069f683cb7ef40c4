"""How are amounts of money, quantities and telephone numbers said in one language?"""

import re
from decimal import Decimal, InvalidOperation

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberFormatError, format_decimal, get_currency_name, parse_decimal
from babel.units import format_unit
from num2words import num2words

from voice_gateway.core.speakable.dates import Dates, Rule

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


class Amounts:
    """One language's, as far as its data goes."""

    def __init__(self, language: str, to: str) -> None:
        self._to = to
        """What stands in a range; "" = ranges are left to the voice."""
        try:
            self._locale: Locale | None = Locale.parse(language.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            self._locale = None
        self._language = language.split("-")[0].casefold()

    def rules(self) -> dict[str, Rule]:
        """What voices read wrongly."""
        if self._locale is None:
            return {}
        signs = "|".join(re.escape(sign) for sign in _CURRENCIES)
        units = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
        found: dict[str, Rule] = {
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
        return Dates(self._locale).rules() | found

    def number_rules(self) -> dict[str, Rule]:
        """Every other number."""
        return {
            "clock": (r"(?<![\w:.])(?:[01]?\d|2[0-3]):[0-5]\d(?![\w:])", lambda match: match[0].replace(":", " ")),
            "ordinal": (r"\b(?P<rank>\d+)(?:st|nd|rd|th)\b", lambda match: self._in_words(match["rank"], "ordinal")),
            "plain": (_PLAIN.pattern, lambda match: match[0]),
        }

    def numbers_as_words(self, text: str) -> str:
        """`text` with every number in words, as far as there are any."""
        return _PLAIN.sub(lambda match: self._in_words(match[0], "cardinal") or match[0], text)

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
            if not self._to:
                return None
            least = f"{match['least']} {self._to} "
        return least + format_unit(value, _UNITS[symbol.casefold()], length="long", locale=self._locale)

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
