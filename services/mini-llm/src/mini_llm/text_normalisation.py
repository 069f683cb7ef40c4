"""How is a sentence written so that patterns match it? One spelling for what people type and what recognisers write."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from text_to_num import alpha2digit

LONGEST_TEXT = 2_000
"""Characters that are looked at."""
LONGEST_WORDS = 60
"""Words of one sentence that are looked at; nobody says more in one breath, and matching stays quick."""

NUMBER = r"(?:minus )?\d+(?:\.\d+)?"
_SIGN = "plus|minus|times|multiplied by|divided by"
OPERATION = f"(?:{_SIGN}|over|percent of)"

_Rewriting = tuple[str, str | Callable[[re.Match[str]], str]]


def _by(table: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda found: table[found[1].lower()]


_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_SCALE = f"({'|'.join(_SCALES)})"


def _scaled(found: re.Match[str]) -> str:
    return f"{(Decimal(found[1]) * _SCALES[found[2].lower()]).normalize():f}"


_BEFORE_NUMBERS: tuple[_Rewriting, ...] = (
    ("[\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}]", "'"),
    ("\N{MINUS SIGN}", "-"),
    (r"(?<=\d),(?=\d{3}(?!\d))|[$€£](?=\d)", ""),
    (rf"(?i)\ba (?={_SCALE}\b)", "one "),
    (rf"(?i)(\d+(?:\.\d+)?) {_SCALE}\b", _scaled),
)
_BETWEEN = {"x": " times ", "*": " times ", "/": " divided by ", "-": " minus "}
_SIGNS: tuple[_Rewriting, ...] = (
    (r"(?i)(?<=\d)\s*([x*/-])\s*(?=-?\d)", _by(_BETWEEN)),
    (r"(?<![\w.])-(?=\d)", "minus "),
    ("\N{MULTIPLICATION SIGN}", " times "),
    ("\N{DIVISION SIGN}", " divided by "),
    (r"\+", " plus "),
    ("%", " percent "),
    ("\N{SUPERSCRIPT TWO}", " squared "),
)
_SOUNDS = {"to": "2", "too": "2", "free": "3", "tree": "3", "for": "4", "ate": "8", "won": "1"}
_SOUND = f"({'|'.join(_SOUNDS)})"
_NEARLY = {"time": "times", "multiply": "multiplied", "divide": "divided"}
# On both sides of a sign, words that sound like numbers are numbers: "2 plus to", "to plus for".
_MISHEARD: tuple[_Rewriting, ...] = (
    (r"(?i)(?<=\d )(time|multiply|divide)(?= (?:by )?\d)", _by(_NEARLY)),
    (rf"(?i)\b{_SOUND}(?= (?:{_SIGN}) (?:\d|{_SOUND} ))", _by(_SOUNDS)),
    (rf"(?i)(?<=\d )({_SIGN}) {_SOUND}\b", lambda found: f"{found[1]} {_SOUNDS[found[2].lower()]}"),
)
_WORD = re.compile(r"\d+(?:\.\d+)?(?!\w)|[^\W_]+(?:['-][^\W_]+)*")
_FILLERS = frozenset(["um", "uh", "uhm", "er", "erm", "ah", "hm", "hmm", "mm", "mhm"])
_SPELLINGS = {"ok": "okay", "alright": "okay", "bye-bye": "bye", "goodbye": "bye"}
_SPELLINGS |= {"favourite": "favorite", "colour": "color", "to-day": "today", "to-morrow": "tomorrow"}


def sentences(text: str) -> list[str]:
    """One by one, with their signs; the point of "Mr." ends none."""
    return re.split(r"(?<=[.?!])\s+|\n", re.sub(r"\b(Mr|Mrs|Ms|Dr|Prof|St)\.", r"\1", text[:LONGEST_TEXT]))


def normalise(text: str) -> str:
    """Words, each followed by one space: numbers in digits, signs as words, no punctuation, no "um"; capitals stay."""
    digits = alpha2digit(_rewritten(text[:LONGEST_TEXT], _BEFORE_NUMBERS), "en", 0)
    words = _WORD.findall(_rewritten(digits, _SIGNS))[:LONGEST_WORDS]
    kept = [_SPELLINGS.get(word.lower(), word) for word in words if word.lower() not in _FILLERS]
    return _rewritten("".join(f"{word} " for word in kept), _MISHEARD)


def _rewritten(text: str, rewritings: Iterable[_Rewriting]) -> str:
    for pattern, written in rewritings:
        text = re.sub(pattern, written, text)
    return text
