"""Which tools does the operator's file bring, and what is held open for them?"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from serving.settings import BadSettings

from voice_gateway.app.background import Work
from voice_gateway.backends.http_tools import open_http_tools
from voice_gateway.backends.tool_catalogue import ToolCatalogue
from voice_gateway.config import Settings
from voice_gateway.config_tools import McpServer, tools_file
from voice_gateway.interfaces import OperatorTools


@asynccontextmanager
async def open_tools(settings: Settings) -> AsyncGenerator[tuple[ToolCatalogue, dict[str, Work]], None]:
    """The tools, and what must run for them. Raises BadSettings."""
    declared = await asyncio.to_thread(tools_file, settings.gateway_tools_file)
    timeout_s, max_bytes = settings.tool_timeout_s, settings.tool_max_result_bytes
    try:
        async with open_http_tools(declared.tools, timeout_s, max_bytes) as http:
            servers, works = await asyncio.to_thread(_mcp, declared.mcp, timeout_s, max_bytes)
            yield ToolCatalogue([http, *servers]), works
    except ValueError as error:
        raise BadSettings(f"GATEWAY_TOOLS_FILE: {error}") from None


def _mcp(
    declared: Sequence[McpServer], timeout_s: float, max_bytes: int
) -> tuple[list[OperatorTools], dict[str, Work]]:
    """Blocking: the package is loaded only where a server is declared; it takes a second and 40 MB."""
    if not declared:
        return [], {}
    from voice_gateway.backends.mcp_tools import McpTools

    servers = {server.name: McpTools(server, timeout_s, max_bytes) for server in declared}
    return list(servers.values()), {f"mcp {name}": server.run for name, server in servers.items()}
