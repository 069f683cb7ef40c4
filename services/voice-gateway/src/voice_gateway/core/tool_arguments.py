"""Are a call's arguments what its tool declares? JSON, and as the tool's schema wants them, before anybody is asked.

The schemas of the operator's own file are checked whole. Those that come from outside, from a caller's client or an MCP
server, are checked as far as that costs no more than to read them: "pattern" may take for ever, "$ref" and "anyOf" grow
with each level. Whoever declared such a tool checks the rest. No schema makes the gateway fetch anything.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import create
from referencing import Registry

from voice_gateway.core.tools import Tool, ToolCall

MAX_SCHEMA_CHARS = 16 * 1024
"""Of one tool, as JSON."""
MAX_ARGUMENT_CHARS = 16 * 1024
_ERRORS, _ERROR_CHARS = 3, 200
_CHEAP = (
    "type", "properties", "required", "items", "prefixItems", "enum", "const", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
_ABSENT = object()
_NUMBER = (int, float)
_SHAPES: dict[str, tuple[type, ...]] = {
    "type": (str, list), "properties": (dict,), "required": (list,), "items": (dict, bool), "prefixItems": (list,),
    "additionalProperties": (dict, bool), "enum": (list,), "minimum": _NUMBER, "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER, "exclusiveMaximum": _NUMBER, "minLength": (int,), "maxLength": (int,),
    "minItems": (int,), "maxItems": (int,), "minProperties": (int,), "maxProperties": (int,),
}  # fmt: skip


class BadArguments(ValueError):
    """The call can't be carried out; the sentence says what to write instead."""


def arguments(call: ToolCall, tool: Tool) -> dict[str, Any]:
    """The arguments of a call. Raises BadArguments."""
    if len(call.arguments) > MAX_ARGUMENT_CHARS:
        raise BadArguments(f"the arguments have {len(call.arguments)} characters; write at most {MAX_ARGUMENT_CHARS}")
    try:
        found = json.loads(call.arguments, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadArguments(
            f"the arguments are no valid JSON ({error}); call {call.name} again with valid JSON"
        ) from None
    if not isinstance(found, dict):
        raise BadArguments(f"the arguments must be a JSON object; call {call.name} again with one")
    if wrong := _wrong(tool, found):
        raise BadArguments(f"the arguments don't fit: {wrong}; call {call.name} again with other ones")
    return found


def check_schema(schema: object, *, whole: bool) -> str:
    """What is wrong with a tool's schema; "" = nothing. Unless `whole`, what the cheap check goes by is looked at only:
    16,000 characters take up to 0.8 s against the schema of schemas, 2 ms so."""
    if not isinstance(schema, Mapping):
        return "must be a JSON schema, a mapping with the type object"
    if schema.get("type", "object") != "object":
        return 'must have the type "object": arguments have names'
    if not whole:
        return _misshaped(schema, "")
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return f"is no JSON schema: {_short(error)}"
    except RecursionError:
        return "is nested too deeply"
    return ""


def _misshaped(schema: object, place: str) -> str:
    """The first part of a schema that could not be used; "" = none."""
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, Mapping):
        return f"hold {place or 'something'} that is no schema"
    for name, shapes in _SHAPES.items():
        value = schema.get(name, _ABSENT)
        if value is not _ABSENT and (not isinstance(value, shapes) or (isinstance(value, bool) and bool not in shapes)):
            return f"hold {place}{name} that no JSON schema has"
    if any(not isinstance(name, str) for name in schema.get("required", ())):
        return f"hold {place}required that is no list of names"
    parts = [(f"{place}properties.{name}", part) for name, part in schema.get("properties", {}).items()]
    parts += [(f"{place}{name}", schema[name]) for name in ("items", "additionalProperties") if name in schema]
    parts += [(f"{place}prefixItems", part) for part in schema.get("prefixItems", ())]
    return next((wrong for where, part in parts if (wrong := _misshaped(part, f"{where}."))), "")


def _wrong(tool: Tool, found: dict[str, Any]) -> str:
    try:
        errors = list(islice(_validator(tool.parameters, whole=tool.by == "http").iter_errors(found), _ERRORS))
    except Exception as error:  # a reference that leads nowhere, a pattern that is none
        return f"the tool's schema can't be used ({_first_line(error)})"
    return "; ".join(map(_short, errors))


@lru_cache(maxsize=1024)
def _validator(schema: str, *, whole: bool) -> Validator:
    read = json.loads(schema)
    return Draft202012Validator(read, registry=Registry()) if whole else _Cheap(read)


def _additional(validator: Validator, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, wanted, instance, schema)


_Cheap = create(
    meta_schema=Draft202012Validator.META_SCHEMA,
    validators={
        **{name: Draft202012Validator.VALIDATORS[name] for name in _CHEAP},
        "additionalProperties": _additional,
    },
)


def _short(error: ValidationError | SchemaError) -> str:
    place = ".".join(map(str, error.absolute_path))
    message = error.message if len(error.message) <= _ERROR_CHARS else f"{error.message[:_ERROR_CHARS]}..."
    return f"{place}: {message}" if place else message


def _first_line(error: Exception) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__)[:_ERROR_CHARS]


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
