"""Whether somebody listens: the presence of a session's host.

Key `host:{code}`, the time in the metadata, written by the host's open stream. It is found with `list`: a `get` would
be remembered as a miss for a minute after the host has come.
"""

from waypost.clock import Clock
from waypost.keys import host_key
from waypost.kv import Kv
from waypost.limits import KV_MIN_TTL_SECONDS

GRACE_SECONDS = 60
"""How late the next sign may show up before the host counts as gone: what KV needs to make it visible."""


class Presence:
    """The host's presence, as one request sees it. `seconds` is the time between two signs."""

    def __init__(self, kv: Kv, clock: Clock, seconds: int) -> None:
        self._kv = kv
        self._clock = clock
        self._lifetime_seconds = max(seconds + GRACE_SECONDS, KV_MIN_TTL_SECONDS)

    async def announce(self, code: str) -> None:
        """Say that the host is there."""
        now = str(self._clock.now_ms())
        await self._kv.put(host_key(code), "", ttl_seconds=self._lifetime_seconds, metadata=now)

    async def seen(self, code: str) -> tuple[bool, int | None]:
        """Whether the host is there, and when it was last seen (milliseconds), if that is known."""
        page = await self._kv.list(host_key(code), limit=1)
        if not page.keys or not page.keys[0].metadata:
            return False, None
        seen_ms = int(page.keys[0].metadata)
        return self._clock.now_ms() - seen_ms < self._lifetime_seconds * 1000, seen_ms
