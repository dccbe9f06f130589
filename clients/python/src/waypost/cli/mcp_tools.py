"""The tools of a stdio MCP server, offered by a host."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from waypost.cli.stdio_server import StdioServer
from waypost.errors import ConfigError, ToolError
from waypost.host.call import Call

if TYPE_CHECKING:
    from waypost.host.host import Host

LOG = logging.getLogger("waypost")


class McpTools:
    """Keeps a host's tools as the server's are. `count`: how many there are."""

    def __init__(self, host: Host, server: StdioServer) -> None:
        self._host = host
        self._server = server
        self._offered: set[str] = set()
        self._refresh: asyncio.Task[None] | None = None
        self._again = False

    @property
    def count(self) -> int:
        return len(self._offered)

    async def offer(self) -> None:
        """Offers the tools, and from now on each change. Raises `ToolError`."""
        self._server.on_tools_changed = self._changed
        await self._update()

    def _changed(self) -> None:
        if self._refresh is not None and not self._refresh.done():
            self._again = True
            return
        self._refresh = asyncio.ensure_future(self._update_safely())

    async def _update_safely(self) -> None:
        while True:
            self._again = False
            try:
                await self._update()
            except ToolError as error:
                LOG.error("the tools of the MCP server can't be read: %s", error)
            if not self._again:
                return

    async def _update(self) -> None:
        tools = {str(tool["name"]): tool for tool in await self._server.tools()}
        for name in self._offered - tools.keys():
            self._host.remove_tool(name)
        self._offered &= tools.keys()
        for name, tool in tools.items():
            try:
                self._host.tool(
                    name=name,
                    title=tool.get("title"),
                    description=tool.get("description"),
                    input_schema=tool.get("inputSchema"),
                    output_schema=tool.get("outputSchema"),
                    annotations=tool.get("annotations"),
                )(self._function(name))
            except ConfigError as error:
                LOG.error("%s", error)
            else:
                self._offered.add(name)

    def _function(self, name: str) -> Callable[..., Awaitable[Any]]:
        # The arguments are taken from the call: one of them may have the name of this parameter.
        async def call_tool(call: Call, **_arguments: Any) -> Any:
            params = {"name": name, "arguments": call.args}
            result = await self._server.request("tools/call", params, call.progress)
            if result.get("isError"):
                raise ToolError("tool_error", _text(result) or "The tool failed.", result)
            return result

        return call_tool


def _text(result: dict[str, Any]) -> str:
    blocks = result.get("content") or []
    return "\n".join(str(block.get("text")) for block in blocks if isinstance(block, dict) and "text" in block)
