"""What have all groups of settings in common? How they are read, and the ranges of numbers."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

CONFIG = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]
Milliseconds = Annotated[int, Field(ge=0, le=600_000)]
Seconds = Annotated[float, Field(gt=0)]
Part = Annotated[float, Field(gt=0, le=1)]
