"""How does a chat get its answer? Any OpenAI-compatible server, streamed; closing the stream is barge-in."""

import asyncio
import secrets
import string
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient

from voice_gateway.backends.errors import llm_errors
from voice_gateway.backends.llm_access import LlmAccess
from voice_gateway.backends.progress_limit import ProgressLimit
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.tokens import Usage
from voice_gateway.core.tool_call_assembler import ToolCallAssembler
from voice_gateway.core.tools import NO_TOOLS, ToolCall, ToolChoice, declaration, valid_arguments
from voice_gateway.errors import no_text

_WARM_UP_S = 3.0
_CONNECT_S = 2.0
"""One lost packet is forgiven: TCP sends it again after a second."""
_CONNECTIONS, _KEEPALIVE_S = 1000, 5.0
"""The package's own."""
_NEVER_S = 3600.0
"""Our own limits are the ones that fire."""
_ASK_AGAIN_AFTER_S = 0.1
"""A server that is just being replaced refuses for a moment."""
_ID_SIGNS, _ID_CHARS = string.ascii_letters + string.digits, 9
"""Of a call that came without an id; templates of Mistral's models take no others."""


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """How long it may take, seconds, and what may be done before."""

    first_token_timeout_s: float
    token_timeout_s: float
    prewarms: bool
    """Whether it may be asked for its models while a question is only likely."""


@dataclass(frozen=True, slots=True)
class LlmClients:
    """One endpoint, over two pools of connections."""

    kept_alive: AsyncOpenAI
    fresh: AsyncOpenAI
    """Every request on a new connection: for another try after one that broke. Servers close the connections that
    idle at about the same time, so the next kept-alive one may break as well."""


@asynccontextmanager
async def open_clients(access: LlmAccess) -> AsyncGenerator[LlmClients, None]:
    """Connections to one endpoint, closed at the end."""
    async with (
        _client(access, keepalive_s=_KEEPALIVE_S) as kept_alive,
        _client(access, keepalive_s=0.0) as fresh,
    ):
        yield LlmClients(kept_alive, fresh)


def _client(access: LlmAccess, *, keepalive_s: float) -> AsyncOpenAI:
    async def key() -> str:
        return access.key()

    # No retries in the client: they would know nothing of the limit of the first token.
    limits = httpx2.Limits(max_connections=_CONNECTIONS, keepalive_expiry=keepalive_s)
    http_client = DefaultAioHttpClient(verify=access.tls, limits=limits)
    timeout = httpx2.Timeout(_NEVER_S, connect=_CONNECT_S)
    return AsyncOpenAI(base_url=access.base_url, api_key=key, max_retries=0, timeout=timeout, http_client=http_client)


async def warm_up(clients: LlmClients) -> None:
    """Load what the package loads late and open a connection: the first turn of a process costs 30 ms more else."""
    _ = clients.kept_alive.chat.completions
    with suppress(Exception):  # the probes tell what is wrong
        async with asyncio.timeout(_WARM_UP_S):
            await clients.kept_alive.models.list()


class OpenAiModel:
    """Asks one endpoint."""

    def __init__(self, clients: LlmClients, settings: LlmSettings) -> None:
        self._clients = clients
        self._settings = settings
        self._reports_usage = True
        """Whether the server may be asked for its counts; not again once it has refused."""

    async def get_ready(self) -> None:
        """Ask for nothing much, so that the connection is open and the code warm when the question comes: servers
        close connections that idle (vLLM's after 5 s), and a request after a pause costs 1.5 ms more."""
        if not self._settings.prewarms:
            return
        with suppress(Exception):  # the question will meet the same trouble
            async with asyncio.timeout(_WARM_UP_S):
                await self._clients.kept_alive.get("/models", cast_to=object)

    async def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        """Pieces of the answer, its calls of tools at the end, and what the server counted. Thoughts of reasoning
        models are left out: nobody wants to hear them. A connection that breaks before anything came gets one fresh
        try, within the first token's limit."""
        body = _body(chat, options, tools)
        limits = self._settings
        limit = ProgressLimit("llm", "text", limits.first_token_timeout_s, limits.token_timeout_s)
        said = False
        with llm_errors():
            for client in (self._clients.kept_alive, self._clients.fresh):
                try:
                    async with aclosing(_pieces(await self._open(client, body, limit), limit)) as pieces:
                        async for piece in pieces:
                            said = said or _says(piece)
                            yield piece
                    break
                except openai.APIConnectionError as error:
                    if said or client is self._clients.fresh or _took_too_long(error):
                        raise
                    await limit.wait(asyncio.sleep(_ASK_AGAIN_AFTER_S))
        if not said:
            raise no_text()

    async def _open(self, client: AsyncOpenAI, body: dict[str, object], limit: ProgressLimit) -> "_Chunks":
        """The stream of one answer. A server that knows no `stream_options` is asked without."""
        counting = {"stream_options": {"include_usage": True}} if self._reports_usage else {}
        try:
            return await limit.wait(_post(client, {**body, **counting}))
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not counting or "stream_options" not in str(error.body or error.message):
                raise
        self._reports_usage = False
        return await limit.wait(_post(client, body))


def _says(piece: str | ToolCall | Usage) -> bool:
    return bool(piece.strip()) if isinstance(piece, str) else isinstance(piece, ToolCall)


def _body(chat: Sequence[Message], options: LlmOptions, tools: ToolChoice) -> dict[str, object]:
    """Plain dicts both ways: the package's typed transform costs the loop 0.15 ms per message of history, its typed
    chunks 0.1 ms per token."""
    body = {
        "model": options.model,
        "messages": [_entry(message) for message in chat],
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
        "stream": True,
    }
    if not tools.tools:
        return body
    # "auto" is what servers do unasked; some refuse the word. They are told only that enough has been called.
    choice: dict[str, object] = {} if tools.may_call else {"tool_choice": "none"}
    if tools.may_call and tools.use.name:
        choice = {"tool_choice": {"type": "function", "function": {"name": tools.use.name}}}
    elif tools.may_call and tools.use.mode != "auto":
        choice = {"tool_choice": tools.use.mode}
    return {**body, "tools": [declaration(tool) for tool in tools.tools], **choice}


def _entry(message: Message) -> dict[str, object]:
    if message.call_id:
        return {"role": message.role, "tool_call_id": message.call_id, "content": message.content}
    if not message.calls:
        return {"role": message.role, "content": message.content}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": valid_arguments(call)}}
        for call in message.calls
    ]
    return {"role": message.role, "content": message.content or None, "tool_calls": calls}


async def _post(client: AsyncOpenAI, body: dict[str, object]) -> "_Chunks":
    return await client.post("/chat/completions", cast_to=object, body=body, stream=True, stream_cls=_Chunks)


async def _pieces(stream: "_Chunks", limit: ProgressLimit) -> AsyncGenerator[str | ToolCall | Usage, None]:
    """What one request's answer holds."""
    finished, called = False, ToolCallAssembler(_new_id)
    try:
        chunks = aiter(stream)
        while (chunk := await limit.wait(anext(chunks, None))) is not None:
            piece, pieces_of_calls, ends = _read(chunk)
            finished = finished or ends
            brought_call = pieces_of_calls is not None and called.push(pieces_of_calls)
            if brought_call or piece.strip():
                limit.progressed()
            if piece:
                yield piece
            elif (counted := _counted(chunk)) is not None:
                yield counted
    finally:
        await stream.close()
    if not finished and not stream.is_done:
        raise openai.APIConnectionError(message="its answer ended too early", request=stream.response.request)
    for call in called.calls:
        yield call


def _new_id() -> str:
    return "".join(secrets.choice(_ID_SIGNS) for _ in range(_ID_CHARS))


class _Chunks(AsyncStream[object]):
    """Knows whether the server said that it was done: a connection that is closed looks like an end, too."""

    is_done = False

    async def _iter_events(self) -> AsyncIterator[Any]:
        async for event in super()._iter_events():
            self.is_done = event.data.startswith("[DONE]")
            yield event


def _read(chunk: object) -> tuple[str, object, bool]:
    """The text in a chunk ("" = none), the pieces of tool calls, and whether the answer ends. The last chunk may have
    no choices, only usage; a server that does not stream calls sends a whole message."""
    try:
        choice = chunk["choices"][0]  # type: ignore[index]
        ends = choice.get("finish_reason") is not None
        delta = choice.get("delta") or choice.get("message") or {}
        content, calls = delta.get("content"), delta.get("tool_calls")
    except (LookupError, TypeError, AttributeError):
        return "", None, False
    return content if isinstance(content, str) else "", calls, ends


def _counted(chunk: object) -> Usage | None:
    """What the server says it has read."""
    try:
        tokens = chunk["usage"]["prompt_tokens"]  # type: ignore[index]
    except (LookupError, TypeError):
        return None
    return Usage(tokens) if isinstance(tokens, int) and tokens > 0 else None


def _took_too_long(error: BaseException) -> bool:
    """Whether a limit passed, and nothing was refused or broken off: another try would take as long."""
    while (cause := error.__cause__) is not None:
        if isinstance(cause, TimeoutError):
            return True
        error = cause
    return False
