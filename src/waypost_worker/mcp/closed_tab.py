"""An MCP address whose last session is over: its tab is closed, and another session may be opened at any time.

A client that starts before the tab must not fail: most clients then give up until a person restarts them. So the
handshake succeeds, and the tools are listed as the tab offered them last, for a day. What only an open tab can answer
is refused with the page to open. When a session takes the address, listening clients hear that the tools have changed.
"""

from waypost_worker.mcp.tab import Tab


async def require_open(tab: Tab) -> None:
    """Requires that the session is not over.

    Raises:
        RpcError: -31001, with the page to open.
    """
    if tab.is_over:
        _, seen_ms = await tab.context.presence().last_seen(tab.session.code)
        raise tab.away(seen_ms)
