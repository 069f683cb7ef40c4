"""Which grammar and which example sentences does a recogniser need to hear what the responder understands?"""

import random

from mini_llm.pattern import Pattern, references, sample
from mini_llm.rulebook import Rulebook

SENTENCES_PER_PATTERN = 24
"""Different sentences drawn from one pattern at most: slots get covered, small patterns come out whole."""


def jsgf(rulebook: Rulebook) -> str:
    """All intents as one JSGF grammar with the public rule <utterance>; an opener and a closer may stand around."""
    spoken = _spoken_rules(rulebook)
    rules = [f"<{name}> = {source};" for name, source in rulebook.sources.items() if name in spoken]
    intents = [
        f"<intent_{name}> = {' | '.join(f'({source})' for source in sources)};"
        for name, sources in rulebook.intent_sources.items()
    ]
    public = " | ".join(f"<intent_{intent.name}>" for intent in rulebook.intents)
    lines = ["#JSGF V1.0;", "grammar intents;", *rules, *intents]
    return "\n".join([*lines, f"public <utterance> = [<opener>] ({public}) [<closer>];", ""])


def sentences(rulebook: Rulebook) -> list[tuple[str, str]]:
    """(intent, sentence) pairs for a language model, some from every pattern.

    The same rulebook gives the same list.
    """
    chance = random.Random(0)
    pairs: list[tuple[str, str]] = []
    for intent in rulebook.intents:
        drawn = {text for pattern in intent.patterns for text in _drawn(pattern, rulebook, chance)}
        pairs += [(intent.name, text) for text in sorted(drawn)]
    return pairs


def _spoken_rules(rulebook: Rulebook) -> set[str]:
    """Rules the grammar needs; those that only typed text uses are left out."""
    waiting = [rule for intent in rulebook.intents for pattern in intent.patterns for rule in references(pattern)]
    spoken = {"opener", "closer"}
    while waiting:
        rule = waiting.pop()
        if rule not in spoken:
            spoken.add(rule)
            waiting += references(rulebook.rules[rule])
    return spoken


def _drawn(pattern: Pattern, rulebook: Rulebook, chance: random.Random) -> set[str]:
    tries = range(3 * SENTENCES_PER_PATTERN)
    drawn = dict.fromkeys(" ".join(sample(pattern, rulebook.rules, chance)) for _ in tries)
    return set(list(drawn)[:SENTENCES_PER_PATTERN])
