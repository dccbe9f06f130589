"""`waypost mcp`: the configuration of an MCP client."""

from __future__ import annotations

import click

from waypost.cli.options import Invocation, Secret, verb

CLIENTS = ("claude", "cursor", "vscode")


@click.command()
@click.argument("code", type=Secret())
@click.option("--client", type=click.Choice(CLIENTS), help="Print what this client is configured with.")
@click.option("--name", default="waypost", help="The name that the client gives to the server.  [waypost]")
@verb
def mcp(use: Invocation, code: str, client: str | None, name: str) -> None:
    """Prints the MCP URL of the session CODE, or the configuration of a client.

    \b
    waypost mcp K7Q2M9XA --client cursor > .cursor/mcp.json
    """
    from waypost._core.config import read_config
    from waypost._core.ids import read_invite

    invite = read_invite(code)
    if invite.key:
        raise click.UsageError("MCP clients can't use an encrypted session.")
    server = use.server(invite.base_url)
    url = f"{read_config(server.url, None, {}).base_url}/mcp/{invite.code}"
    kind = {"type": "http", "url": url}
    if client == "claude":
        use.out.result({"mcpServers": {name: kind}}, f"claude mcp add --transport http {name} {url}")
    elif client == "cursor":
        use.out.result({"mcpServers": {name: {"url": url}}})
    elif client == "vscode":
        use.out.result({"servers": {name: kind}})
    else:
        use.out.result({"url": url}, url)
