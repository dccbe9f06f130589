"""`waypost serve`: commands, or a stdio MCP server, as the tools of a session."""

from __future__ import annotations

from contextlib import AsyncExitStack

import click

from waypost.cli.asking import CHOICES, approver_of
from waypost.cli.options import Invocation, Secret, verb


@click.command()
@click.argument("code", type=Secret(), required=False)
@click.option("--new", is_flag=True, help="Open a session, and print its code.")
@click.option("--tool", "words", metavar="NAME=COMMAND", multiple=True, help="Offer a command line. Repeatable.")
@click.option("--tools", "path", metavar="FILE", help="Offer the commands of a TOML file.")
@click.option("--mcp-stdio", "server", metavar="COMMAND", help="Offer the tools of an MCP server that is a program.")
@click.option("--approve", type=click.Choice(CHOICES), default="never", help="What needs a yes: see above.  [never]")
@click.option("--label", help="A name of the new session, which guests see.")
@click.option("--encrypted", is_flag=True, help="Encrypt the new session end to end.")
@verb
async def serve(
    use: Invocation,
    code: str | None,
    new: bool,
    words: tuple[str, ...],
    path: str | None,
    server: str | None,
    approve: str,
    label: str | None,
    encrypted: bool,
) -> None:
    """Offers commands as tools of the session CODE, which `waypost open` has opened on this machine, or of a new one.
    It needs no open port. Ctrl-C ends it; the session goes on for some time.

    A command gets the arguments as JSON on stdin and in $WAYPOST_ARG_name. What it prints is the result, a line
    "::progress JSON" reports progress, and a status other than 0 is an error. Each call runs once, over restarts too.

    --approve ask asks here before a call of a tool that is not read-only; read-only refuses such a call.

    \b
    waypost serve --new --tool 'upper=jq -r .text | tr a-z A-Z'
    waypost serve K7Q2M9XA --mcp-stdio 'npx -y @modelcontextprotocol/server-everything'
    """
    from waypost.cli.hosting import announce, host_until_end, place_of, reporter, require_one
    from waypost.cli.mcp_tools import McpTools
    from waypost.cli.stdio_server import StdioServer
    from waypost.cli.tool_files import offer_commands
    from waypost.host.host import Host

    require_one(code, new)
    if not (words or path or server):
        raise click.UsageError("What to offer? --tool NAME=COMMAND, --tools FILE, or --mcp-stdio COMMAND.")
    approver = approver_of(approve)
    # A mistake in them is to be seen before a session is opened.
    offer_commands(Host(), words, path)
    async with AsyncExitStack() as stack:
        child = await stack.enter_async_context(StdioServer(server)) if server else None
        place = await stack.enter_async_context(place_of(use, code, label=label, encrypted=encrypted))
        host = Host(ledger=place.ledger, approve=approver, on_state=reporter(use))
        offer_commands(host, words, path)
        if child is not None:
            tools = McpTools(host, child)
            await tools.offer()
            use.out.note(f"The MCP server has {tools.count} tools.")
        announce(use, place.session)
        await host_until_end(host, place.session, child.gone if child else None)
