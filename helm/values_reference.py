"""What can be set in the chart? Its schema, ranges.json and README.md, from values.yaml and the gateway's settings.

python helm/values_reference.py            write the files
python helm/values_reference.py --check    say which is stale (exit status 1) and write nothing
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from voice_gateway.config_table import described

CHART = Path(__file__).parent / "voice-workflow"
ODD_NAMES = {
    "gateway.logLevel": "LOG_LEVEL",
    "gateway.logFormat": "LOG_FORMAT",
    "turn.greeting": "GREETING",
    "vad.detector": "VAD",
}
"""Values of `config` whose variable is not GROUP_NAME; templates/_config.tpl has the same."""
RENAMED = ("embedded", "parakeet")
"""Keys of earlier releases."""
_LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]+):(?P<value>.*?)?(?: # (?P<comment>.*))?$")
_NUMBER_AS_TEXT = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
"""`helm --set a=0.2` makes a text of a fraction, whose range no schema tells: validations.yaml does, by ranges.json."""
_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True, slots=True)
class Value:
    """One line of values.yaml that holds a value, not further keys."""

    path: tuple[str, ...]
    default: Any
    meaning: str = ""
    schema: dict[str, Any] = field(default_factory=dict)


def variable(path: tuple[str, ...]) -> str:
    """The environment variable of a value below `config`: ("config", "llm", "maxTokens") is LLM_MAX_TOKENS."""
    group, key = path[1:]
    return ODD_NAMES.get(f"{group}.{key}") or re.sub(r"(?<!^)(?=[A-Z])", "_", f"{group}_{key}").upper()


def read_values(text: str) -> list[Value]:
    """Every value in the order of the file. Raises ValueError for a @schema that is no YAML mapping."""
    defaults = yaml.safe_load(text)
    notes = dict(_notes(text))
    return [_value(path, default, notes.get(path, "")) for path, default in _leaves(defaults, notes)]


def schema(values: list[Value]) -> dict[str, Any]:
    """The closed JSON schema of values.yaml: what does not stand there is refused, free maps excepted."""
    root = _closed()
    for value in values:
        node = root
        for key in value.path[:-1]:
            node = node["properties"].setdefault(key, _closed())
        node["properties"][value.path[-1]] = _property(value)
    _require(root)
    for name in RENAMED:
        root["properties"][name] = {"description": "renamed: the templates refuse it with the new name"}
    root["properties"]["global"] = {"type": "object", "description": "set by Helm when this is a subchart; unused"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "voice-workflow", **root}


def readme(values: list[Value]) -> str:
    """The chart's README: how to use it, and every value."""
    rows = [f"| `{'.'.join(value.path)}` | `{_shown(value.default)}` | {_meaning(value)} |" for value in values]
    text = (Path(__file__).parent / "README.template.md").read_text(encoding="utf-8")
    return text.replace("{{values}}", "\n".join(["| value | default | meaning |", "|---|---|---|", *rows]))


def documents() -> dict[Path, str]:
    """What stands in each generated file."""
    values = read_values((CHART / "values.yaml").read_text(encoding="utf-8"))
    return {
        CHART / "values.schema.json": json.dumps(schema(values), indent=2, ensure_ascii=False) + "\n",
        CHART / "ranges.json": json.dumps(numbers(values), indent=2) + "\n",
        CHART / "README.md": readme(values),
        CHART / "Chart.yaml": _with_version((CHART / "Chart.yaml").read_text(encoding="utf-8")),
    }


def _with_version(chart: str) -> str:
    version = (CHART.parents[1] / "VERSION").read_text(encoding="utf-8").strip()
    return re.sub(r'^(version: |appVersion: ")[^"\n]*', rf"\g<1>{version}", chart, flags=re.MULTILINE)


def _notes(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The comment behind each key."""
    path: list[str] = []
    for line in text.splitlines():
        if match := _LINE.match(line):
            path = [*path[: len(match["indent"]) // 2], match["key"]]
            yield tuple(path), (match["comment"] or "").strip()


def _leaves(node: dict[str, Any], notes: dict[tuple[str, ...], str], above: tuple[str, ...] = ()) -> Iterator[Any]:
    for key, inner in node.items():
        path = (*above, key)
        if isinstance(inner, dict) and inner and "@schema" not in notes.get(path, ""):
            yield from _leaves(inner, notes, path)
        else:
            yield path, inner


def _value(path: tuple[str, ...], default: Any, note: str) -> Value:
    meaning, _, annotation = note.partition("@schema")
    extra = yaml.safe_load(annotation) if annotation.strip() else {}
    if not isinstance(extra, dict):
        raise ValueError(f"{'.'.join(path)}: what stands behind @schema is no mapping: {annotation.strip()}")
    return Value(path, default, meaning.strip().removeprefix("--").strip(), extra)


def _closed() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _require(node: dict[str, Any]) -> None:
    """Nothing but lists, free maps and what says so may be taken away by null: the templates lean on it."""
    properties = node["properties"]
    free = [name for name, one in properties.items() if _may_be_null(one)]
    node["required"] = [name for name in properties if name not in free]
    for one in properties.values():
        if "properties" in one:
            _require(one)


def _may_be_null(one: dict[str, Any]) -> bool:
    kind = one.get("type")
    return (kind in ("object", "array") and "properties" not in one) or (isinstance(kind, list) and "null" in kind)


def _property(value: Value) -> dict[str, Any]:
    if value.path[0] == "config":
        facts = _setting(value) | value.schema
        return {"anyOf": [facts, _NUMBER_AS_TEXT]} if facts["type"] == "number" else facts
    return _plain_schema(value) | value.schema


def numbers(values: list[Value]) -> dict[str, dict[str, float]]:
    """The range of each setting that may be a fraction, for the templates: see _NUMBER_AS_TEXT."""
    schemas = {value.path[1:]: _setting(value) for value in values if value.path[0] == "config"}
    return {
        ".".join(path): {key: fact for key, fact in facts.items() if "inimum" in key or key == "maximum"}
        for path, facts in schemas.items()
        if facts["type"] == "number"
    }


def _plain_schema(value: Value) -> dict[str, Any]:
    if isinstance(value.default, dict):
        if value.path[-1] == "env":
            variables = {"^[A-Z][A-Z0-9_]*$": {"type": "string"}}
            return {"type": "object", "additionalProperties": False, "patternProperties": variables}
        return {"type": "object", "additionalProperties": {} if "type" in value.schema else {"type": "string"}}
    if isinstance(value.default, list):
        return {"type": "array", "items": {"type": "object"}}
    return {"type": _TYPES[type(value.default)]}


def _setting(value: Value) -> dict[str, Any]:
    """The gateway's own ranges, so that a bad value never reaches the cluster."""
    setting = _settings()[variable(value.path)]
    lowest = "exclusiveMinimum" if setting["exclusive_minimum"] else "minimum"
    facts = {
        "type": setting["type"],
        lowest: setting["minimum"],
        "maximum": setting["maximum"],
        "minLength": setting["min_length"],
        "maxLength": setting["max_length"],
        "enum": setting["choices"],
    }
    return {key: fact for key, fact in facts.items() if fact is not None}


def _settings() -> dict[str, dict[str, Any]]:
    return {setting["name"]: setting for setting in described()}


def _meaning(value: Value) -> str:
    if value.path[0] == "config":
        setting = _settings()[variable(value.path)]
        live = " (live)" if setting["live"] else ""
        return f"`{setting['name']}`{live}: {value.meaning or setting['description']}"
    parts = [value.meaning] if value.meaning else []
    if choices := value.schema.get("enum"):
        parts.append(" or ".join(f"`{choice}`" for choice in choices))
    return "; ".join(parts)


def _shown(default: Any) -> str:
    return json.dumps(default, ensure_ascii=False) if default != "" else " "


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the chart's values.schema.json, ranges.json and README.md.")
    parser.add_argument("--check", action="store_true", help="only say whether they are stale")
    check = parser.parse_args(arguments).check
    stale = [path for path, text in documents().items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            sys.stderr.write(f"{path.relative_to(CHART.parent.parent)} is stale: run `make docs`\n")
        else:
            path.write_text(documents()[path], encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
