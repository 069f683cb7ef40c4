"""Which tools does the operator declare, and where are they? GATEWAY_TOOLS_FILE, read at the start, every part checked.

The file is YAML with two lists: `tools`, each an HTTP endpoint, and `mcp`, servers that say themselves which tools they
have. Secrets stand in the environment or in files; the file names them.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator
from serving.settings import BadSettings

from voice_gateway.core.tool_arguments import MAX_SCHEMA_CHARS, check_schema

MAX_BYTES = 256 * 1024
MAX_TOOLS, MAX_SERVERS = 128, 16
MAX_TIMEOUT_S = 120.0
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OURS = frozenset({"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret(_Entry):
    """A header's value that does not stand in the file."""

    env: str = ""
    file: Path | None = None
    prefix: str = ""
    """Stands before it: "Bearer "."""

    def read(self) -> str:
        """The value of now: a file may be renewed. Raises ValueError."""
        if (self.file is None) == (not self.env):
            raise ValueError("name one of env (a variable) and file")
        try:
            value = os.environ[self.env] if self.file is None else self.file.read_text(encoding="utf-8")
        except KeyError:
            raise ValueError(f"the variable {self.env} is not set") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.file} can't be read ({getattr(error, 'strerror', None) or 'no text'})") from None
        if not value.strip() or _CONTROL.search(value.strip()):
            raise ValueError(f"{self.env or self.file} holds nothing, or more than one line")
        return f"{self.prefix}{value.strip()}"


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a whole address, such as https://tools.example/weather")
    if parts.username is not None:
        raise ValueError("must hold no user or password; put them into a header")
    return value


def _headers(value: Mapping[str, str | Secret]) -> Mapping[str, str | Secret]:
    for name, content in value.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"{name!r} is no header that can be set")
        if isinstance(content, Secret):
            content.read()
        elif _CONTROL.search(content):
            raise ValueError(f"{name} holds a control character or a line end")
    return value


class ToolEndpoint(_Entry):
    """Where a server is, and what it is shown."""

    url: Annotated[str, AfterValidator(_url)]
    headers: Annotated[dict[str, str | Secret], AfterValidator(_headers)] = Field(default_factory=dict)
    ca_file: Path | None = None
    """PEM authorities; none = the public ones."""
    client_cert_file: Path | None = None
    client_key_file: Path | None = None

    def header_values(self) -> dict[str, str]:
        """The headers of now. Raises ValueError."""
        found = self.headers.items()
        return {name: content.read() if isinstance(content, Secret) else content for name, content in found}


ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
TimeoutS = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)]


def _no_arguments() -> dict[str, JsonValue]:
    return {"type": "object", "properties": {}}


class HttpTool(_Entry):
    """A tool behind an HTTP endpoint."""

    name: ToolName
    description: str = Field(min_length=1, max_length=1024)
    parameters: dict[str, JsonValue] = Field(default_factory=_no_arguments)
    side_effects: bool = True
    timeout_s: TimeoutS | None = None
    http: ToolEndpoint

    @field_validator("parameters")
    @classmethod
    def _is_a_schema(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if wrong := check_schema(value, whole=True):
            raise ValueError(wrong)
        if len(str(value)) > MAX_SCHEMA_CHARS:
            raise ValueError(f"has more than {MAX_SCHEMA_CHARS} characters")
        return value


class McpServer(ToolEndpoint):
    """A server of the Model Context Protocol (streamable HTTP)."""

    name: ToolName
    """In logs."""
    allow: Literal["*"] | Annotated[list[str], Field(min_length=1, max_length=MAX_TOOLS)]
    """Names of its tools that may be called; "*" = all."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,32}$")] = ""
    """Stands before the names of its tools, so that those of two servers differ."""
    side_effects: dict[str, bool] = Field(default_factory=dict)
    """By tool, where the server does not say it, or says it wrong."""
    timeout_s: TimeoutS | None = None
    refresh_s: float = Field(default=300.0, ge=1, le=86400)
    """How often its tools are listed anew."""


class ToolsFile(_Entry):
    """The whole file."""

    tools: list[HttpTool] = Field(default_factory=list, max_length=MAX_TOOLS)
    mcp: list[McpServer] = Field(default_factory=list, max_length=MAX_SERVERS)


def tools_file(file: Path | None) -> ToolsFile:
    """What the operator declares; nothing without a file. Blocking. Raises BadSettings."""
    if file is None:
        return ToolsFile()
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"holds more than {MAX_BYTES} bytes")
        return parsed(content.decode())
    except OSError as error:
        raise BadSettings(f"GATEWAY_TOOLS_FILE: {file} can't be read ({error.strerror})") from None
    except ValueError as error:
        raise BadSettings(f"GATEWAY_TOOLS_FILE: {file}: {error}") from None


def parsed(text: str) -> ToolsFile:
    """The file's text, checked. Raises ValueError that names the place."""
    try:
        if any(getattr(event, "anchor", None) for event in yaml.parse(text, _LOADER)):
            raise ValueError("has anchors or aliases (& and *); write each value out")
        found = yaml.load(text, _LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"is no YAML: {' '.join(str(error).split())}") from None
    try:
        read = ToolsFile.model_validate(found or {})
    except ValidationError as error:
        raise ValueError("; ".join(map(_sentence, error.errors()[:5]))) from None
    names = [tool.name for tool in read.tools] + [server.name for server in read.mcp]
    if double := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"{double} stands there twice; give each tool and server a name of its own")
    return read


def _sentence(error: Any) -> str:
    """Place and message; never the value, which may be a secret."""
    place = ".".join(str(part) for part in error["loc"] if part not in ("str", "Secret"))
    return f"{place or 'the file'}: {error['msg'].removeprefix('Value error, ')}"
