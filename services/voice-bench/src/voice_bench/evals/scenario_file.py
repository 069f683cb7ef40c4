"""How is a scenario read? YAML, checked; a mistake is told with file, line and key."""

import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import yaml
from pcm import read_wav
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from voice_bench.evals.scenario import Scenario

SCHEMA_FILE = "scenario.schema.json"


class BadScenarioFile(ValueError):
    """A file holds no scenario; each line of the text says where and why."""


def read_scenario(file: Path) -> Scenario:
    """The scenario in a file. Raises BadScenarioFile."""
    try:
        text = file.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise BadScenarioFile(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadScenarioFile(f"{file}: no YAML: {error}") from None
    if not isinstance(content, dict):
        raise BadScenarioFile(f"{file}:1: a scenario is made of keys and values, such as title: and caller:")
    if twice := [*_doubles(root)]:
        raise BadScenarioFile("\n".join(f"{file}:{line}: {key}: this key stands there twice" for line, key in twice))
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise BadScenarioFile("\n".join(_mistakes(file, error, root))) from None
    for number, step in enumerate(scenario.caller):
        if step.play is not None:
            _check_recording(file, step.play, root, number)
    return scenario


def _check_recording(scenario: Path, name: str, root: yaml.Node | None, step: int) -> None:
    """Raises BadScenarioFile for one that can't be played."""
    try:
        read_wav(scenario.parent / name)
    except (OSError, ValueError) as error:
        line, _ = _place(root, ["caller", step, "play"])
        why = f"{name}: {error.strerror}" if isinstance(error, OSError) else error
        raise BadScenarioFile(f"{scenario}:{line}: caller.{step + 1}.play: {why}") from None


def _doubles(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Keys that stand there twice, with their lines: of two values the first would be lost unseen."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if name.value in seen:
                yield name.start_mark.line + 1, str(name.value)
            seen.add(name.value)
            yield from _doubles(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _doubles(value)


def scenario_files(paths: Sequence[Path]) -> list[Path]:
    """The files that are named, and those in the folders that are. Raises BadScenarioFile when there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*.y*ml"))
        else:
            found.append(path)
    if not found:
        raise BadScenarioFile(f"there is no scenario in {', '.join(map(str, paths))}; they are files NAME.yaml")
    return found


def schema() -> str:
    """The JSON Schema of scenarios, for editors."""
    described = Scenario.model_json_schema(mode="validation")
    return json.dumps(described | {"$schema": "https://json-schema.org/draft/2020-12/schema"}, indent=1) + "\n"


def _mistakes(file: Path, error: ValidationError, root: yaml.Node | None) -> list[str]:
    """One line for each mistake, in the file's order; of one place only the first."""
    told: dict[str, tuple[int, str]] = {}
    errors = error.errors(include_url=False)
    for one in errors:
        if one["type"] == "too_short" and len(errors) > 1:
            continue  # it lacks what was left out because of another mistake
        keys = [part for part in one["loc"] if isinstance(part, int) or not part.startswith("function-")]
        line, reached = _place(root, keys)
        key = ".".join(str(part) if isinstance(part, str) else f"{part + 1}" for part in reached)
        told.setdefault(key, (line, f"{file}:{line}: {key or 'scenario'}: {_sentence(one)}"))
    return [sentence for _, sentence in sorted(told.values())]


def _sentence(one: ErrorDetails) -> str:
    """What is wrong, and what to write instead."""
    given = one["input"]
    match one["type"]:
        case "extra_forbidden":
            return "this key is not known here; docs/evals.md and the schema list those that are"
        case "missing":
            return "this key is missing"
        case "too_short":
            return "this list is empty; it needs at least one entry"
        case "literal_error" if isinstance(given, str):
            known = get_close_matches(given, re.findall(r"'([^']+)'", one["msg"]), 3, 0.3)
            return f"{given!r} is not known here; {'perhaps ' + ' or '.join(map(repr, known)) if known else one['msg']}"
        case _:
            return one["msg"].removeprefix("Value error, ")


def _place(node: yaml.Node | None, keys: Sequence[str | int]) -> tuple[int, list[str | int]]:
    """The line of the value under these keys, and the keys that are there: steps and events count from 1."""
    line, reached = 1, []
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pairs = {name.value: (name, value) for name, value in node.value}
            if key not in pairs:
                reached.append(key)
                break
            name, node = pairs[str(key)]
            line = name.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
        reached.append(key)
    return line, reached
