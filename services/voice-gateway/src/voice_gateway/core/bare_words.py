"""Which words are the same, however they are written? Small letters, no punctuation: "Uh-huh, OK!" is uh, huh, ok."""

import unicodedata


def bare_words(text: str) -> tuple[str, ...]:
    """The words of `text`. What is no letter, digit or mark parts words, but for an apostrophe ("don't" is dont)."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    return tuple("".join(sign if unicodedata.category(sign)[0] in "LNM" else " " for sign in text).split())
