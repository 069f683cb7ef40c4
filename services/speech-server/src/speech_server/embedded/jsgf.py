"""Which words does a JSGF grammar speak of?"""

import re

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_HEADER = re.compile(r"#JSGF[^;]*;|\b(?:grammar|import)\s[^;]*;")
_NOT_WORDS = re.compile(r"<[^>]*>|\{[^}]*\}|/[0-9.eE+-]+/|\bpublic\b|[()\[\]|*+=;\"]")


def words_of(grammar: str) -> tuple[str, ...]:
    """Every word of the grammar once, in order; rule names, tags, weights and comments are no words."""
    text = _HEADER.sub(" ", _COMMENT.sub(" ", grammar))
    return tuple(dict.fromkeys(_NOT_WORDS.sub(" ", text).split()))
