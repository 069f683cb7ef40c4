"""What can be said to the agent, and what does it answer? `intents.toml`, read and compiled."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import count

from mini_llm.arithmetic import SUM
from mini_llm.text_normalisation import NUMBER, normalise

_SHORT = {"is": "'s", "us": "'s", "am": "'m", "are": "'re", "have": "'ve", "would": "'d", "will": "'ll", "not": "n't"}
_TOKEN = re.compile(r"<(\w+)>|([()\[\]|])|([^\s()\[\]|<>]+)")
_BRACKETS = {"(": "(?:", "[": "(?:", "|": "|", ")": ")", "]": ")?"}


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing a caller can mean."""

    name: str
    matcher: re.Pattern[str]
    """Finds it in normalised text, with openers and closers; groups named `<slot>_<k>` hold the slots' words."""
    answers: Mapping[str, tuple[str, ...]]
    """By variant, taken in turn; with {fields}."""
    skill: str
    alone: bool
    """Not answered beside something else."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All intents, and what is said when nothing is meant."""

    intents: tuple[Intent, ...]
    agent: str
    opening: str
    silence: tuple[str, ...]
    fallback: tuple[str, ...]

    def intent(self, name: str) -> Intent:
        """By name; StopIteration when there is none."""
        return next(intent for intent in self.intents if intent.name == name)


@cache
def load_rulebook() -> Rulebook:
    """The rulebook of this package."""
    return read_rulebook(resources.files("mini_llm").joinpath("intents.toml").read_text("utf-8"))


def read_rulebook(text: str) -> Rulebook:
    """Compile the text of an intent file. Raises KeyError for a rule that is missing."""
    raw = tomllib.loads(text)
    intents = tuple(
        Intent(
            name=name,
            matcher=_matcher(entry["patterns"], raw["rules"], raw["slots"]),
            answers={variant: tuple(lines) for variant, lines in entry["answers"].items()},
            skill=entry.get("skill", "plain"),
            alone=entry.get("alone", False),
        )
        for name, entry in raw["intent"].items()
    )
    talk = raw["conversation"]
    return Rulebook(intents, talk["agent"], talk["opening"], tuple(talk["silence"]), tuple(talk["fallback"]))


def _matcher(patterns: list[str], rules: Mapping[str, str], slots: Mapping[str, str]) -> re.Pattern[str]:
    numbers = count()

    def rule(name: str) -> str:
        if name in slots:
            return f"(?P<{name}_{next(numbers)}>{expression(slots[name], rule)})"
        return primitives[name] if name in primitives else expression(rules[name], rule)

    primitives = {"digits": f"{NUMBER} ", "calculation": SUM, "words": r"(?:\S+ ){1,16}"}
    no_name = expression(rules["no_name"], rule)
    primitives["any"] = rf"(?!{no_name})\S+ "
    # Not short forms ("I'm"), nor what is written in capitals throughout: there they say nothing.
    primitives["capitals"] = rf"(?:(?!{no_name}|\S+'\S{{1,2}} )(?-i:[A-ZÀ-ÖØ-Þ](?=\S*[a-zß-ÿ]))\S* ){{1,3}}"
    meant = expression(" | ".join(patterns), rule)
    opener, closer = (expression(rules[name], rule) for name in ("opener", "closer"))
    return re.compile(rf"(?<!\S){opener}*?{meant}{closer}*", re.IGNORECASE)


def expression(pattern: str, rule: Callable[[str], str]) -> str:
    """A pattern as a regular expression over normalised text; `rule` gives that of <name>."""

    def part(found: re.Match[str]) -> str:
        name, bracket, word = found.groups()
        return rule(name) if name else _BRACKETS[bracket] if bracket else re.escape(normalise(word))

    def with_short_forms(found: re.Match[str]) -> str:
        short = found[1] + _SHORT[found[2]]
        bare = short.replace("'", "")
        return f"({found[0]} | {short} | {bare})"

    full = re.sub(rf"\b(\w+) ({'|'.join(_SHORT)})\b", with_short_forms, pattern)
    return f"(?:{''.join(map(part, _TOKEN.finditer(full)))})"
