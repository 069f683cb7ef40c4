"""When can a stream of tokens be spoken? As early as a phrase is sure to be complete.

The first phrase of a reply may end at a comma, because the caller waits for it; later ones are whole sentences,
because prosody is better and there is time. There is no look-ahead but where a sign may go on: a point ("example.com",
"Dr. Smith", "3. Mai") waits for the letter after it, a colon for the next sign, and both for the end of the reply.
"""

import re

from voice_gateway.core.language import Language
from voice_gateway.core.speakable.emoji import without_emoji
from voice_gateway.core.speakable.markup import Markup
from voice_gateway.core.speakable.phrase_ends import END, ends_phrase, is_inside, looks_complete, parting_space

MAX_PHRASE_CHARS = 200
"""Pipecat splits at 200 for Riva; NVIDIA's limits are higher but vary by release."""

_MAX_WORD_CHARS = 2000
"""A link's target may make a phrase longer as it is written than as it is spoken."""
_KEY = re.compile(r"(?<![*#])[*#](?![*#])")
"""A sign that has a name: it may be said alone."""
_LEFT_OVER = "»”)]」』） "
"""Ends of what a phrase before began."""


_ENGLISH = Language("en")


class Phraser:
    """Collects the tokens of one reply and gives out phrases: plain text, as it was written."""

    def __init__(self, max_chars: int = MAX_PHRASE_CHARS, language: Language = _ENGLISH) -> None:
        self._max_chars = max_chars
        self._language = language
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
        return self._last_at + wait_s if looks_complete(self._pending) else None

    def hurry(self, now: float, wait_s: float) -> list[str]:
        """Nobody hears anything: the whole words that wait; and all, where it looks complete and nothing has come."""
        complete = looks_complete(self._pending)
        if complete and now < self._last_at + wait_s:
            self._hurried = True
            return []
        end = len(self._pending) if complete else parting_space(self._pending, len(self._pending), self._language)
        phrases = self._take(end)
        self._began_at, self._hurried = self._last_at, not end
        return phrases

    def _end(self) -> int:
        """Where the first complete phrase of the pending text ends; 0 = nowhere yet."""
        while match := END.search(self._pending, self._searched):
            ends = ends_phrase(self._pending, match, self._language, clauses=self._first)
            if ends is None:
                break
            self._searched = match.end()
            if ends:
                return self._cut(match.end())
        else:
            self._searched = len(self._pending)
        if len(self._pending) <= self._max_chars or (
            len(self._pending) <= _MAX_WORD_CHARS and is_inside(self._pending)
        ):
            return 0
        return self._cut(len(self._pending))

    def _cut(self, end: int) -> int:
        """`end`, or a space before it where a phrase would be too long."""
        if end <= self._max_chars:
            return end
        if space := parting_space(self._pending, self._max_chars, self._language):
            return space
        space = self._pending.rfind(" ", 1, self._max_chars)
        while space > 0 and is_inside(self._pending[:space]):
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
