"""An MCP server as a program: made with the Python SDK, it speaks JSON-RPC over stdin and stdout."""

import os

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("adder")


@server.tool()
def add(a: float, b: float) -> str:
    """Adds two whole numbers."""
    if not (a.is_integer() and b.is_integer()):
        raise ValueError("There is a fraction.")
    return str(int(a + b))


@server.tool()
async def repeat(call: str, ctx: Context) -> str:
    """Says the same."""
    await ctx.report_progress(1, 2)
    await ctx.report_progress(2, 2)
    return call


@server.tool()
def stop() -> str:
    """Ends the program."""
    os._exit(0)


if __name__ == "__main__":
    server.run("stdio")
