"""What does a pattern (the right side of a JSGF rule) mean: as a regular expression, and as sentences?

Known: words, `[optional]`, `(one | another)`, `<rule>`, `x+`.
Text to match is lower-case words, each followed by one space.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*(?:(<\w+>)|([()\[\]|+])|([^\s()\[\]|+<>]+))")


@dataclass(frozen=True, slots=True)
class Word:
    """One word."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """`<rule>`."""

    rule: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after another; empty = nothing."""

    parts: tuple["Pattern", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    options: tuple["Pattern", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Once or more."""

    part: "Pattern"


Pattern = Word | Reference | Sequence | Choice | Repeat


def parse_pattern(text: str) -> Pattern:
    """Read a pattern. Raises ValueError naming the pattern and what is wrong."""
    tokens = _tokens(text)
    pattern = _parse_choice(tokens, text)
    if tokens:
        raise ValueError(f"pattern {text!r}: {tokens[0]!r} closes nothing")
    return pattern


def regex(pattern: Pattern, rule_regex: Callable[[str], str]) -> str:
    """The regular expression of a pattern; `rule_regex` gives that of a rule by its name."""
    match pattern:
        case Word(text):
            return re.escape(text) + " "
        case Reference(rule):
            return rule_regex(rule)
        case Sequence(parts):
            return "".join(regex(part, rule_regex) for part in parts)
        case Choice(options):
            return "(?:" + "|".join(regex(option, rule_regex) for option in options) + ")"
        case Repeat(part):
            return "(?:" + regex(part, rule_regex) + ")+"


def sample(pattern: Pattern, rules: Mapping[str, Pattern], chance: random.Random) -> list[str]:
    """The words of one random sentence of this pattern."""
    match pattern:
        case Word(text):
            return [text]
        case Reference(rule):
            return sample(rules[rule], rules, chance)
        case Sequence(parts):
            return [word for part in parts for word in sample(part, rules, chance)]
        case Choice(options):
            return sample(chance.choice(options), rules, chance)
        case Repeat(part):
            return sample(part, rules, chance)


def references(pattern: Pattern) -> Iterator[str]:
    """Names of the rules a pattern mentions."""
    match pattern:
        case Reference(rule):
            yield rule
        case Sequence(parts) | Choice(parts):
            for part in parts:
                yield from references(part)
        case Repeat(part):
            yield from references(part)
        case Word():
            pass


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    stripped = text.rstrip()
    while position < len(stripped):
        found = _TOKEN.match(stripped, position)
        if found is None:
            raise ValueError(f"pattern {text!r}: cannot read {stripped[position:]!r}")
        tokens.append(found[0].strip())
        position = found.end()
    return tokens


def _parse_choice(tokens: list[str], text: str) -> Pattern:
    options = [_parse_sequence(tokens, text)]
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        options.append(_parse_sequence(tokens, text))
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _parse_sequence(tokens: list[str], text: str) -> Pattern:
    parts: list[Pattern] = []
    while tokens and tokens[0] not in ")]|":
        token = tokens.pop(0)
        if token == "+":
            if not parts:
                raise ValueError(f"pattern {text!r}: nothing to repeat before '+'")
            parts.append(Repeat(parts.pop()))
        else:
            parts.append(_parse_part(token, tokens, text))
    if not parts:
        raise ValueError(f"pattern {text!r}: an alternative is empty")
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _parse_part(token: str, tokens: list[str], text: str) -> Pattern:
    if token in "([":
        inner = _parse_choice(tokens, text)
        closing = ")" if token == "(" else "]"
        if not tokens or tokens.pop(0) != closing:
            raise ValueError(f"pattern {text!r}: {token!r} is never closed")
        return inner if token == "(" else Choice((inner, Sequence(())))
    if token.startswith("<"):
        return Reference(token[1:-1])
    return Word(token)
