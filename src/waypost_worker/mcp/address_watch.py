"""A listen stream's watch on its MCP address: it notices that another session has taken the address, or that the
address was withdrawn.

In the isolate where that happens, immediately; elsewhere it reads the address again at the plan's interval.
"""

from contextlib import AbstractContextManager

from waypost_worker.clock import Wakeup
from waypost_worker.errors import DailyLimit, Missing
from waypost_worker.kv.store import KvError
from waypost_worker.mcp.tab import Tab


class AddressWatch:
    """Watches the address of `tab` for one stream. Call `has_moved` at `due_ms` or on wakeup."""

    def __init__(self, tab: Tab) -> None:
        self.due_ms = tab.now_ms()
        self._tab = tab
        self._channel = tab.context.isolate.address_changes
        self._position = self._channel.position()

    def subscribe(self, wakeup: Wakeup) -> AbstractContextManager[None]:
        """Sets `wakeup` when the address changes in this isolate, for the length of the `with` block."""
        return self._channel.subscribe(self._tab.address, wakeup)

    async def has_moved(self) -> bool:
        """Whether the address leads to another session now, or nowhere."""
        is_told = bool(self._channel.since(self._tab.address, self._position))
        self._position = self._channel.position()
        if not is_told and self._tab.now_ms() < self.due_ms:
            return False
        self.due_ms = self._tab.now_ms() + self._tab.context.settings.plan.session_check_seconds * 1000
        try:
            found = await self._tab.context.mcp_addresses(is_stream=True).find(self._tab.address)
        except Missing:
            return True
        except (KvError, DailyLimit):
            return False
        return found.record.code != self._tab.session.code
