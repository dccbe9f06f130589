"""An MCP address whose last session is over: its tab is closed, and another session may be opened at any time.

A client that starts before the tab must not fail: most clients then give up until a person restarts them. So the
handshake succeeds, and the tools are listed as the tab offered them last, for a day. A call is answered with the page
to open. When a session takes the address, listening clients hear that the tools have changed.
"""

from waypost_worker.mcp.tab import Tab

ANSWERED = frozenset({"initialize", "ping", "server/discover", "subscriptions/listen", "tools/list"})
"""The requests that need no open tab; notifications, and methods that do not exist, are not refused either."""

NEEDS_TAB = frozenset({"tools/call", "resources/read", "tasks/get", "tasks/update", "tasks/cancel"})


async def require_open(tab: Tab, method: str) -> None:
    """Refuses a request that only an open tab can answer.

    Raises:
        RpcError: -31001, with the page to open.
    """
    if tab.is_over and method in NEEDS_TAB:
        _, seen_ms = await tab.context.presence().last_seen(tab.session.code)
        raise tab.away(seen_ms)
