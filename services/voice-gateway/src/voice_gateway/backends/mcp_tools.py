"""How are the tools of an MCP server listed and called? One session a server, over streamable HTTP, for all calls.

The session lives in `run`. A call that fails makes it list the tools again, and open another session where that fails,
too; calls that go well are not disturbed. While the server is away its tools stay listed, and a call of one of them
waits for it within the tool's time. Importing this module loads the package `mcp`, which takes a second.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import INVALID_PARAMS, CallToolResult, TextContent
from mcp_types import Tool as ListedTool

from voice_gateway.backends.http_tools import tls_context
from voice_gateway.config_tools import McpServer
from voice_gateway.core.tool_arguments import MAX_SCHEMA_CHARS, check_schema
from voice_gateway.core.tools import Tool
from voice_gateway.errors import ToolFailed

log = logging.getLogger(__name__)

_CONNECT_S, _LIST_S = 10.0, 10.0
_AGAIN_S, _AGAIN_LONGEST_S = 0.5, 30.0
_PAGES, _TOOLS = 20, 128
_DESCRIPTION_CHARS = 1024
_MESSAGE_BYTES = 1024 * 1024
"""Of one answer of the server's: a listing of all its tools fits."""
_ANSWER_S = 300.0
"""A stream of the server's may be silent for so long; calls have their own time."""


class McpTools:
    """The tools of one server. Implements OperatorTools."""

    def __init__(self, server: McpServer, timeout_s: float, max_bytes: int) -> None:
        self._server = server
        self._timeout_s = server.timeout_s or timeout_s
        self._max_bytes = max_bytes
        self._tls = tls_context(server)
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._doubted = asyncio.Event()
        self._trouble = ""
        """What was told last of it."""
        self.tools: Sequence[Tool] = ()

    async def run(self) -> None:
        """Keep the session up, until cancelled."""
        again_s = _AGAIN_S
        while True:
            try:
                await self._hold_session()
                again_s = _AGAIN_S
            except Exception as error:  # of a server or of the package: it is tried again
                self._tell(f"can't be used: {_reason(error)}")
            self._connected.clear()
            self._client = None
            await asyncio.sleep(again_s)
            again_s = min(2 * again_s, _AGAIN_LONGEST_S)

    async def call(self, name: str, arguments: Mapping[str, Any], key: str) -> str:
        """What the tool says. Raises ToolFailed."""
        tool = next((tool for tool in self.tools if tool.name == name), None)
        if tool is None:
            raise ToolFailed("the tool is not there any more.")
        for last in (False, True):
            await self._connected.wait()  # whoever asks sets the limit
            client = self._client
            assert client is not None, "it is there while it is connected"
            try:
                answer = await client.call_tool(name.removeprefix(self._server.prefix), dict(arguments))
                return self._result(answer)
            except ToolFailed:
                raise
            except MCPError as error:
                if error.error.code == INVALID_PARAMS:  # it was understood, and refused
                    raise ToolFailed(str(error)[:500]) from None
                log.warning("MCP server %s: a call of %s failed: %s", self._server.name, name, _reason(error))
            except Exception as error:
                log.warning("MCP server %s: a call of %s failed: %s", self._server.name, name, _reason(error))
            self._doubt(client)
            # A tool with side effects may have acted before the connection broke.
            if last or tool.side_effects:
                raise ToolFailed("the tool can't be reached, or answers nonsense.")
        raise AssertionError("the second try returns or raises")

    async def _hold_session(self) -> None:
        """Until the session is broken; raises what prevents one."""
        server = self._server
        timeout = httpx2.Timeout(_CONNECT_S, read=_ANSWER_S)
        transport = _BoundedTransport(verify=self._tls or True)
        async with AsyncExitStack() as stack:
            http = httpx2.AsyncClient(transport=transport, timeout=timeout, auth=_Headers(server), trust_env=False)
            await stack.enter_async_context(http)
            stream = streamable_http_client(server.url, http_client=http, max_sse_event_size=_MESSAGE_BYTES)
            async with asyncio.timeout(_CONNECT_S):
                client = await stack.enter_async_context(Client(stream, cache=None, read_timeout_seconds=_ANSWER_S))
            while True:
                self._doubted.clear()
                async with asyncio.timeout(_LIST_S):
                    self._take(await _listed(client))
                self._client = client
                self._connected.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(server.refresh_s):
                        await self._doubted.wait()

    def _take(self, listed: Sequence[ListedTool]) -> None:
        server = self._server
        wanted = [tool for tool in listed if server.allow == "*" or tool.name in server.allow]
        found = [tool for entry in wanted if (tool := self._tool(entry)) is not None][:_TOOLS]
        missing = set() if server.allow == "*" else set(server.allow) - {tool.name for tool in wanted}
        more = f"; it has no {', '.join(sorted(missing))}" if missing else ""
        self._tell(f"has {len(listed)} tools, {len(found)} may be called{more}")
        self.tools = tuple(found)

    def _tool(self, listed: ListedTool) -> Tool | None:
        """The tool as the model sees it; None = it can't be used."""
        name, schema = f"{self._server.prefix}{listed.name}", json.dumps(listed.input_schema, ensure_ascii=False)
        wrong = check_schema(listed.input_schema, whole=False)
        if (
            wrong
            or len(schema) > MAX_SCHEMA_CHARS
            or len(name) > 64
            or not name.replace("_", "").replace("-", "").isalnum()
        ):
            log.warning(
                "MCP server %s: tool %.64s is left out; its name or schema can't be used", self._server.name, name
            )
            return None
        hints = listed.annotations
        acts = self._server.side_effects.get(listed.name, not (hints and hints.read_only_hint))
        description = (listed.description or listed.title or "")[:_DESCRIPTION_CHARS]
        return Tool(name, description, schema, acts, self._timeout_s, "mcp")

    def _result(self, answer: CallToolResult) -> str:
        parts = [part.text if isinstance(part, TextContent) else f"({part.type})" for part in answer.content]
        text = "\n".join(parts)
        if not text and answer.structured_content is not None:
            text = json.dumps(answer.structured_content, ensure_ascii=False)
        if answer.is_error:
            raise ToolFailed(text[:500] or "the tool failed and does not say why.")
        if len(text.encode()) > self._max_bytes:
            raise ToolFailed("the tool answers more than can be read.")
        return text

    def _doubt(self, client: Client) -> None:
        """A call failed: is the session still one?"""
        if self._client is client:
            self._connected.clear()
            self._doubted.set()

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.info("MCP server %s %s", self._server.name, trouble)


async def _listed(client: Client) -> list[ListedTool]:
    tools: list[ListedTool] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None or len(tools) > 10 * _TOOLS:
            break
    return tools


class _Headers(httpx2.Auth):
    """The operator's headers, their secrets read for each request."""

    def __init__(self, server: McpServer) -> None:
        self._server = server

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Adds them."""
        request.headers.update(self._server.header_values())
        yield request


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Reads no more of an answer than a message may have; streams of events have bounds of their own."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, with its body bounded."""
        response = await super().handle_async_request(request)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = _BoundedStream(response.stream)
        return response


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > _MESSAGE_BYTES:
                raise httpx2.ReadError(f"an answer of more than {_MESSAGE_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _reason(error: BaseException) -> str:
    """One line; of a group the first one's."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return (str(error).partition("\n")[0] or type(error).__name__)[:200]
