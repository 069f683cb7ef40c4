"""When was each word said, if the model does not tell? An estimate: the time is shared out by the words' lengths.

"Hello, I am Anna." from 0.3 s to 1.5 s has 14 letters and signs beside its spaces, so "Hello," gets 6/14 of 1.2 s: from
0.3 to 0.81 s. Good enough to mark words while they are played; not to cut audio between two of them.
"""

from speech_server.core.asr.asr_types import Hypothesis, Word


def spread(text: str, start_s: float, end_s: float) -> Hypothesis:
    """The text as a hypothesis, its words spread from `start_s` to `end_s`; their confidence is not known."""
    words = text.split()
    letters = sum(map(len, words))
    found, before = [], 0
    for word in words:
        after = before + len(word)
        found.append(Word(word, *(start_s + (end_s - start_s) * at / letters for at in (before, after))))
        before = after
    return Hypothesis(" ".join(words), tuple(found))
