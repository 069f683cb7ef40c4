"""How much of a reply's text has been heard, when so many seconds of its audio were?

The contract tells text and audio apart, without word times, so this is an estimate: letters at an even pace, learned
from the replies before. Example: at 15 letters a second, 2 s of "It is noon. The sun is high." are its first 30
characters at most, cut at the end of a word. Of an interrupted reply the gateway tells the exact words.
"""

LETTERS_PER_S = 15.0
"""What voices say about, until a reply was heard to its end."""
_SLOWEST, _FASTEST = 5.0, 40.0
_LEARN_FROM_S = 1.0
"""A shorter reply says little about the pace."""
_NEW_SHARE = 0.5


def heard_chars(text: str, played_s: float, pace: float) -> int:
    """Characters of `text` that are over after `played_s`, at `pace` letters a second; whole words."""
    reached = int(played_s * pace)
    if reached >= len(text):
        return len(text.rstrip())
    end = reached
    while end > 0 and not text[end].isspace():
        end -= 1
    return end


def letters_per_s(text: str, played_s: float, before: float) -> float:
    """The pace, after `text` was heard whole in `played_s`."""
    if played_s < _LEARN_FROM_S or not text:
        return before
    measured = min(_FASTEST, max(_SLOWEST, len(text) / played_s))
    return before + _NEW_SHARE * (measured - before)
