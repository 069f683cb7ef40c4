"""What is said otherwise than it is written? Addresses, signs, amounts, units, dates, times, telephone numbers.

Only what voices read wrongly: eSpeak NG says "dollar five", "five k m", and of "<" nothing. Names of currencies, units
and months with their plurals are Unicode's (Babel), numbers in words num2words'. What a language's data does not hold,
or what could be read two ways, is left to the voice.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from voice_gateway.core.language import SignNames

_ADDRESS = re.compile(r"[@/]|www\.", re.IGNORECASE)
_MAY_BEGIN = r"(?=[\d#*<>≤≥=^~×$€£¥₹(+-]|\s[*×=]|US\$|No\.|der\s)"
"""What any rule but those of addresses begins with."""
_AMERICAN_HASH = "pound"
_Say = Callable[["re.Match[str]"], str | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """Those of one language: a pattern whose named groups say which rule holds."""

    pattern: "re.Pattern[str]"
    quick: "re.Pattern[str]"
    """The same for phrases without an address, which looks at fewer places."""
    rules: dict[str, _Say]
    number: Callable[[str], str] | None
    """Writes the numbers in a text as words."""

    def find(self, phrase: str) -> Iterator["re.Match[str]"]:
        """Where something may be said otherwise."""
        return (self.pattern if _ADDRESS.search(phrase) else self.quick).finditer(phrase)

    def say(self, match: "re.Match[str]") -> str | None:
        """How it is said; None = as it is written."""
        name = next(name for name, text in match.groupdict().items() if text is not None and name in self.rules)
        said = self.rules[name](match)
        return said if said is None or self.number is None or name == "url" else self.number(said)


@lru_cache(64)
def rules(tag: str, names: SignNames | None, *, signs: bool, numbers: bool, words: bool) -> Rules:
    """The rules for a call's language, whose signs have these names; `words`: all numbers, too."""
    found: dict[str, tuple[str, _Say]] = {
        "url": (
            r"(?:https?|ftp)://(?:www\.)?(?P<host>[^\s/?#<>\"')\]]+)(?:[/?#][^\s<>\"]*?)?(?=[.,;:!?)\]\"'”»]*(?:\s|$))"
            r"|www\.(?P<www>[^\s/?#<>\"')\]]+?)(?:[/?#][^\s<>\"]*?)?(?=[.,;:!?)\]\"'”»]*(?:\s|$))",
            lambda match: match["host"] or match["www"],
        ),
        # No rule looks into an address.
        "address": (
            r"[\w.+-]+@[\w-]+\.[\w.-]+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*",
            _kept,
        ),
        "ip": (r"\b(?:\d{1,3}\.){3}\d{1,3}\b", _kept),
    }
    from voice_gateway.core.speakable.amounts import Amounts  # its libraries cost commands that serve nobody 0.15 s

    amounts = Amounts(tag, names.to if names else "")
    if numbers:
        found |= amounts.rules()
    if signs and names:
        found |= _sign_rules(names, _AMERICAN_HASH if tag.casefold() == "en-us" else names.hash, ranges=numbers)
    if words:
        found |= amounts.number_rules()
    number = amounts.numbers_as_words if words else None
    named = {name: f"(?P<{name}>{rule[0]})" for name, rule in found.items()}
    pattern = re.compile("|".join(named.values()), re.IGNORECASE)
    quick = "|".join(part for name, part in named.items() if name not in ("url", "address"))
    return Rules(
        pattern,
        re.compile(f"{_MAY_BEGIN}(?:{quick})", re.IGNORECASE),
        {name: rule[1] for name, rule in found.items()},
        number,
    )


def _kept(match: "re.Match[str]") -> None:
    return None


def _sign_rules(table: SignNames, hash_sign: str, *, ranges: bool) -> dict[str, tuple[str, _Say]]:
    """A sign beside a word parts from it, so that both are heard."""
    said: dict[str, tuple[str, str]] = {
        "sharp": (r"(?<=\b[A-GJ])#", f" {table.sharp} "),
        "number": (r"(?<![\w#*])#(?=\d+\b(?![#*]))", f"{table.number} "),
        "hash": (r"(?<![^\W\d_])#(?![^\W\d_])", f" {hash_sign} "),
        "star_power": (r"(?<=[\w)])\*\*(?=[\w(])", f" {table.power} "),
        "times": (
            r"(?<=[\d)]\s)[*×](?=\s[\d(])|(?<=[\w)])[*×](?=[\w(])|(?<=\b[a-z]\s)[*×](?=\s[a-z]\b)",
            f" {table.times} ",
        ),
        "star": (r"(?<!\*)\*(?!\*)", f" {table.star} "),
        "stars": (r"\*{2,}", " "),
        "at_most": (r"(?<![<=])(?:<=|≤)(?=\s?[\w$€£-])", f" {table.at_most} "),
        "at_least": (r"(?<![>=-])(?:>=|≥)(?=\s?[\w$€£-])", f" {table.at_least} "),
        "less_is": (r"(?<=[\w)]\s)<(?=\s[\w(-])", f" {table.less_is} "),
        "greater_is": (r"(?<=[\w)]\s)>(?=\s[\w(-])", f" {table.greater_is} "),
        "less": (r"(?<![<=-])<(?=\s?[\d$€£])", f" {table.less} "),
        "greater": (r"(?<![>=-])>(?=\s?[\d$€£])", f" {table.greater} "),
        "equals": (r"(?<=[\w)%])\s?=(?=\s?[\w(?$€£-])", f" {table.equals} "),
        "power": (r"(?<=[\w)])\^(?=[\w(-])", f" {table.power} "),
        "about": (r"(?<![\w~/])~(?=\s?[\d$€£])", f" {table.about} "),
    }
    found: dict[str, tuple[str, _Say]] = {
        name: (rule, _constant(words)) for name, (rule, words) in said.items() if words.strip() or name == "stars"
    }
    if ranges and table.to:
        found["range"] = (r"(?<![\w.,:/-])(?P<low>\d{1,3})[-–](?P<high>\d{1,3})(?![\w/:-])", _range(table.to))
    return found


def _constant(words: str) -> _Say:
    return lambda _: words


def _range(to: str) -> _Say:
    def say(match: "re.Match[str]") -> str | None:
        low, high = match["low"], match["high"]
        return f"{low} {to} {high}" if int(low) < int(high) else None

    return say
