"""A language model whose every token a test decides, behind real HTTP and server-sent events."""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from waiting import Changes

_FROM_HERE = {"object": "chat.completion.chunk", "id": "chat", "created": 0, "model": "fake"}


@dataclass(frozen=True)
class Answer:
    """What one request gets."""

    text: str = "All right."
    then: Literal["end", "die", "hang", "garbage", "error"] = "end"
    status: int = 200
    headers: Mapping[str, str] | None = None
    """Of a status that is not 200."""
    refusal: str = "refused on purpose"
    """What a status that is not 200 says."""
    calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name and arguments of tools it calls after the text; the arguments come in pieces."""
    deltas: tuple[dict[str, Any], ...] = ()
    """Sent as they are, after the text."""


def calling(name: str, id_: str = "call0001a", /, **arguments: object) -> Answer:
    """An answer without text that calls one tool."""
    return Answer("", calls=((id_, name, json.dumps(arguments)),))


class Asked:
    """One request."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.over = False
        self.cancelled = False
        """The gateway hung up before the answer was complete."""

    @property
    def chat(self) -> list[tuple[str, str]]:
        """Role and text of each message but the system's."""
        return [(entry["role"], entry["content"]) for entry in self.body["messages"] if entry["role"] != "system"]

    @property
    def tools(self) -> list[str]:
        """Names of the tools it may call."""
        return [tool["function"]["name"] for tool in self.body.get("tools", [])]

    @property
    def results(self) -> dict[str, str]:
        """What it is told of each call, by id."""
        return {entry["tool_call_id"]: entry["content"] for entry in self.body["messages"] if entry["role"] == "tool"}

    @property
    def system(self) -> str:
        """Its system message."""
        first = self.body["messages"][0]
        return first["content"] if first["role"] == "system" else ""

    @property
    def tokens(self) -> int:
        """What the model's tokenizer makes of it: three letters a token, six more for each message."""
        return sum(6 + len(str(entry["content"])) // 3 for entry in self.body["messages"])

    @property
    def fits_a_strict_template(self) -> bool:
        """As Gemma's and Mistral's want it: perhaps a system message, then user and assistant in turn, none empty;
        after an assistant message with calls a result for each of them, in their order."""
        messages = self.body["messages"]
        turns: list[str] = []
        owed: list[str] = []
        for entry in messages[messages[0]["role"] == "system" :]:
            if entry["role"] == "tool":
                if not owed or entry["tool_call_id"] != owed.pop(0) or not entry["content"].strip():
                    return False
                continue
            calls = entry.get("tool_calls", [])
            if owed or not (calls or entry["content"].strip()):
                return False
            if any(not isinstance(json.loads(call["function"]["arguments"]), dict) for call in calls):
                return False
            owed = [call["id"] for call in calls]
            if not (turns and turns[-1] == "results" and entry["role"] == "assistant"):
                turns.append(entry["role"])
            turns[-1] = "results" if calls else entry["role"]
        roles = ["assistant" if turn == "results" else turn for turn in turns]
        wanted = ["user", "assistant"] * len(roles)
        return not owed and roles == wanted[: len(roles)] and (len(roles) % 2 == 1 or turns[-1] == "results")


class FakeLlm:
    """Answers with what stands in `answers`, then always with `usual`. `stop` and `start` again keep the port."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.asked: list[Asked] = []
        self.answers: deque[Answer] = deque()
        self.usual = Answer()
        self.choose: Callable[[Asked], Answer | None] = lambda asked: None
        """The answer to a request; None = as `answers` and `usual` say."""
        self.context_tokens = 0
        """Of a request and its answer: more is refused, and what was read is reported. 0 = neither."""
        self.keys: list[str] = []
        """The `authorization` of every request, in order."""
        self.tls: ssl.SSLContext | None = None
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Serve."""
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", self._complete), web.get("/v1/health/ready", _ready)])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be gone."""
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    async def request(self, n: int = 1) -> Asked:
        """The nth request, once it came."""
        await self.changes.until(lambda: len(self.asked) >= n, f"request {n} at the language model")
        return self.asked[n - 1]

    async def quiet(self) -> None:
        """Wait until no request is open here."""
        await self.changes.until(lambda: all(asked.over for asked in self.asked), "the end of all chat requests")

    async def _complete(self, http: web.Request) -> web.StreamResponse:
        asked = Asked(await http.json())
        self.keys.append(http.headers.get("Authorization", ""))
        self.asked.append(asked)
        answer = self.choose(asked) or (self.answers.popleft() if self.answers else self.usual)
        self.changes.tell()
        try:
            if not asked.fits_a_strict_template:
                answer = Answer(status=400)
            elif self.context_tokens and asked.tokens + asked.body["max_tokens"] > self.context_tokens:
                answer = Answer(status=400, refusal=_TOO_LONG.format(self.context_tokens, asked.tokens))
            wants_usage = asked.body.get("stream_options", {}).get("include_usage")
            return await _respond(http, answer, asked.tokens if self.context_tokens and wants_usage else 0)
        except asyncio.CancelledError:
            asked.cancelled = True
            raise
        finally:
            asked.over = True
            self.changes.tell()


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")


_TOO_LONG = (
    "This model's maximum context length is {} tokens. However, your request has {} input tokens. "
    "Please reduce the length of the input messages."
)
"""As vLLM says it."""


async def _respond(http: web.Request, answer: Answer, tokens: int) -> web.StreamResponse:
    """`tokens` = what it reports to have read; 0 = nothing."""
    if answer.status != 200:
        message = {"error": {"message": answer.refusal}}
        return web.json_response(message, status=answer.status, headers=answer.headers)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(http)
    for word in answer.text.split(" ") if answer.text else ():
        chunk = {**_FROM_HERE, "choices": [{"index": 0, "delta": {"content": word + " "}, "finish_reason": None}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    for delta in (*_call_deltas(answer), *answer.deltas):
        chunk = {**_FROM_HERE, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    match answer.then:
        case "die":
            assert http.transport is not None
            http.transport.abort()
        case "hang":
            await asyncio.Event().wait()
        case "garbage":
            await response.write(b"data: {this is no JSON\n\n")
        case "error":
            await response.write(b'data: {"error": {"message": "out of memory on purpose", "code": 500}}\n\n')
    if tokens:
        usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
        await response.write(f"data: {json.dumps({**_FROM_HERE, 'choices': [], 'usage': usage})}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


def _call_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    """Id and name first, then the arguments of all calls in turns, three characters at a time."""
    for index, (id_, name, _) in enumerate(answer.calls):
        function = {"name": name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": id_, "type": "function", "function": function}]}
    longest = max((len(arguments) for *_, arguments in answer.calls), default=0)
    for first in range(0, longest, 3):
        for index, (*_, arguments) in enumerate(answer.calls):
            if piece := arguments[first : first + 3]:
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
