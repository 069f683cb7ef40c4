"""Which settings hold for new calls? Those of the start, and over them what the live file says, once it was checked.

The file is a YAML mapping of setting names to values. It is taken whole or not at all: one bad variable, and what was
taken before goes on to hold. Only at the start, when nothing was taken before, each good line counts: a pod that is
restarted, or an older one beside newer settings, had better serve.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

import yaml
from pydantic import ValidationError
from serving.settings import BadSettings, complaints

from voice_gateway.config import Settings

MAX_BYTES = 256 * 1024
"""Far more than all settings together, and read within milliseconds."""
MAX_PARTS = 1000
"""Names, values, lists: a file has two for each setting."""
_MAX_DEPTH = 8
_MAX_NUMBER_CHARS = 64
_NUMBER = re.compile(r"[-+0-9._:a-fA-FxobXOB]+")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where there is one: the event loop waits for it."""
_LIVE = frozenset(
    name.upper()
    for name, field in Settings.model_fields.items()
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("live")
)
_BOOLEANS = frozenset(name.upper() for name, field in Settings.model_fields.items() if field.annotation is bool)


@dataclass(frozen=True, slots=True)
class Live:
    """What holds for new calls, and what became of the file as it stands."""

    settings: Settings
    taken: str = ""
    """First 12 characters of the SHA-256 of the file whose values hold; "" = none was taken."""
    refused: str = ""
    """Why the file, as it stands, is not taken; "" = it is, or there is none."""
    seen: str = ""
    """The file that was looked at last; "" = it could not be read."""


def begun(startup: Settings, content: bytes) -> Live:
    """At the start: every good line holds, and the others are named."""
    seen = _digest(content)
    try:
        wanted = _mapping(content)
    except BadSettings as error:
        return Live(startup, refused=str(error), seen=seen)
    settings, bad = _checked(startup, wanted)
    refused = dict(bad)
    while bad:
        left = {name: value for name, value in wanted.items() if name not in bad}
        wanted = left if left != wanted else {}  # what the bad lines do to other settings can't be told apart
        settings, bad = _checked(startup, wanted)
        refused |= bad
    return Live(settings, "" if refused else seen, "; ".join(refused.values()), seen)


def looked(live: Live, startup: Settings, content: bytes | str) -> Live:
    """After a look at the file: its bytes, or the sentence why it can't be read."""
    if isinstance(content, str):
        return replace(live, refused=content, seen="")
    seen = _digest(content)
    if seen == live.seen:
        return live
    try:
        return Live(merged(startup, content), taken=seen, seen=seen)
    except BadSettings as error:
        return replace(live, refused=str(error), seen=seen)


def merged(startup: Settings, content: bytes) -> Settings:
    """The settings of the start with those of the file over them. Raises BadSettings naming every bad variable."""
    settings, bad = _checked(startup, _mapping(content))
    if bad:
        raise BadSettings("; ".join(bad.values()))
    return settings


def _checked(startup: Settings, wanted: Mapping[str, object]) -> tuple[Settings, Mapping[str, str]]:
    """The settings with what is wanted over them, and what is wrong, by variable: then unchanged."""
    bad = {name: trouble for name, value in wanted.items() if (trouble := _trouble(name, value))}
    good = {name.lower(): value for name, value in wanted.items() if name not in bad}
    try:
        settings = Settings(**{**{name: getattr(startup, name) for name in Settings.model_fields}, **good})
    except ValidationError as error:
        return startup, bad | complaints(error)
    return startup if bad else settings, bad


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _mapping(content: bytes) -> Mapping[str, object]:
    if len(content) > MAX_BYTES:
        raise BadSettings(f"the live file holds {len(content)} bytes; {MAX_BYTES} are the most")
    try:
        _check_shape(content)
        _check_names(content)
        found = yaml.load(content, _LOADER)
    except BadSettings:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadSettings(f"the live file is no YAML: {' '.join(str(error).split())}") from None
    if found is not None and not isinstance(found, dict):
        raise BadSettings("the live file must be a mapping, one NAME: value on each line")
    if not found or not any(str(name) in _LIVE for name in found):
        raise BadSettings(
            "the live file names no live setting; an empty one is most likely a mistake, so the settings in force stay"
        )
    return {str(name): value for name, value in found.items()}


def _check_shape(content: bytes) -> None:
    """Nothing that is small to write and huge to read, told part by part: what comes after it is not looked at.
    Raises BadSettings, or yaml.YAMLError."""
    depth = 0
    for count, event in enumerate(yaml.parse(content, _LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if getattr(event, "anchor", None):
            raise BadSettings("the live file has anchors or aliases (& and *); write each value out, in quotes")
        if count > MAX_PARTS or depth > _MAX_DEPTH:
            raise BadSettings("the live file holds lists within lists, or too much; write one NAME: value on each line")
        if isinstance(event, yaml.ScalarEvent):
            _check_number(event)


def _check_names(content: bytes) -> None:
    """Of two lines with one name the last would win, unseen."""
    tree = yaml.compose(content, _LOADER)
    names = [str(key.value) for key, _ in tree.value] if isinstance(tree, yaml.MappingNode) else []
    for name in names:
        if names.count(name) > 1:
            raise BadSettings(f"{name[:_MAX_NUMBER_CHARS]}: stands there twice; take one of the lines out")


def _check_number(event: yaml.ScalarEvent) -> None:
    """A number of many digits takes long to be read."""
    if not event.style and len(event.value) > _MAX_NUMBER_CHARS and _NUMBER.fullmatch(event.value):
        raise BadSettings(f"the live file holds a number of {len(event.value)} digits; words belong in quotes")


def _trouble(name: str, value: object) -> str:
    """What is wrong with a variable before its value is checked; "" = nothing."""
    if name not in _LIVE:
        if name.lower() in Settings.model_fields and name.isupper():
            return f"{name}: can't change while the gateway runs; set it in the environment and restart"
        near = get_close_matches(name.upper(), _LIVE, 1)
        return f"{name}: is no setting{f'; is {near[0]} meant?' if near else ''}"
    if value is None:
        return f"{name}: has no value; give one, or leave the line out"
    if isinstance(value, bool) and name not in _BOOLEANS:
        return f"{name}: must not be {str(value).lower()}; put words in quotes"
    return ""
