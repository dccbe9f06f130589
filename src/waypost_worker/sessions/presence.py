"""Whether somebody listens: the presence of a session's host.

Key `host:{code}`, the time in the metadata (and again as the value, for those who read it along with something else),
written by the host's open stream. It is found with `list`: a `get` would be remembered as a miss for a minute after the
host has come. It outlives the presence, to say since when the host is away.
"""

from waypost_worker.clock import Clock
from waypost_worker.kv.keys import host_key
from waypost_worker.kv.store import Kv, find_key
from waypost_worker.limits import KV_MIN_TTL_SECONDS, MAX_SESSION_AGE_SECONDS, PRESENCE_GRACE_SECONDS


class Presence:
    """The host's presence, as one request sees it. `seconds` is the time between two signs."""

    def __init__(self, kv: Kv, clock: Clock, seconds: int) -> None:
        self._kv = kv
        self._clock = clock
        self._lifetime_seconds = max(seconds + PRESENCE_GRACE_SECONDS, KV_MIN_TTL_SECONDS)

    async def announce(self, code: str) -> None:
        """Say that the host is there."""
        now = str(self._clock.now_ms())
        await self._kv.put(host_key(code), now, ttl_seconds=MAX_SESSION_AGE_SECONDS, metadata=now)

    async def last_seen(self, code: str) -> tuple[bool, int | None]:
        """Whether the host is there, and when it was last seen (milliseconds), if that is known."""
        found = await find_key(self._kv, host_key(code))
        if found is None or not found.metadata:
            return False, None
        seen_ms = int(found.metadata)
        return self._clock.now_ms() - seen_ms < self._lifetime_seconds * 1000, seen_ms
