"""`waypost listen`: calls become requests of a local HTTP server."""

from __future__ import annotations

from urllib.parse import urlsplit

import click

from waypost.cli.asking import CHOICES, approver_of
from waypost.cli.durations import Duration
from waypost.cli.options import Invocation, Secret, verb


@click.command()
@click.argument("code", type=Secret(), required=False)
@click.option("--new", is_flag=True, help="Open a session, and print its code.")
@click.option("--forward", "target", metavar="URL", required=True, help="Where calls are posted to.")
@click.option("--tool", "names", metavar="NAME", multiple=True, help="A tool's name. Repeatable.  [request]")
@click.option("--timeout", type=Duration(), default=300.0, help="How long the server may take.  [300s]")
@click.option("--approve", type=click.Choice(CHOICES), default="never", help="What needs a yes, as in serve.  [never]")
@click.option("--label", help="A name of the new session, which guests see.")
@click.option("--encrypted", is_flag=True, help="Encrypt the new session end to end.")
@verb
async def listen(
    use: Invocation,
    code: str | None,
    new: bool,
    target: str,
    names: tuple[str, ...],
    timeout: float,
    approve: str,
    label: str | None,
    encrypted: bool,
) -> None:
    """Passes calls on to a server, usually one on this machine: each is a POST to URL, with the arguments as JSON and
    the headers Waypost-Tool and Waypost-Call. The reply is the result; a status other than 2xx is an error.

    \b
    waypost listen --new --forward http://localhost:3000/hook --tool deploy
    """
    import httpx2

    from waypost.cli.forwarding import forwarding_tool
    from waypost.cli.hosting import announce, host_until_end, place_of, reporter, require_one
    from waypost.host.host import Host

    require_one(code, new)
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"--forward {target!r} is no address: write it as http://localhost:3000/path")
    approver = approver_of(approve)
    # A proxy of the environment is for the world outside of this machine.
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    async with (
        httpx2.AsyncClient(timeout=timeout, trust_env=not is_local) as client,
        place_of(use, code, label=label, encrypted=encrypted) as place,
    ):
        host = Host(ledger=place.ledger, approve=approver, on_state=reporter(use))
        for name in names or ("request",):
            description = f"Is answered by {parts.scheme}://{parts.netloc}."
            schema = {"type": "object"}
            host.tool(name=name, description=description, input_schema=schema)(forwarding_tool(client, target))
        announce(use, place.session)
        await host_until_end(host, place.session)
