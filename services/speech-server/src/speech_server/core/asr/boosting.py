"""Which token do the caller's phrases favour? Phrase boosting for greedy decoding, the same for every kind of model.

    the model says nothing (blank) ──▶ nothing, whatever is boosted
    the model says a token         ──▶ the best of score + bonus among all tokens but the blank

    bonus of a token that begins a phrase     BEGINS * strength
    ... that goes on in one                   CONTINUES * strength
    ... that leaves one before its end        minus the debt: what its letters were worth

This is NeMo's way (a boosting tree with context_score 1 and depth_scaling 2, the blank decided first) with two
differences. All tokens that spell a phrase earn the same, whatever their case: no tokenizer is needed, and the model
chooses the case. And a phrase is whole words: a token that runs over its end ("Rival" for "Riva") is no part of it.

Greedy decoding keeps one path, so what a phrase earned that is not completed can't be taken back afterwards. As with
NeMo it becomes the price of leaving the phrase; false beginnings stay rare because a beginning earns little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from speech_server.core.asr.boosting_tree import ROOT, WORD, Tree, fold, grow, is_empty
from speech_server.core.asr.subwords import is_mark

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Phrases = tuple[tuple[str, float], ...]
"""As in `Hints`: (phrase, boost)."""

BEGINS, CONTINUES = 1.0, 3.0
"""Nats, at the default boost. NeMo gives 1 to a phrase's first token, 2.7 to its second, 3.1 to its third."""
KEPT_TREES = 32
"""Sets of phrases whose trees are kept, besides those of open streams."""


@dataclass(slots=True)
class _Spelling:
    """A node of the vocabulary's tree: which tokens are spelt so, and how it goes on."""

    tokens: list[int] = field(default_factory=list)
    next: dict[str, "_Spelling"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The tokens that go on from a place, and what they earn beside one that leaves it."""

    tokens: Ints
    values: Floats


class Lexicon:
    """How a vocabulary's tokens are spelt. Makes the boostings of callers."""

    def __init__(self, vocabulary: Sequence[str], blank: int) -> None:
        self.blank = blank
        self.spelt = tuple("" if is_mark(piece) else fold(piece) for piece in vocabulary)
        """Folded; empty: no text, or punctuation alone."""
        self.root = _Spelling()
        for token, text in enumerate(self.spelt):
            node = self.root
            for letter in text:
                node = node.next.setdefault(letter, _Spelling())
            if text:
                node.tokens.append(token)
        self._made = lru_cache(KEPT_TREES)(lambda phrases: Boosting(grow(phrases), self))

    def boosting(self, phrases: Phrases) -> "Boosting | None":
        """What these phrases do to the scores; None when there are none. A thousand phrases take some 30 ms, once."""
        return None if is_empty(phrases) else self._made(phrases)


class Boosting:
    """One set of phrases and one vocabulary. A place is where a transcript is in the phrases; begin at `start`.

    For one thread at a time, as the model is: what is known of a place is worked out when it is first reached.
    """

    start = WORD

    def __init__(self, tree: Tree, lexicon: Lexicon) -> None:
        self._tree = tree
        self._lexicon = lexicon
        # Bounded by the places of the tree.
        self._known: dict[int, _Steps] = {}

    def choose(self, place: int, scores: Floats, held: int | None = None) -> int:
        """The best token but the blank. `scores` [vocabulary]; `held`: saying this one again adds nothing (CTC)."""
        lifted = scores.copy()
        for each in reversed([*self._ends(place)]):
            steps = self._steps(each)
            lifted[steps.tokens] = scores[steps.tokens] + steps.values
        if held is not None:
            lifted[held] = scores[held] + self._tree.debt[place]
        lifted[self._lexicon.blank] = -np.inf
        return int(lifted.argmax())

    def after(self, place: int, token: int) -> int:
        """The place after a token."""
        text = self._lexicon.spelt[token]
        return self._tree.walk(place, text) if text else place

    def _ends(self, place: int) -> Iterator[int]:
        """The place and those of all shorter ends of the text."""
        while place != ROOT:
            yield place
            place = self._tree.fail[place]
        yield ROOT

    def _steps(self, place: int) -> _Steps:
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = self._look(place)
        return found

    def _look(self, place: int) -> _Steps:
        values: dict[int, float] = {}
        waiting = [(place, self._lexicon.root, False)]
        while waiting:
            here, spelling, has_letters = waiting.pop()
            if spelling.tokens:
                values.update(dict.fromkeys(spelling.tokens, self._value(place, here, has_letters)))
            children = self._tree.children[here]
            for letter in children.keys() & spelling.next.keys():
                waiting.append((children[letter], spelling.next[letter], has_letters or letter != " "))
        tokens = np.fromiter(values, np.int64, len(values))
        return _Steps(tokens, np.fromiter(values.values(), np.float32, len(values)))

    def _value(self, place: int, to: int, has_letters: bool) -> float:
        """Beside a token that leaves the phrase, which is what counts where the best is taken."""
        tree = self._tree
        if not has_letters:
            return tree.debt[place]
        bonus = CONTINUES if tree.letters[place] else BEGINS
        return tree.debt[place] + bonus * tree.strength[to] - tree.toll[to]


@dataclass(frozen=True, slots=True)
class Followed:
    """A batch whose clips have phrases, or none, and where each is in them."""

    boostings: Sequence[Boosting | None]
    places: list[int]

    def prefer(self, rows: Ints, said: Ints, scores: Floats, blank: int) -> None:
        """Change what was `said` [rows] of `scores` [rows, vocabulary] to what is preferred, and move the places on."""
        for number, row in enumerate(rows.tolist()):
            boosting = self.boostings[row]
            if boosting is not None and said[number] != blank:
                said[number] = token = boosting.choose(self.places[row], scores[number])
                self.places[row] = boosting.after(self.places[row], token)


def follow(boostings: Sequence[Boosting | None], places: Sequence[int] = ()) -> Followed | None:
    """A batch from its beginning, or from `places`; None when no clip has phrases."""
    if not any(boosting is not None for boosting in boostings):
        return None
    return Followed(boostings, list(places) or [Boosting.start] * len(boostings))
