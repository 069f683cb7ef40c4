"""When can a stream of tokens be spoken? As early as a phrase is sure to be complete.

The first phrase of a reply may end at a comma, because the caller waits for it; later ones are whole sentences,
because prosody is better and there is time. No look-ahead: the token that completes a phrase releases it, except
where a point may go on ("3." as in "3.5", "Dr.").
"""

import re

MAX_PHRASE_CHARS = 200
"""Pipecat splits at 200 for Riva; NVIDIA's limits are higher but vary by release."""

_MIN_CLAUSE_CHARS = 12
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n+|[。！？]")  # noqa: RUF001
_CLAUSE_END = re.compile(r"[,;:—](?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|no|e\.g|i\.e|jr|sr|gen|approx)|\b[a-z])\.$", re.IGNORECASE
)
_MARKUP = re.compile(r"[*#`<>{}_~|]+")


class Phraser:
    """Collects the tokens of one reply and gives out phrases."""

    def __init__(self, max_chars: int = MAX_PHRASE_CHARS) -> None:
        self._max_chars = max_chars
        self._pending = ""
        self._first = True

    def push(self, token: str) -> list[str]:
        """The phrases that `token` completes."""
        self._pending += token
        phrases = []
        while end := self._end():
            phrases += self._take(end)
        return phrases

    def flush(self) -> list[str]:
        """What is left when the reply is complete."""
        return self._take(len(self._pending))

    def _end(self) -> int:
        """Where the first complete phrase of the pending text ends; 0 = nowhere yet."""
        for match in _SENTENCE_END.finditer(self._pending):
            if not self._may_go_on(match.end()):
                return match.end()
        if self._first:
            for match in _CLAUSE_END.finditer(self._pending):
                if match.end() >= _MIN_CLAUSE_CHARS:
                    return match.end()
        if len(self._pending) > self._max_chars:
            space = self._pending.rfind(" ", 1, self._max_chars)
            return space if space > 0 else self._max_chars
        return 0

    def _may_go_on(self, end: int) -> bool:
        before = self._pending[:end]
        if _ABBREVIATION.search(before):
            return True
        return end == len(self._pending) and len(before) > 1 and before[-1] == "." and before[-2].isdigit()

    def _take(self, end: int) -> list[str]:
        phrase = _MARKUP.sub("", self._pending[:end]).strip()
        self._pending = self._pending[end:]
        if not any(sign.isalnum() for sign in phrase):
            return []
        self._first = False
        return [phrase]
