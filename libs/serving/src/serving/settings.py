"""How is an operator told what is wrong with the environment? In one sentence that names each bad variable."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

_SHOWN_CHARS = 80
_NONE: Mapping[str, str] = MappingProxyType({})
_Settings = TypeVar("_Settings", bound=BaseSettings)


class BadSettings(ValueError):
    """The server can't run with these settings; the sentence names each bad variable."""


def read(kind: type[_Settings], other_names: Mapping[str, str] = _NONE) -> _Settings:
    """The environment's settings of this kind; `other_names`: what a field may be called, too. Raises BadSettings."""
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        raise BadSettings("; ".join(complaints(error, prefix, other_names).values())) from None
    except SettingsError as error:  # a JSON variable that isn't JSON
        raise BadSettings(str(error)) from None


def complaints(error: ValidationError, prefix: str = "", other_names: Mapping[str, str] = _NONE) -> dict[str, str]:
    """What is wrong with each bad variable, by its name."""
    said: dict[str, str] = {}
    for part in error.errors():
        path = ".".join(str(step) for step in part["loc"])
        name = f"{prefix}{path}".upper() if path else "settings"
        other = f" (or {other_names[path].upper()})" if path in other_names else ""
        got = f" (got {_shortened(repr(part['input']))})" if path else ""
        said.setdefault(name, f"{name}{other}: {part['msg']}{got}")
    return said


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
