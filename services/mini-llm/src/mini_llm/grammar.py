"""Which grammar and which example sentences does a recogniser need to hear what the responder understands?"""

import random
import tomllib
from importlib import resources

from mini_llm.pattern import parse_pattern, sample

SENTENCES_PER_PATTERN = 24
"""Different sentences drawn from one pattern at most: slots get covered, small patterns come out whole."""

_SAID = {
    "digit": "one | two | three | four | five | six | seven | eight | nine",
    "teen": "ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen",
    "tens": "twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety",
    "number": "zero | <digit> | <teen> | <tens> [<digit>] | (one | a) hundred",
    "sum": "<number> (plus | minus | times | multiplied by | divided by) <number> | <number> squared",
    "name": "<known_name>",
    "sure_name": "<known_name>",
    "capitals": "there",
    "color": "red | green | blue | yellow | orange | purple | black | white | brown | pink",
    "city": "berlin | boston | chicago | dublin | london | new york | paris | rome | seattle | sydney | tokyo | vienna",
    "word": "apple | banana | computer | garden | hello | house | music | river | summer | table | water | winter",
    "phrase": "the quick brown fox | hello world | the sun is shining | we meet again tomorrow",
    "words": "cats | dogs",
    "opener": "okay | well | so | please | now | and | but | oh | can you | could you",
    "closer": "please | now",
}
"""What is offered to a recogniser where text may hold anything."""


def _rules() -> tuple[dict[str, str], dict[str, list[str]]]:
    raw = tomllib.loads(resources.files("mini_llm").joinpath("intents.toml").read_text("utf-8"))
    rules = {name: raw["rules"][name] for name in ("tell_me", "known_name")}
    return {**rules, **_SAID}, {entry["name"]: entry["patterns"] for entry in raw["intent"]}


def jsgf() -> str:
    """All intents as one JSGF grammar with the public rule <utterance>; an opener and a closer may stand around."""
    rules, intents = _rules()
    lines = ["#JSGF V1.0;", "grammar intents;", *(f"<{name}> = {source};" for name, source in rules.items())]
    lines += [f"<intent_{name}> = {' | '.join(f'({text})' for text in texts)};" for name, texts in intents.items()]
    public = " | ".join(f"<intent_{name}>" for name in intents)
    return "\n".join([*lines, f"public <utterance> = [<opener>] ({public}) [<closer>];", ""])


def sentences() -> list[tuple[str, str]]:
    """(intent, sentence) pairs for a language model, some from every pattern; always the same ones."""
    sources, intents = _rules()
    rules = {name: parse_pattern(source) for name, source in sources.items()}
    chance = random.Random(0)
    pairs: list[tuple[str, str]] = []
    for intent, texts in intents.items():
        patterns = [parse_pattern(text) for text in texts for _ in range(SENTENCES_PER_PATTERN)]
        drawn = {" ".join(sample(pattern, rules, chance)) for pattern in patterns}
        pairs += [(intent, text) for text in sorted(drawn)]
    return pairs
