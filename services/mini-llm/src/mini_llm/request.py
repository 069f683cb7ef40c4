"""What does a chat request ask for? The body's shape, checked."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_llm.conversation import Conversation, conversation
from mini_llm.tool_use import Function


class RequestRefused(Exception):
    """The request cannot be answered; says why, in the words and shape of vLLM."""

    def __init__(self, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.status = status


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class TextPart(_Shape):
    """A part of a message's content; only text can be read."""

    type: Literal["text"]
    text: str


class ChatMessage(_Shape):
    """One message as it comes over the wire."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """All its text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class FunctionShape(_Shape):
    """What a tool is called and takes."""

    name: str
    parameters: dict[str, Any] | None = None


class ToolShape(_Shape):
    """A tool that may be called."""

    type: Literal["function"] = "function"
    function: FunctionShape


class StreamOptions(_Shape):
    """What else a stream carries."""

    include_usage: bool | None = None


_TokenLimit = Annotated[int | None, Field(ge=1)]


class ChatRequest(_Shape):  # size: the fields of the wire
    """POST /v1/chat/completions. What is not named here is accepted and has no effect."""

    messages: list[ChatMessage] = Field(min_length=1)
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _TokenLimit = None
    max_completion_tokens: _TokenLimit = None
    stop: str | list[str] | None = None
    n: Annotated[int | None, Field(ge=1, le=1)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    tools: list[ToolShape] | None = None
    tool_choice: str | dict[str, Any] | None = None

    @property
    def conversation(self) -> Conversation:
        """What has been said so far."""
        return conversation([(message.role, message.text) for message in self.messages])

    @property
    def functions(self) -> tuple[Function, ...]:
        """The tools that may be called now."""
        tools = () if self.tool_choice == "none" else self.tools or ()
        return tuple(Function(tool.function.name, tool.function.parameters or {}) for tool in tools)

    @property
    def results(self) -> tuple[str, ...]:
        """What tools have said since the caller's or the agent's last words."""
        found: list[str] = []
        for message in reversed(self.messages):
            if message.role != "tool":
                break
            found.append(message.text)
        return tuple(reversed(found))

    @property
    def token_limit(self) -> int | None:
        """The smaller of both ways to say it; None = no limit."""
        limits = [limit for limit in (self.max_tokens, self.max_completion_tokens) if limit is not None]
        return min(limits, default=None)

    @property
    def stop_texts(self) -> tuple[str, ...]:
        """Texts before which the answer ends."""
        texts = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in texts if text)

    @property
    def wants_usage(self) -> bool:
        """Does the stream end with a usage chunk?"""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def prompt_tokens(self) -> int:
        """Words of all messages."""
        return sum(len(message.text.split()) for message in self.messages)


def parse_request(body: bytes) -> ChatRequest:
    """Read a request body. Raises RequestRefused with a sentence that says what to send instead."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(f"The body is not valid JSON: {error}. Send a JSON object with `messages`.") from error
    if not isinstance(raw, dict):
        raise RequestRefused("The body must be a JSON object with `messages`.")
    try:
        request = ChatRequest.model_validate(raw)
    except ValidationError as error:
        raise _refusal(error) from error
    if request.stream_options is not None and not request.stream:
        raise RequestRefused("`stream_options` is only allowed together with `stream`: true.", "stream_options")
    return request


def _refusal(error: ValidationError) -> RequestRefused:
    problem = error.errors(include_url=False)[0]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"]).lstrip(".")
    for union_branch in (".str", ".list[TextPart]", ".list[str]"):
        path = path.replace(union_branch, "")
    return RequestRefused(f"`{path}`: {problem['msg']}.", path)
