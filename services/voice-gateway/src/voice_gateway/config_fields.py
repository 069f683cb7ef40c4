"""What have all settings in common? Their forms, what marks a live one, and what no text may hold."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(ge=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
OneOf = BeforeValidator(int)
"""The environment holds text, which no Literal number equals."""
LIVE: dict[str, JsonValue] = {"live": True}
"""May change while the gateway runs; holds for new calls."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What no text needs; tabs and line ends may stand in prompts."""


class SettingsPart(BaseSettings):
    """Settings of one subject; a name in capitals is the environment variable."""

    model_config = SettingsConfigDict(
        frozen=True, case_sensitive=False, extra="ignore", env_ignore_empty=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _holds_no_control_character(cls, value: object) -> object:
        # A Helm template drops all values silently when one of them holds such a character.
        if isinstance(value, str) and (found := _CONTROL.search(value)):
            raise ValueError(f"holds the control character U+{ord(found[0]):04X} at {found.start() + 1}; take it out")
        return value
