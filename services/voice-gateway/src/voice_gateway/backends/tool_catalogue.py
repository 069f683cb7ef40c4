"""Which tools has the operator? Those of all their servers; of two with one name the first is called."""

from collections.abc import Mapping, Sequence
from typing import Any

from voice_gateway.core.tools import Tool
from voice_gateway.errors import ToolFailed
from voice_gateway.interfaces import OperatorTools


class ToolCatalogue:
    """Implements OperatorTools over several of them."""

    def __init__(self, servers: Sequence[OperatorTools]) -> None:
        self._servers = servers

    @property
    def tools(self) -> Sequence[Tool]:
        """Those that can be called now."""
        return [tool for tool, _ in self._by_name().values()]

    async def call(self, name: str, arguments: Mapping[str, Any], key: str) -> str:
        """What the tool says. Raises ToolFailed."""
        if (found := self._by_name().get(name)) is None:
            raise ToolFailed("the tool is not there any more.")
        return await found[1].call(name, arguments, key)

    def _by_name(self) -> dict[str, tuple[Tool, OperatorTools]]:
        found: dict[str, tuple[Tool, OperatorTools]] = {}
        for server in self._servers:
            for tool in server.tools:
                found.setdefault(tool.name, (tool, server))
        return found
