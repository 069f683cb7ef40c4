"""How does an operator learn what can be set? Every setting as a table for people and as a list for programs."""

from typing import Any

from pydantic import SecretStr

from voice_gateway.config import Settings

_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def described() -> list[dict[str, Any]]:
    """Every setting: name, default, type (string, integer, number, boolean), bounds, choices, whether it is live or
    a secret, and what it means. A bound of None is none; `exclusive_minimum` says that the minimum itself is refused.
    """
    properties = Settings.model_json_schema()["properties"]
    return [_one(name, field) for name, field in properties.items()]


def table() -> str:
    """Every setting as a Markdown table, from the settings alone."""
    rows = ["| variable | default | live | meaning |", "|---|---|---|---|"]
    for one in described():
        default = one["default"] if one["default"] != "" else " "
        rows.append(f"| `{one['name']}` | `{default}` | {'live' if one['live'] else ''} | {one['description']} |")
    return "\n".join(rows)


def _one(name: str, field: dict[str, Any]) -> dict[str, Any]:
    shape = _shape(field)
    lowest = shape.get("minimum", shape.get("exclusiveMinimum"))
    choices = shape.get("enum") or ([shape["const"]] if "const" in shape else None)
    return {
        "name": name.upper(),
        "default": _plain(Settings.model_fields[name].default),
        "type": _TYPES[shape["type"]],
        "minimum": lowest,
        "maximum": shape.get("maximum"),
        "exclusive_minimum": "exclusiveMinimum" in shape,
        "min_length": shape.get("minLength"),
        "max_length": shape.get("maxLength"),
        "choices": choices,
        "live": bool(field.get("live")),
        "secret": bool(field.get("writeOnly")),
        "description": field["description"],
    }


def _shape(field: dict[str, Any]) -> dict[str, Any]:
    """A setting that may be unset is described by what it is when it is set."""
    options = field.get("anyOf", [field])
    return next(option for option in options if option["type"] != "null")


def _plain(default: object) -> str | int | float | bool:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return default if isinstance(default, str | int | float | bool) else ""
