"""Does the caller's question need a tool, and what does its result say? By rules, as everything here.

A declared tool is called when its name stands in the question: "What is the weather in Paris?" calls `get_weather`,
with "Paris" for the argument `city`. Arguments are filled from the question by their types; where a required one can't
be, the tool is not called. A result is read out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_VERBS = frozenset(
    ["get", "find", "look", "lookup", "up", "fetch", "show", "tell", "what", "read", "current", "now", "the", "my"]
)
_PLACE = re.compile(r"\b(?:in|at|for|of|from|to)\s+((?:[A-ZÀ-Þ]\w+\s*)+|\w+)")
_WORDS = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LONGEST_CHARS = 600
"""Of a result that is read out."""


@dataclass(frozen=True, slots=True)
class Function:
    """A tool as it was declared."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """What is called; `arguments` is JSON."""

    name: str
    arguments: str


def needed(question: str, functions: Sequence[Function]) -> FunctionCall | None:
    """The call that the question needs; None = it can be answered without."""
    said = set(_WORDS.findall(question.lower().replace("'s", "")))
    for function in functions:
        subject = {word for word in _WORDS.findall(function.name.lower()) if word not in _VERBS}
        if subject and subject <= said:
            arguments = _arguments(question, function.parameters)
            if arguments is not None:
                return FunctionCall(function.name, json.dumps(arguments, ensure_ascii=False))
    return None


def read_out(results: Sequence[str]) -> str:
    """The answer when tools have said something."""
    return " ".join(_sentence(result.strip()) for result in results if result.strip()) or "The tool said nothing."


def _arguments(question: str, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    properties = schema.get("properties")
    found: dict[str, Any] = {}
    for name, wanted in properties.items() if isinstance(properties, dict) else ():
        value = _value(question, wanted if isinstance(wanted, dict) else {})
        if value is not None:
            found[name] = value
    required = schema.get("required", [])
    return found if all(name in found for name in (required if isinstance(required, list) else [])) else None


def _value(question: str, wanted: Mapping[str, Any]) -> Any:
    if isinstance(choices := wanted.get("enum"), list):
        return next((choice for choice in choices if str(choice).lower() in question.lower()), None)
    kind = wanted.get("type", "string")
    if kind in ("integer", "number"):
        number = _NUMBER.search(question)
        return (
            None
            if number is None
            else int(number[0])
            if kind == "integer" and "." not in number[0]
            else float(number[0])
        )
    place = _PLACE.search(question) if kind == "string" else None
    return place[1].strip() if place else None


def _sentence(result: str) -> str:
    try:
        value = json.loads(result)
    except ValueError:
        text = result
    else:
        text = ", ".join(f"{key}: {entry}" for key, entry in value.items()) if isinstance(value, dict) else str(value)
    text = text[:_LONGEST_CHARS]
    failed = text.startswith(("Error:", "Cancelled:"))
    text = f"Sorry, that did not work. {text.partition(':')[2].strip()}" if failed else text
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
