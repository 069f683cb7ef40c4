"""How does what was said so far end? Complete, in the midst of a sentence, or in the midst of what is read out.

A silence means less than the words before it: "and" is followed by more, "five five five" by more digits, "yes." by
nothing. The words of the whole turn are judged, because recognisers cut it into finals and put a sign after each:
"My number is." "Five, five, five." So what is read out counts more than a sentence sign, and a word like "and", too.
"""

from voice_gateway.core.language import Language
from voice_gateway.core.read_out import LONGEST_PHRASE_WORDS, LastWords, is_read_out
from voice_gateway.core.turn_types import Ending

_TAIL_CHARS = 400
"""All that is looked at: a number, and the words before it that say so."""
_QUESTION = "?"
_ENDS, _GOES_ON = f".!।॥{_QUESTION}", ",;:-\u2013\u2014…"
_CLOSERS, _OPENERS = "\"'”\u2019»)]", "\"'“\u2018«([¿¡"
_LONGEST_ANSWER_WORDS = 8


def ending(text: str, language: Language) -> Ending:
    """How a turn with these words ends, as far as words tell.

    Examples: "book a table." COMPLETE, "book a table" UNKNOWN (many recognisers write no signs), "book a table and."
    INCOMPLETE, "my number is five five five." READING_OUT, "yes" and "no, thank you" ANSWER, "okay so" INCOMPLETE."""
    words, sign = _words(text[-_TAIL_CHARS:])
    if not words:
        return Ending.UNKNOWN
    # Without the fillers that stand before the last word.
    tail = LastWords((*(word for word in words[:-1] if word not in language.fillers), words[-1]))
    goes_on = bool(sign) and sign in _GOES_ON
    short = _of_answers(words, language) or _of_answers(tail.words, language)
    if short and not goes_on and sign != _QUESTION:
        return short
    if sign != _QUESTION and is_read_out(tail, language):
        return Ending.READING_OUT
    if goes_on or tail.ends_with(language.fillers):
        return Ending.INCOMPLETE
    if sign != _QUESTION and tail.ends_with(language.connectives):
        return Ending.INCOMPLETE
    if sign:
        return Ending.COMPLETE
    return Ending.INCOMPLETE if tail.ends_with(language.link_words) else Ending.UNKNOWN


def _of_answers(words: tuple[str, ...], language: Language) -> Ending | None:
    """Of a turn that is made of answers and openers only: ANSWER where it ends with an answer, INCOMPLETE where it ends
    with an opener; None = of other words, too. Examples: "no no", "okay thank you"; "well", "okay so"."""
    if len(words) > _LONGEST_ANSWER_WORDS:
        return None
    for n in range(min(LONGEST_PHRASE_WORDS, len(words)), 0, -1):
        last, before = " ".join(words[-n:]), words[:-n]
        is_answer = last in language.answers
        if (is_answer or last in language.openers) and (not before or _of_answers(before, language)):
            return Ending.ANSWER if is_answer else Ending.INCOMPLETE
    return None


def _words(text: str) -> tuple[tuple[str, ...], str]:
    """The bare words, and the sign after the last one."""
    stripped = text.rstrip().rstrip(_CLOSERS)
    sign = "…" if stripped.endswith("..") else stripped[-1:] if stripped[-1:] in tuple(_ENDS + _GOES_ON) else ""
    return tuple(bare for word in text.split() if (bare := _bare(word))), sign


def _bare(word: str) -> str:
    return word.casefold().strip(_ENDS + _GOES_ON + _CLOSERS + _OPENERS)
