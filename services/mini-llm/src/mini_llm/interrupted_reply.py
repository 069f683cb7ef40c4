"""Was a reply cut off by a barge-in, and what was left unsaid?"""

import re
from collections.abc import Callable, Iterable

from mini_llm.conversation import Conversation

LOOK_BACK = 12
"""Replies looked at when the caller says "go on"."""

Replay = Callable[[Conversation], str]
"""What the agent answered (or would answer) to a conversation that ends with the caller's message."""

_CUT_MARK = re.compile(r"\s*(?:\.\.\.|…|—|--|-|\[[^\]]*\])\s*$")
_WORD = re.compile(r"[\w']+")


def left_unsaid(full: str, heard: str) -> str | None:
    """What of `full` comes after the words that were heard: "" = all was said, None = `heard` is no part of it.

    A last word heard by half is said again.
    """
    spans = [(found[0].lower(), found.start()) for found in _WORD.finditer(full)]
    words = [word for word, _ in spans]
    heard_words = _WORD.findall(_CUT_MARK.sub("", heard).lower())
    if not heard_words or len(heard_words) > len(words):
        return None
    *before, last = heard_words
    if words[: len(before)] != before or not words[len(before)].startswith(last):
        return None
    next_word = len(before) + (words[len(before)] == last)
    return full[spans[next_word][1] :] if next_word < len(words) else ""


def left_unsaid_of_any(texts: Iterable[str], heard: str) -> str | None:
    """The same when only the end of what was heard is known to be part of one of `texts`."""
    tail = [re.escape(word) for word in _WORD.findall(_CUT_MARK.sub("", heard))[-3:]]
    if len(tail) < 3:
        return None
    pattern = re.compile(r"\b" + r"\W+".join(tail) + r"\b\W*", re.IGNORECASE)
    for text in texts:
        found = pattern.search(text)
        if found:
            return text[found.end() :]
    return None


def cut_off(talk: Conversation, replay: Replay, long_texts: Iterable[str], is_continuing: Callable[[str], bool]) -> str:
    """What is left of the last reply that was cut off, "" when there is none.

    A reply that went on with an older one and was said to its end settles the older one.
    """
    texts = tuple(long_texts)
    replies = [index for index, message in enumerate(talk.messages) if message.role == "assistant"]
    for index in reversed(replies[-LOOK_BACK:]):
        heard = talk.messages[index].text
        before = talk.before(index)
        asked = bool(before.messages) and before.messages[-1].role == "user"
        rest = left_unsaid(replay(before), heard) if asked else None
        if rest is None:
            rest = left_unsaid_of_any(texts, heard)
        if rest:
            return rest
        if asked and is_continuing(before.last_user_text):
            return ""
    return ""


def last_reply(talk: Conversation) -> tuple[int, str] | None:
    """Position and heard text of the last reply."""
    for index in reversed(range(len(talk.messages))):
        if talk.messages[index].role == "assistant":
            return index, talk.messages[index].text
    return None


def last_word(heard: str) -> str:
    """The last word of a text, "" when it has none."""
    words = _WORD.findall(heard)
    return words[-1] if words else ""
