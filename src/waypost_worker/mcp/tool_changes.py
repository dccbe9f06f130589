"""Changes of the tab's tools, for the listen streams of both generations of clients."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import Enum

from waypost_worker.clock import Wakeup, seconds_until
from waypost_worker.errors import BudgetSpent
from waypost_worker.limits import MCP_TOOLS_ECHO_SECONDS, STREAM_RESERVED_OPERATIONS
from waypost_worker.mcp.address_watch import AddressWatch
from waypost_worker.mcp.tab import Tab
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.watch import SessionWatch


class ToolsEvent(Enum):
    """One event of a listen stream."""

    CHANGED = "changed"
    KEEP_ALIVE = "keep-alive"
    ENDED = "ended"


class ToolChanges:
    """The tool changes of one stream. `version`: the tools' version that the client was last notified of."""

    def __init__(self, tab: Tab, version: str | None) -> None:
        self.version = version
        self._tab = tab
        self._address = AddressWatch(tab) if tab.address else None

    async def events(self) -> AsyncGenerator[ToolsEvent, None]:
        """`CHANGED` for each change, and `KEEP_ALIVE` after each of the plan's `heartbeat_seconds` without one. Ends
        with `ENDED` when the session does, or without it when the budget of the invocation is spent.

        At an MCP address it outlives the session, and ends after `CHANGED` when another session takes the address."""
        tab, invocation = self._tab, self._tab.context.invocation
        watch, wakeup = tab.context.watch(tab.session, Role.GUEST), tab.context.clock.wakeup()
        watch.ended = tab.is_over
        # It brings no calls, so there is nobody to meet.
        end_ms = tab.now_ms() + invocation.plan.mcp_stream_seconds * 1000
        last_sent_ms, echo_ms, silence_ms = tab.now_ms(), end_ms, invocation.plan.heartbeat_seconds * 1000
        with suppress(BudgetSpent), watch.subscribe(wakeup), self._subscribe(wakeup):
            while tab.now_ms() < end_ms and invocation.meter.remaining > STREAM_RESERVED_OPERATIONS:
                # A guest's watch survives a store that fails: it asks again later.
                if not watch.ended:
                    await watch.events()
                if self._address is not None and await self._address.has_moved():
                    yield ToolsEvent.CHANGED
                    return
                now = tab.now_ms()
                if watch.ended and self._address is None:
                    yield ToolsEvent.ENDED
                    return
                if watch.session.tools_version != self.version or now >= echo_ms:
                    is_new = watch.session.tools_version != self.version
                    echo_ms = now + MCP_TOOLS_ECHO_SECONDS * 1000 if is_new else end_ms
                    self.version, last_sent_ms = watch.session.tools_version, now
                    yield ToolsEvent.CHANGED
                elif now - last_sent_ms >= silence_ms:
                    last_sent_ms = now
                    yield ToolsEvent.KEEP_ALIVE
                due_ms = min(self._due_ms(watch), echo_ms, last_sent_ms + silence_ms, end_ms)
                await wakeup.wait(seconds_until(due_ms, tab.now_ms()))

    def _subscribe(self, wakeup: Wakeup) -> AbstractContextManager[None]:
        return nullcontext() if self._address is None else self._address.subscribe(wakeup)

    def _due_ms(self, watch: SessionWatch) -> int:
        if self._address is None:
            return watch.due_ms
        return self._address.due_ms if watch.ended else min(watch.due_ms, self._address.due_ms)
