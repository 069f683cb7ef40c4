"""The operator's tools, behind real sockets: an HTTP endpoint that behaves as a test wants, and a real MCP server."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from aiohttp import web
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from waiting import Changes

HUGE = 4 * 1024 * 1024


class ToolRequest:
    """One request."""

    def __init__(self, name: str, arguments: Any, headers: dict[str, str]) -> None:
        self.name = name
        self.arguments = arguments
        self.headers = headers
        self.cancelled = False
        """The gateway hung up before it was answered."""
        self.over = False


class HttpToolServer:
    """POST /NAME answers as `behaviour[NAME]` says, else with "ok"."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.requests: list[ToolRequest] = []
        self.behaviour: dict[str, str] = {}
        self.go_on = asyncio.Event()
        """Lets go what "wait" holds."""
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{name}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    async def request(self, nth: int = 1) -> ToolRequest:
        """The nth request, once it came."""
        await self.changes.until(lambda: len(self.requests) >= nth, f"request {nth} at the tool")
        return self.requests[nth - 1]

    async def _answer(self, http: web.Request) -> web.StreamResponse:
        name = http.match_info["name"]
        request = ToolRequest(name, json.loads(await http.text() or "null"), dict(http.headers))
        self.requests.append(request)
        self.changes.tell()
        try:
            return await self._behave(http, self.behaviour.get(name, "ok"))
        except asyncio.CancelledError:
            request.cancelled = True
            raise
        finally:
            request.over = True
            self.changes.tell()

    async def _behave(self, http: web.Request, behaviour: str) -> web.StreamResponse:
        match behaviour:
            case "wait":
                await self.go_on.wait()
            case "500":
                return web.Response(status=500, text="a stack trace nobody should read")
            case "404":
                return web.Response(status=404, text="no table for twelve")
            case "redirect":
                return web.Response(status=307, headers={"Location": self.url("elsewhere")})
            case "bytes":
                return web.Response(body=b"\xff\xfe\x00nonsense")
            case "huge":
                return web.Response(body=b"x" * HUGE)
            case "packed":
                response = web.Response(text="x" * HUGE)
                response.enable_compression(web.ContentCoding.gzip, strategy=0)
                response.headers["Content-Encoding"] = "gzip"
                return response
            case "hang":
                response_ = web.StreamResponse()
                await response_.prepare(http)
                await response_.write(b"it begins")
                await asyncio.Event().wait()
            case "no http":
                assert http.transport is not None
                http.transport.write(b"this is no HTTP\r\n\r\n")
                http.transport.close()
            case "die":
                assert http.transport is not None
                http.transport.abort()
        return web.json_response({"said": behaviour}) if behaviour == "ok" else web.Response(text=behaviour)


@asynccontextmanager
async def http_tools() -> AsyncGenerator[HttpToolServer, None]:
    server = HttpToolServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.began = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.began.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The test's own stay."""
        yield


class McpToolServer:
    """An MCP server of the official package on a loopback port; `stop` and `start` again keep the port."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.cancelled = 0
        self.go_on = asyncio.Event()
        self.port = 0
        self.headers: list[dict[str, str]] = []
        self.subtracts = False
        self._server: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    async def start(self) -> None:
        app = self._mcp().streamable_http_app()

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.headers.append({key.decode(): value.decode() for key, value in scope["headers"]})
            await app(scope, receive, send)

        config = uvicorn.Config(
            noting, host="127.0.0.1", port=self.port, log_config=None, timeout_graceful_shutdown=0, lifespan="on"
        )
        self._server = _Uvicorn(config)
        self._task = asyncio.create_task(self._server.serve(), name="mcp server")
        await self._server.began.wait()
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server and self._task:
            self._server.should_exit = self._server.force_exit = True
            await self._task
        self._server = None

    async def called_times(self, count: int) -> None:
        """Return once so many calls have come."""
        await self.changes.until(lambda: len(self.called) >= count, f"call {count} at the MCP server")

    def _mcp(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("test", log_level="CRITICAL")

        def note(name: str, **arguments: Any) -> None:
            self.called.append((name, arguments))
            self.changes.tell()

        @server.tool(description="Adds two numbers.", annotations={"readOnlyHint": True})  # type: ignore[arg-type]
        def add(a: int, b: int) -> str:
            note("add", a=a, b=b)
            return str(a + b)

        @server.tool()
        def book(table: int) -> str:
            """Books a table."""
            note("book", table=table)
            return f"table {table} is yours"

        @server.tool()
        def broken() -> str:
            """Raises."""
            note("broken")
            raise ToolError("the oven is cold")

        @server.tool()
        async def slow() -> str:
            """Waits."""
            note("slow")
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                self.changes.tell()
                raise
            return "at last"

        @server.tool()
        def long() -> str:
            """Says too much."""
            note("long")
            return "x" * 200_000

        @server.tool()
        def secret() -> str:
            """Is not on the list."""
            note("secret")
            return "nobody may call this"

        if self.subtracts:

            @server.tool()
            def subtract(a: int, b: int) -> str:
                """Subtracts."""
                return str(a - b)

        return server


@asynccontextmanager
async def mcp_tools() -> AsyncGenerator[McpToolServer, None]:
    server = McpToolServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def written(folder: Path, **lists: list[dict[str, Any]]) -> Path:
    """A tools file."""
    file = folder / "tools.yaml"
    file.write_text(json.dumps(lists), encoding="utf-8")
    return file
