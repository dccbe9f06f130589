"""`waypost open`: opens a session, for a later `waypost serve`."""

from __future__ import annotations

import click

from waypost.cli.durations import Duration
from waypost.cli.home import ledger_of
from waypost.cli.options import Invocation, verb


@click.command()
@click.option("--label", help="A name that guests see.")
@click.option("--ttl", type=Duration(), help="How long it lasts while nothing serves it.")
@click.option("--encrypted", is_flag=True, help="Encrypt end to end: guests need the link, and MCP clients can't join.")
@verb
async def open_(use: Invocation, label: str | None, ttl: float | None, encrypted: bool) -> None:
    """Opens a session, and prints its code (of an encrypted one its link).

    This machine keeps its token, for `waypost serve CODE`.
    """
    async with use.client() as client:
        session = await client.open_session(label=label, ttl=None if ttl is None else int(ttl), encrypted=encrypted)
    ledger = ledger_of(session.code, make=True)
    try:
        ledger.save_session(session.record)
    finally:
        ledger.close()
    mcp_url = None if encrypted else session.mcp_url
    use.out.result(
        {
            "code": session.code,
            "link": session.link,
            "mcpUrl": mcp_url,
            "expiresAt": session.record.expires_at,
        },
        session.link if encrypted else session.code,
    )
    if mcp_url and not use.out.as_json:
        use.out.note(f"For MCP clients: {mcp_url}")
