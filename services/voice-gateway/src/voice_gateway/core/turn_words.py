"""What has been said in a turn so far, and are two sayings the same?"""

from voice_gateway.core.turn_states import Hearing, Pausing, join_words


def words_of(turn: Hearing | Pausing) -> str:
    """Its finals, its partial, and what was typed since that began."""
    return join_words(turn.words, turn.partial, turn.typed)


def words_beyond(text: str, known: str) -> str:
    """What a text says after the words that are known; "" = nothing, or it begins otherwise."""
    words, n = text.split(), len(known.split())
    return " ".join(words[n:]) if same_words(" ".join(words[:n]), known) else ""


def same_words(one: str, other: str) -> bool:
    """Equal but for case, punctuation and spaces."""
    one, other = ("".join(s for s in text.casefold() if s.isalnum() or s.isspace()) for text in (one, other))
    return one.split() == other.split()
