"""When can a stream of tokens be spoken? As early as a phrase is sure to be complete.

The first phrase of a reply may end at a comma, because the caller waits for it; later ones are whole sentences,
because prosody is better and there is time. No look-ahead: the token that completes a phrase releases it, except
where a point or comma may go on ("3." as in "3.5", "1," as in "1,000", "Dr.").
"""

import re

MAX_PHRASE_CHARS = 200
"""Pipecat splits at 200 for Riva; NVIDIA's limits are higher but vary by release."""

_MIN_CLAUSE_CHARS = 12
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n+|[。！？।॥؟۔]")  # noqa: RUF001
_CLAUSE_END = re.compile(r"[,;:—](?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|jr|sr|gen|approx)|\b[a-z])\.\Z", re.IGNORECASE
)
_MARKUP = re.compile(r"[*#`<>{}_~|]+")
_MARKUP_BETWEEN = re.compile(r"(?<=[^\W_])[*#`<>{}_~|]+(?=[^\W_])")
"""It parts what it stands between: "2*3" is no "23"."""


class Phraser:
    """Collects the tokens of one reply and gives out phrases."""

    def __init__(self, max_chars: int = MAX_PHRASE_CHARS) -> None:
        self._max_chars = max_chars
        self._pending = ""
        self._first = True
        self._waits_since = 0.0
        self._hurried = False

    @property
    def waiting_since(self) -> float | None:
        """When the first of what waits for the end of its phrase came; None = nothing waits that `hurry` could take."""
        return None if self._hurried or not self._pending.strip() else self._waits_since

    def push(self, token: str, now: float = 0.0) -> list[str]:
        """The phrases that `token` completes."""
        if not self._pending.strip():
            self._waits_since = now
        self._pending += token
        self._hurried = False
        phrases: list[str] = []
        while end := self._end():
            phrases += self._take(end)
            self._waits_since = now
        return phrases

    def hurry(self) -> list[str]:
        """The whole words that wait."""
        self._hurried = True
        return self._take(max(self._pending.rfind(" "), 0))

    def flush(self) -> list[str]:
        """What is left when the reply is complete."""
        return self._take(len(self._pending))

    def _end(self) -> int:
        """Where the first complete phrase of the pending text ends; 0 = nowhere yet."""
        for match in _SENTENCE_END.finditer(self._pending):
            if not self._may_go_on(match.end()):
                return self._cut(match.end())
        if self._first:
            for match in _CLAUSE_END.finditer(self._pending):
                if match.end() >= _MIN_CLAUSE_CHARS and not self._may_go_on(match.end()):
                    return self._cut(match.end())
        return self._cut(len(self._pending)) if len(self._pending) > self._max_chars else 0

    def _cut(self, end: int) -> int:
        """`end`, or a space before it where a phrase would be too long."""
        if end <= self._max_chars:
            return end
        space = self._pending.rfind(" ", 1, self._max_chars)
        return space if space > 0 else self._max_chars

    def _may_go_on(self, end: int) -> bool:
        before = self._pending[:end]
        if _ABBREVIATION.search(before):
            return True
        return end == len(self._pending) and len(before) > 1 and before[-1] in ".,:" and before[-2].isdigit()

    def _take(self, end: int) -> list[str]:
        phrase = _MARKUP.sub("", _MARKUP_BETWEEN.sub(" ", self._pending[:end])).strip()
        self._pending = self._pending[end:]
        if not any(sign.isalnum() for sign in phrase):
            return []
        self._first = False
        return [phrase]
