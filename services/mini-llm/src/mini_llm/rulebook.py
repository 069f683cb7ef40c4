"""What can be said to the agent and what does it answer? `intents.toml`, read and compiled."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from itertools import count

from mini_llm.pattern import Pattern, parse_pattern, references, regex

LONGEST_NAME_WORDS = 3
"""A slot of up to so many typed words holds a name, not a sentence."""

_NOT_IN_A_NAME = "(?!(?:and|but|or|i|is|not|the|a|what|please) )"


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing a caller can mean."""

    name: str
    patterns: tuple[Pattern, ...]
    matcher: re.Pattern[str]
    """Finds the patterns in normalised text; groups named `<slot>_<k>` hold the slots' words."""
    answers: Mapping[str, tuple[str, ...]]
    """By variant, taken in turn; with {fields}."""
    skill: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All intents, and the rules their patterns mention (slots included, as a recogniser hears them)."""

    intents: tuple[Intent, ...]
    rules: Mapping[str, Pattern]
    sources: Mapping[str, str]
    """The rules as they are written, JSGF."""
    intent_sources: Mapping[str, tuple[str, ...]]
    openers: frozenset[str]
    closers: frozenset[str]
    """Single words that may stand before and after anything that is said."""
    agent: str
    opening: str
    silence: tuple[str, ...]
    fallback: tuple[str, ...]

    def intent(self, name: str) -> Intent:
        """By name; KeyError when there is none."""
        return next(intent for intent in self.intents if intent.name == name)


@dataclass(frozen=True, slots=True)
class _Slot:
    said: str
    typed: str = ""
    typed_words: int = 0


@cache
def load_rulebook() -> Rulebook:
    """The rulebook of this package."""
    return read_rulebook(resources.files("mini_llm").joinpath("intents.toml").read_text("utf-8"))


def read_rulebook(text: str) -> Rulebook:
    """Compile the text of an intent file. Raises ValueError naming what is wrong."""
    raw = tomllib.loads(text)
    slots = {name: _Slot(**fields) for name, fields in raw["slots"].items()}
    sources = {**raw["rules"], **{name: slot.said for name, slot in slots.items()}}
    rules = {name: parse_pattern(source) for name, source in sources.items()}
    typed = {name: parse_pattern(slot.typed or slot.said) for name, slot in slots.items()}
    _refuse_unknown_rules([*rules.values(), *typed.values()], rules)

    intents = []
    for entry in raw["intent"]:
        patterns = tuple(parse_pattern(source) for source in entry["patterns"])
        _refuse_unknown_rules(patterns, rules)
        matcher = _compile(patterns, rules, slots, typed)
        answers = {variant: tuple(lines) for variant, lines in entry["answers"].items()}
        intents.append(Intent(entry["name"], patterns, matcher, answers, entry.get("skill", "plain")))
    return Rulebook(
        intents=tuple(intents),
        rules=rules,
        sources=sources,
        intent_sources={entry["name"]: tuple(entry["patterns"]) for entry in raw["intent"]},
        openers=_words(sources["opener"]),
        closers=_words(sources["closer"]),
        agent=raw["conversation"]["agent"],
        opening=raw["conversation"]["opening"],
        silence=tuple(raw["conversation"]["silence"]),
        fallback=tuple(raw["conversation"]["fallback"]),
    )


def _words(source: str) -> frozenset[str]:
    return frozenset(word.strip() for word in source.split("|"))


def _refuse_unknown_rules(patterns: list[Pattern] | tuple[Pattern, ...], rules: Mapping[str, Pattern]) -> None:
    for pattern in patterns:
        for rule in references(pattern):
            if rule not in rules:
                raise ValueError(f"a pattern mentions <{rule}>, but there is no such rule or slot")


def _compile(
    patterns: tuple[Pattern, ...],
    rules: Mapping[str, Pattern],
    slots: Mapping[str, _Slot],
    typed: Mapping[str, Pattern],
) -> re.Pattern[str]:
    """One regular expression for an intent; the k-th mention of a slot in it is the group `<slot>_<k>`."""
    numbers = count()

    def rule_regex(rule: str, *, inside_slot: bool) -> str:
        inner = partial(rule_regex, inside_slot=inside_slot)
        if inside_slot or rule not in slots:
            return "(?:" + regex(rules[rule], inner) + ")"
        slot = slots[rule]
        no_name = _NOT_IN_A_NAME if slot.typed_words <= LONGEST_NAME_WORDS else ""
        any_words = rf"(?:{no_name}\S+ ){{1,{slot.typed_words}}}"
        kept = any_words if slot.typed_words else regex(typed[rule], partial(rule_regex, inside_slot=True))
        return f"(?P<{rule}_{next(numbers)}>{kept})"

    outer = partial(rule_regex, inside_slot=False)
    return re.compile("|".join(f"(?:{regex(pattern, outer)})" for pattern in patterns))
