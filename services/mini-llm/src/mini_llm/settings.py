"""What can an operator set? Read once from the environment."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from serving.plaintext import is_loopback


class Fault(StrEnum):
    """How a reply can go wrong on purpose."""

    NONE = "none"
    UNAVAILABLE = "unavailable"
    """503 at once."""
    RATE_LIMITED = "rate_limited"
    """429 at once, with Retry-After."""
    SILENT = "silent"
    """The stream opens, then nothing comes."""
    SLOW = "slow"
    """Every token comes MINI_LLM_SLOW_MS late, on top of the one before."""
    STALL_MIDWAY = "stall_midway"
    """Half of the reply, then nothing more comes."""
    ERROR_MIDWAY = "error_midway"
    """Half of the reply, then an error event."""
    CLOSE_MIDWAY = "close_midway"
    """Half of the reply, then the connection breaks."""


class Settings(BaseSettings):
    """Every variable is MINI_LLM_ + the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MINI_LLM_", frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 needs MINI_LLM_PLAINTEXT")
    plaintext: bool = Field(
        False, description="serve other machines: the mini LLM has no encryption, and asks nobody for a key"
    )
    port: int = Field(8001, ge=0, le=65_535, description="port to listen on; 0 = any free port")
    ports_file: Path | None = Field(None, description='file that gets {"http": PORT} once the server listens')
    model: str = Field("mini-llm", min_length=1, description="name of the model in lists and answers")
    strict_model: bool = Field(False, description="refuse requests for any other model with 404")
    ready_after_ms: int = Field(0, ge=0, description="time after the start in which readiness is 503, milliseconds")
    drain_s: float = Field(5.0, ge=0, description="time that running replies may take after SIGTERM, seconds")
    first_token_ms: float = Field(0, ge=0, description="time from a request to its first token, milliseconds")
    token_ms: float = Field(0, ge=0, description="time from one token to the next, milliseconds")
    script: str | None = Field(None, description="text of every answer; {last} = the caller's last message")
    timeline: Path | None = Field(None, description="file for JSON lines with times of requests and tokens")
    fault: Fault = Field(Fault.NONE, description="fault to simulate: " + " | ".join(Fault))
    fault_after: int = Field(0, ge=0, description="number of chat requests that are answered well at first")
    fault_count: int | None = Field(None, ge=0, description="number of requests with the fault; empty = all")
    slow_ms: float = Field(1_000, ge=0, description="extra time for each token with fault `slow`, milliseconds")

    @model_validator(mode="after")
    def _plaintext_is_asked_for(self) -> "Settings":
        if not (self.plaintext or is_loopback(self.host)):
            raise ValueError(
                f"MINI_LLM_HOST={self.host} is reached from other machines, and nothing is encrypted; set "
                "MINI_LLM_PLAINTEXT=true if that is meant, or MINI_LLM_HOST=127.0.0.1"
            )
        return self
