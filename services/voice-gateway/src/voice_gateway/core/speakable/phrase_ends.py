"""Does a phrase end here? At a sign that ends something, where what comes next can't make it a part of something."""

import re

from voice_gateway.core.language import Language
from voice_gateway.core.speakable.abbreviations import ends_sentence, is_abbreviation

_MIN_CLAUSE_CHARS = 12
_MIN_DENSE_CLAUSE_CHARS = 5
"""The same in scripts that write a syllable with one sign."""
END = re.compile(
    r"(?P<line>\n+)|(?:(?P<full>[。！？।॥؟۔]+)|(?P<point>[.…]+)|(?P<strong>[!?]+|[.…]+[!?]+)"
    r"|(?P<clause>[,;:—])|(?P<dense>[，、；：،؛]))[\"'”’)\]»」』）*_~`]*"
)
"""Where a phrase may end."""
_MAY_GO_ON = re.compile(r"[\d/@=_#%]|&(?!\w+\Z)|\w[.:]\w|www\.", re.IGNORECASE)
"""In a word: an address or a number, which any sign may go on."""
_ENTITY = re.compile(r"&(?:#x?)?\w+\Z")
_INSIDE = re.compile(r"!?\[[^\[\]\n]{0,100}\Z|\]\([^()\s]*(?:\s+\"[^\"]*)?\Z|<[/a-z!][^<>\n]{0,100}\Z", re.IGNORECASE)
_PAIRS = (("“", "”"), ("(", ")"), ("[", "]"), ("«", "»"), ("「", "」"), ("『", "』"), ("（", "）"))
_NO_BREAK_AFTER = frozenset("$€£¥₹#+-–/&@=<>~*_(“\"'[«") | frozenset("0123456789")


def ends_phrase(text: str, match: "re.Match[str]", language: Language, *, clauses: bool) -> bool | None:
    """Whether a phrase ends with this sign in `text`, `clauses`: a part of a sentence, too. None: that depends on what
    comes next."""
    kind, end = match.lastgroup, match.end()
    if kind == "line":
        return True
    if kind in ("clause", "dense") and not clauses:
        return False
    before, rest = text[: match.start()], text[end:]
    if is_inside(before) or before.endswith("<"):
        return False
    if kind == "full":
        return True if rest or not _is_open(text[:end]) else None
    if kind == "dense":
        return len(before.strip()) >= _MIN_DENSE_CLAUSE_CHARS
    if rest and not rest[0].isspace():
        return False
    if kind == "point":
        return _point_ends(text[:end], rest, language)
    word = before[before.rfind(" ") + 1 :]
    if kind == "strong":
        sure = rest or (word and not _MAY_GO_ON.search(word) and not _is_open(text[:end]))
        return True if sure else None
    return _clause_ends(text[:end], rest, word)


def is_inside(before: str) -> bool:
    """Whether a link or an HTML tag is open at the end."""
    return _INSIDE.search(before) is not None


def looks_complete(text: str) -> bool:
    """Whether `text` would be a whole phrase, if nothing came after it."""
    bare = text.rstrip("\"'”’)]»*_~` ")
    return bare.endswith((".", "!", "?", "…", ":", ",", ";")) and not is_inside(bare)


def parting_space(text: str, end: int, language: Language) -> int:
    """The last space before `end` that parts no name, number, address or pair; 0 = there is none."""
    while (end := text.rfind(" ", 1, end)) > 0:
        before, after = text[:end], text[end:].lstrip()
        words = before.split()
        if len(words) < 2:
            return 0
        last = words[-1]
        name = last[0].isupper() and last != "I" and (not after or after[0].isupper() or after[0].isdigit())
        short = last[-1] == "." and is_abbreviation(last[:-1].casefold(), language)
        if not (name or short or last[-1] in _NO_BREAK_AFTER or is_inside(before)):
            return end
    return 0


def _point_ends(before: str, rest: str, language: Language) -> bool | None:
    after = rest.lstrip()
    if "\n" in rest[: len(rest) - len(after)]:
        return True
    return ends_sentence(before, after, language) if after else None


def _clause_ends(before: str, rest: str, word: str) -> bool | None:
    if len(before) < _MIN_CLAUSE_CHARS or (before[-1] == ";" and _ENTITY.search(word)):
        return False
    if _MAY_GO_ON.search(word):  # "May 3, 2024", "1,000", "3: 2"
        after = rest.lstrip()
        return not after[0].isdigit() if after else None
    return True if rest or before[-1] != ":" else None


def _is_open(text: str) -> bool:
    """Whether a quotation, bracket or pair of signs is, so that its end may follow."""
    return any(text.count(sign) % 2 for sign in '"*_') or any(
        text.count(left) > text.count(right) for left, right in _PAIRS
    )
