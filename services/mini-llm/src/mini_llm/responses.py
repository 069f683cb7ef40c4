"""What goes over the wire? OpenAI chat objects and vLLM errors, as bytes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

DONE = b"data: [DONE]\n\n"

_ERROR_TYPES = {
    400: "BadRequestError",
    404: "NotFoundError",
    405: "BadRequestError",
    413: "BadRequestError",
    429: "RateLimitError",
    503: "ServiceUnavailableError",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens counted."""

    prompt_tokens: int
    completion_tokens: int

    def as_json(self) -> dict[str, int]:
        """The wire's `usage`."""
        return {**asdict(self), "total_tokens": self.prompt_tokens + self.completion_tokens}


class ChunkWriter:
    """Chunks of one streamed answer; everything that is the same in each of them is encoded once."""

    def __init__(self, answer_id: str, model: str, created: int) -> None:
        self.answer_id = answer_id
        identity = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._head = json.dumps(identity, separators=(",", ":")).encode()[:-1]

    def role(self) -> bytes:
        """The first chunk."""
        return self._choice(b'{"role":"assistant","content":""}', b"null")

    def token(self, text: str) -> bytes:
        """A piece of the answer."""
        return self._choice(b'{"content":' + _quoted(text) + b"}", b"null")

    def call(self, function: str) -> bytes:
        """A tool is called; its arguments follow."""
        call = {"index": 0, "id": call_id(self.answer_id), "type": "function"}
        delta = {"tool_calls": [{**call, "function": {"name": function, "arguments": ""}}]}
        return self._choice(json.dumps(delta).encode(), b"null")

    def arguments(self, text: str) -> bytes:
        """A piece of the arguments."""
        return self._choice(b'{"tool_calls":[{"index":0,"function":{"arguments":' + _quoted(text) + b"}}]}", b"null")

    def finish(self, reason: str) -> bytes:
        """The end of the answer: "stop", "length" or "tool_calls"."""
        return self._choice(b"{}", _quoted(reason))

    def usage(self, usage: Usage) -> bytes:
        """The extra chunk, without choices."""
        return b"data: " + self._head + b',"choices":[],"usage":' + json.dumps(usage.as_json()).encode() + b"}\n\n"

    def _choice(self, delta: bytes, finish_reason: bytes) -> bytes:
        choice = (b',"choices":[{"index":0,"delta":', delta, b',"logprobs":null,"finish_reason":', finish_reason)
        return b"".join((b"data: ", self._head, *choice, b"}]}\n\n"))


@lru_cache(maxsize=8192)
def _quoted(text: str) -> bytes:
    return json.dumps(text).encode()


def call_id(answer_id: str) -> str:
    """Names the only call of an answer."""
    return f"call{answer_id[-8:]}"


def completion(
    answer_id: str, model: str, created: int, text: str, reason: str, usage: Usage, function: str = ""
) -> dict[str, Any]:
    """The whole answer in one object; with a `function` the text is the arguments of its call."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if function:
        call = {"id": call_id(answer_id), "type": "function", "function": {"name": function, "arguments": text}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": usage.as_json(),
    }


def error_body(message: str, status: int, param: str | None = None) -> dict[str, Mapping[str, Any]]:
    """An error the way vLLM says it."""
    kind = _ERROR_TYPES.get(status, "InternalServerError")
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


def error_event(message: str, status: int) -> bytes:
    """An error in the middle of a stream."""
    return b"data: " + json.dumps(error_body(message, status)).encode() + b"\n\n"


def model_list(model: str, created: int) -> dict[str, Any]:
    """GET /v1/models."""
    return {"object": "list", "data": [model_card(model, created)]}


def model_card(model: str, created: int) -> dict[str, Any]:
    """GET /v1/models/{model}."""
    return {"id": model, "object": "model", "created": created, "owned_by": "mini-llm", "root": model, "parent": None}
