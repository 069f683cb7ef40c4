"""When can a stream of tokens be spoken? As early as a phrase is sure to be complete.

The first phrase of a reply may end at a comma, because the caller waits for it; later ones are whole sentences,
because prosody is better and there is time. There is no look-ahead but where a sign may go on: a point ("example.com",
"Dr. Smith", "3. Mai") waits for the letter after it, a colon for the next sign, and both for the end of the reply.
"""

import re

from voice_gateway.core.speakable.abbreviations import ends_sentence, is_abbreviation
from voice_gateway.core.speakable.emoji import without_emoji
from voice_gateway.core.speakable.markup import Markup

MAX_PHRASE_CHARS = 200
"""Pipecat splits at 200 for Riva; NVIDIA's limits are higher but vary by release."""

_MAX_WORD_CHARS = 2000
"""A link's target may make a phrase longer as it is written than as it is spoken."""
_MIN_CLAUSE_CHARS = 12
_MIN_DENSE_CLAUSE_CHARS = 5
"""The same in scripts that write a syllable with one sign."""
_END = re.compile(
    r"(?P<line>\n+)|(?:(?P<full>[。！？।॥؟۔]+)|(?P<point>[.…]+)|(?P<strong>[!?]+|[.…]+[!?]+)"
    r"|(?P<clause>[,;:—])|(?P<dense>[，、；：،؛]))[\"'”’)\]»」』）*_~`]*"
)
_MAY_GO_ON = re.compile(r"[\d/@=_#%]|&(?!\w+\Z)|\w[.:]\w|www\.", re.IGNORECASE)
"""In a word: an address or a number, which any sign may go on."""
_ENTITY = re.compile(r"&(?:#x?)?\w+\Z")
_INSIDE = re.compile(r"!?\[[^\[\]\n]{0,100}\Z|\]\([^()\s]*(?:\s+\"[^\"]*)?\Z|<[/a-z!][^<>\n]{0,100}\Z", re.IGNORECASE)
_KEY = re.compile(r"(?<![*#])[*#](?![*#])")
"""A sign that has a name: it may be said alone."""
_LEFT_OVER = "»”)]」』） "
"""Ends of what a phrase before began."""
_PAIRS = ("“”", "()", "[]", "«»", "「」", "『』", "（）")
_NO_BREAK_AFTER = frozenset("$€£¥₹#+-–/&@=<>~*_(“\"'[«") | frozenset("0123456789")


class Phraser:
    """Collects the tokens of one reply and gives out phrases: plain text, as it was written."""

    def __init__(self, max_chars: int = MAX_PHRASE_CHARS, language: str = "en") -> None:
        self._max_chars = max_chars
        self._language = language.casefold()
        self._markup = Markup()
        self._pending = ""
        self._searched = 0
        """Where the search for an end goes on."""
        self._first = True
        self._began_at = 0.0
        self._last_at = 0.0
        self._hurried = False

    def push(self, token: str, now: float = 0.0) -> list[str]:
        """The phrases that `token` completes."""
        if not self._pending.strip():
            self._began_at = now
        self._pending += token
        self._last_at, self._hurried = now, False
        phrases: list[str] = []
        while end := self._end():
            phrases += self._take(end)
            self._began_at = now
        return phrases

    def flush(self) -> list[str]:
        """What is left when the reply is complete."""
        phrases: list[str] = []
        while end := self._end():
            phrases += self._take(end)
        return phrases + self._take(len(self._pending))

    def drop(self) -> None:
        """Forget what waits, and begin anew."""
        self._pending, self._searched, self._first, self._markup = "", 0, True, Markup()

    def due_at(self, wait_s: float) -> float | None:
        """When `hurry` may bring a phrase if nothing is pushed; None = not before something is."""
        if not self._pending.strip():
            return None
        if not self._hurried:
            return self._began_at + wait_s
        return self._last_at + wait_s if self._looks_complete() else None

    def hurry(self, now: float, wait_s: float) -> list[str]:
        """Nobody hears anything: the whole words that wait; and all, where it looks complete and nothing has come."""
        complete = self._looks_complete()
        if complete and now < self._last_at + wait_s:
            self._hurried = True
            return []
        end = len(self._pending) if complete else self._whole_words(len(self._pending))
        phrases = self._take(end)
        self._began_at, self._hurried = self._last_at, not end
        return phrases

    def _looks_complete(self) -> bool:
        pending = self._pending.rstrip("\"'”’)]»*_~` ")
        return pending.endswith((".", "!", "?", "…", ":", ",", ";")) and not _INSIDE.search(pending)

    def _whole_words(self, end: int) -> int:
        """Where the last space before `end` is that parts no name, number, address or pair; 0 = nowhere."""
        text = self._pending
        while (end := text.rfind(" ", 1, end)) > 0:
            before, after = text[:end], text[end:].lstrip()
            words = before.split()
            if len(words) < 2:
                return 0
            last = words[-1]
            name = last[0].isupper() and last != "I" and (not after or after[0].isupper() or after[0].isdigit())
            short = last[-1] == "." and is_abbreviation(last[:-1].casefold(), self._language)
            if not (name or short or last[-1] in _NO_BREAK_AFTER or _INSIDE.search(before)):
                return end
        return 0

    def _end(self) -> int:
        """Where the first complete phrase of the pending text ends; 0 = nowhere yet."""
        while match := _END.search(self._pending, self._searched):
            ends = self._ends(match)
            if ends is None:
                break
            self._searched = match.end()
            if ends:
                return self._cut(match.end())
        else:
            self._searched = len(self._pending)
        if len(self._pending) <= self._max_chars or (
            len(self._pending) <= _MAX_WORD_CHARS and _INSIDE.search(self._pending)
        ):
            return 0
        return self._cut(len(self._pending))

    def _ends(self, match: "re.Match[str]") -> bool | None:
        """Whether a phrase ends with this sign; None: that depends on what comes next."""
        kind, end = match.lastgroup, match.end()
        if kind == "line":
            return True
        if kind in ("clause", "dense") and not self._first:
            return False
        rest = self._pending[end:]
        before = self._pending[: match.start()]
        if _INSIDE.search(before) or before.endswith("<"):
            return False
        if kind == "full":
            return True if rest or not self._is_open(end) else None
        if kind == "dense":
            return len(before.strip()) >= _MIN_DENSE_CLAUSE_CHARS
        if rest and not rest[0].isspace():
            return False
        if kind == "point":
            return self._point_ends(end, rest)
        word = before[before.rfind(" ") + 1 :]
        if kind == "strong":
            sure = rest or (word and not _MAY_GO_ON.search(word) and not self._is_open(end))
            return True if sure else None
        return self._clause_ends(end, rest, word)

    def _point_ends(self, end: int, rest: str) -> bool | None:
        after = rest.lstrip()
        if "\n" in rest[: len(rest) - len(after)]:
            return True
        return ends_sentence(self._pending[:end], after, self._language) if after else None

    def _clause_ends(self, end: int, rest: str, word: str) -> bool | None:
        if end < _MIN_CLAUSE_CHARS or (self._pending[end - 1] == ";" and _ENTITY.search(word)):
            return False
        if _MAY_GO_ON.search(word):  # "May 3, 2024", "1,000", "3: 2"
            after = rest.lstrip()
            return not after[0].isdigit() if after else None
        return True if rest or self._pending[end - 1] != ":" else None

    def _is_open(self, end: int) -> bool:
        """Whether a quotation, bracket or pair of signs is, so that its end may follow."""
        text = self._pending[:end]
        return (
            text.count('"') % 2 == 1
            or text.count("*") % 2 == 1
            or text.count("_") % 2 == 1
            or any(text.count(opening) > text.count(closing) for opening, closing in _PAIRS)
        )

    def _cut(self, end: int) -> int:
        """`end`, or a space before it where a phrase would be too long."""
        if end <= self._max_chars:
            return end
        if space := self._whole_words(self._max_chars):
            return space
        space = self._pending.rfind(" ", 1, self._max_chars)
        while space > 0 and _INSIDE.search(self._pending[:space]):
            space = self._pending.rfind(" ", 1, space)
        if space > 0:
            return space
        return end if end <= _MAX_WORD_CHARS and "](" in self._pending[:end] else self._max_chars

    def _take(self, end: int) -> list[str]:
        raw, self._pending, self._searched = self._pending[:end], self._pending[end:], 0
        phrase = " ".join(without_emoji(self._markup.remove(raw)).split()).lstrip(_LEFT_OVER)
        if not any(sign.isalnum() for sign in phrase) and not _KEY.search(phrase):
            return []
        self._first = False
        return [phrase]
