"""What does the agent note when it is asked to summarise a call? What the caller said: facts first, then the newest.

The gateway asks with one user message: perhaps "Notes so far:" and the notes of before, then "Said since:" and a line
for all that was said, "Caller: …" or "Agent: …". The notes have the same lines, so that they can be read again.
"""

import re

from mini_llm.conversation import NOTED
from mini_llm.intent_matching import understand

MOST_WORDS = 150
_REQUEST = re.compile(r"(?:\A|\n)Said since:\n")


def asks_for_summary(text: str) -> bool:
    """Whether a message is a call to be summarised."""
    return bool(_REQUEST.search(text))


def summarise(text: str, most_words: int | None) -> str:
    """The notes of such a message."""
    said = list(dict.fromkeys(NOTED.findall(text)))
    facts = [words for words in said if _is_fact(words)]
    newest_first = [*reversed(facts), *(words for words in reversed(said) if words not in facts)]
    left, kept = min(MOST_WORDS, most_words or MOST_WORDS), set()
    for words in newest_first:
        left -= 1 + len(words.split())
        if left < 0:
            break
        kept.add(words)
    noted = [*facts, *(words for words in said if words not in facts)]
    return "\n".join(f"Caller: {words}" for words in noted if words in kept) or "Nothing was said yet."


def _is_fact(words: str) -> bool:
    return any(meaning.intent.skill == "remember" for meaning in understand(words))
