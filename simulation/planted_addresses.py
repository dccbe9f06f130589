"""Planted bugs of MCP addresses, as in `planted.py`."""

from typing import Any

from simulation.replaced import replaced
from waypost_worker.kv.keys import address_key
from waypost_worker.sessions.mcp_address import KnownAddress, McpAddresses
from waypost_worker.sessions.session import Session


def withdraws_by_deleting() -> Any:
    """A withdrawal deletes the address: a session that does not see that brings it back."""

    async def withdraw(self: McpAddresses, address: str) -> None:
        await self._kv.delete(address_key(address))
        self._merge(address, KnownAddress(None, True, self._clock.now_ms()))

    return replaced(McpAddresses, "withdraw", withdraw)


def believes_what_it_reads() -> Any:
    """What KV shows replaces what the isolate knows of an address."""

    def merge(self: McpAddresses, address: str, read: KnownAddress) -> KnownAddress:
        self._remember(address, read)
        return read

    return replaced(McpAddresses, "_merge", merge)


def keeps_its_first_answer() -> Any:
    """An isolate keeps the session that it has seen first at an address."""

    def merge(self: McpAddresses, address: str, read: KnownAddress) -> KnownAddress:
        known = self._cache.known.get(address, self._clock.now_ms()) or read
        self._remember(address, known._replace(read_ms=read.read_ms))
        return known

    return replaced(McpAddresses, "_merge", merge)


def any_tab_takes_the_address() -> Any:
    """A late write of an older session is not refused."""

    async def check(self: McpAddresses, address: str, unless_newer_than: Session | None = None) -> None:
        await original(self, address)

    original = McpAddresses.check
    return replaced(McpAddresses, "check", check)


ADDRESS_BUGS = (
    withdraws_by_deleting,
    believes_what_it_reads,
    keeps_its_first_answer,
    any_tab_takes_the_address,
)
