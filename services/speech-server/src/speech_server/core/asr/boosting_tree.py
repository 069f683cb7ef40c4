"""Where in the caller's phrases is a transcript? A tree over characters, so that tokens may cut words as they like.

    "New York"  ──▶  " new york"  ──▶  root ─␣─▶ word start ─n─▶ ─e─▶ ─w─▶ ─␣─▶ ─y─▶ ─o─▶ ─r─▶ ─k─▶ (a phrase ends)

A phrase begins where a word begins. When the text leaves a phrase, Aho-Corasick's failure links find the longest end of
the text that begins another one. What a place is worth follows NeMo's phrase boosting, by letters in place of tokens:

    strength    how much more a token is worth that goes on from here
    debt        what a token loses that leaves the phrase in its middle; none once a phrase is complete
    toll        what a token loses that completes an unwanted phrase
"""

import unicodedata
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from speech_server.core.asr.subwords import WORD_START

ROOT, WORD = 0, 1
"""Inside a word that is no phrase's; and where a word begins."""
DEFAULT_BOOST = 4.0
"""Stands for a boost of 0: what Riva's own client sends when nothing else is said."""
STRONGEST, HALF_BOOST = 3.0, 8.0
"""A boost b has the strength STRONGEST * b / (HALF_BOOST + b).

The default's is 1, NeMo's recommended weight; 20 gives 2.1, 100 gives 2.8: the large numbers that Riva's documentation
names for another decoder (a language model's scores) are taken, and can't drown the sound.
"""
BEGUN_LETTERS = 3
"""So many letters make about one token."""
_DROPPED = frozenset('.,!?;:"…¿¡।॥،؛؟。、')
_DROPPED_KINDS = frozenset({"Pd", "Ps", "Pe", "Pi", "Pf"})
_APOSTROPHES = str.maketrans("\u2019\u02bc`", "'''")


def fold(text: str) -> str:
    """Characters as they are compared: no case, no punctuation but apostrophes, accents apart, a space a word start.

    NFKD, not NFC: folding pieces and joining them gives what folding the whole gives.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).casefold())
    kept = (" " if letter == WORD_START or letter.isspace() else letter for letter in plain)
    return "".join(
        letter for letter in kept if letter not in _DROPPED and unicodedata.category(letter) not in _DROPPED_KINDS
    )


def strength(boost: float) -> float:
    """How strongly a boost works; 1 is the default's. A negative boost's is negative: the phrase is unwanted."""
    meant = boost or DEFAULT_BOOST
    return STRONGEST * meant / (HALF_BOOST + abs(meant))


def weight(letters: int) -> float:
    """Nats that so many letters of a phrase are worth: 1, 4, 7, 10 for 3, 6, 9, 12; NeMo gives 1, 3.7, 6.8, 10.2."""
    return letters / BEGUN_LETTERS if letters <= BEGUN_LETTERS else 1.0 + letters - BEGUN_LETTERS


@dataclass(frozen=True, slots=True)
class Tree:
    """All phrases. A place is the number of a node."""

    children: list[dict[str, int]] = field(default_factory=lambda: [{" ": WORD}, {}])
    fail: list[int] = field(default_factory=lambda: [ROOT, ROOT])
    """The place of the longest shorter end of the text."""
    strength: list[float] = field(default_factory=lambda: [0.0, 0.0])
    letters: list[int] = field(default_factory=lambda: [0, 0])
    """Of wanted phrases; 0 where none has begun."""
    debt: list[float] = field(default_factory=lambda: [0.0, 0.0])
    toll: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def step(self, place: int, letter: str) -> int:
        """The place after one more character."""
        while letter not in self.children[place]:
            if place == ROOT:
                return ROOT
            place = self.fail[place]
        return self.children[place][letter]

    def walk(self, place: int, text: str) -> int:
        """The place after a folded text."""
        for letter in text:
            place = self.step(place, letter)
        return place


def grow(phrases: Iterable[tuple[str, float]]) -> Tree:
    """The tree of phrases and their boosts; the last boost of a phrase counts. Phrases without letters are left out."""
    wanted = {" ".join(fold(phrase).split()): boost for phrase, boost in phrases}
    tree, ends = Tree(), [False, False]
    for text, boost in wanted.items():
        if not text:
            continue
        power = strength(boost)
        place = WORD
        for letter in text:
            place = _child(tree, ends, place, letter)
            tree.strength[place] = max(tree.strength[place], power)
        if power > 0:
            ends[place] = True
        else:
            tree.toll[place] = -power * weight(len(text.replace(" ", "")))
    _link(tree, ends)
    return tree


def _child(tree: Tree, ends: list[bool], place: int, letter: str) -> int:
    found = tree.children[place].get(letter)
    if found is None:
        found = tree.children[place][letter] = len(tree.children)
        tree.children.append({})
        ends.append(False)
        for values in (tree.fail, tree.letters):
            values.append(0)
        for numbers in (tree.strength, tree.debt, tree.toll):
            numbers.append(0.0)
    return found


def _link(tree: Tree, ends: list[bool]) -> None:
    """Breadth first: a node's failure link leads to one that is finished."""
    since = [0] * len(ends)
    waiting = deque([WORD])
    while waiting:
        place = waiting.popleft()
        for letter, child in tree.children[place].items():
            other = tree.fail[child] = tree.step(tree.fail[place], letter)
            since[child] = (0 if ends[place] else since[place]) + (letter != " ")
            ends[child] = ends[child] or ends[other]
            _weigh(tree, place, child, letter != " ", 0 if ends[child] else since[child])
            waiting.append(child)


def _weigh(tree: Tree, place: int, child: int, is_letter: bool, owed_letters: int) -> None:
    other = tree.fail[child]
    if tree.strength[child] > 0:
        tree.letters[child] = tree.letters[place] + is_letter
        tree.debt[child] = tree.strength[child] * weight(owed_letters)
    else:
        # Only unwanted phrases come through here: wanted ones that begin later in the text count.
        tree.letters[child], tree.debt[child] = tree.letters[other], tree.debt[other]
    tree.strength[child] = max(tree.strength[child], tree.strength[other])
    tree.toll[child] += tree.toll[other]


def is_empty(phrases: Sequence[tuple[str, float]]) -> bool:
    """Is there nothing to look for?"""
    return not any(fold(phrase).strip() for phrase, _ in phrases)
