"""A browser that keeps the secret of an MCP address, and opens one session after the other with it."""

from __future__ import annotations

from typing import Any

from simulation.client import Client, Opened, Reply
from waypost_worker.sessions.mcp_address import address_of

SECRET = "s" * 43
OTHER_SECRET = "o" * 43
ADDRESS = address_of(SECRET)


async def open_with(client: Client, secret: str = SECRET, **body: Any) -> Opened:
    """Opens a session with an address."""
    return await client.open_session(addressSecret=secret, **body)


async def take(client: Client, session: Opened, secret: str = SECRET, **body: Any) -> Reply:
    """Lets an address lead to a session that is open."""
    url = f"/api/sessions/{session.code}/address"
    return await client.call("PUT", url, {"secret": secret, **body}, token=session.host)


async def withdraw(client: Client, address: str = ADDRESS, secret: str | None = SECRET) -> Reply:
    """Withdraws an address."""
    return await client.call("DELETE", f"/api/addresses/{address}", token=secret)
