"""What is new about the tab's tools, for the streams of both generations."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from enum import Enum

from waypost_worker.clock import seconds_until
from waypost_worker.errors import BudgetSpent
from waypost_worker.limits import HEARTBEAT_SECONDS, MCP_TOOLS_ECHO_SECONDS, STREAM_RESERVED_OPERATIONS
from waypost_worker.mcp.tab import Tab
from waypost_worker.security.tokens import Role


class ToolsEvent(Enum):
    """What there is to tell."""

    CHANGED = "changed"
    SILENCE = "silence"
    ENDED = "ended"


class ToolChanges:
    """The news of one stream. `version` is the tools' that its client has been told of."""

    def __init__(self, tab: Tab, version: str | None) -> None:
        self.version = version
        self._tab = tab

    async def items(self) -> AsyncGenerator[ToolsEvent, None]:
        """News as they come, and `SILENCE` every few seconds without; ends with the session, or the budget."""
        tab, invocation = self._tab, self._tab.context.invocation
        watch, wakeup = tab.context.watch(tab.session, Role.GUEST), tab.context.clock.wakeup()
        end_ms = tab.now_ms() + invocation.plan.stream_seconds * 1000
        said_ms, echo_ms = tab.now_ms(), end_ms
        with suppress(BudgetSpent), watch.subscribe(wakeup):
            while tab.now_ms() < end_ms and invocation.meter.remaining > STREAM_RESERVED_OPERATIONS:
                # A guest's watch outlives a store that does not answer.
                await watch.events()
                now = tab.now_ms()
                if watch.ended:
                    yield ToolsEvent.ENDED
                    return
                if watch.session.tools_version != self.version or now >= echo_ms:
                    is_new = watch.session.tools_version != self.version
                    echo_ms = now + MCP_TOOLS_ECHO_SECONDS * 1000 if is_new else end_ms
                    self.version, said_ms = watch.session.tools_version, now
                    yield ToolsEvent.CHANGED
                elif now - said_ms >= HEARTBEAT_SECONDS * 1000:
                    said_ms = now
                    yield ToolsEvent.SILENCE
                due_ms = min(watch.due_ms, echo_ms, said_ms + HEARTBEAT_SECONDS * 1000, end_ms)
                await wakeup.wait(seconds_until(due_ms, tab.now_ms()))
