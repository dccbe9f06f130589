"""The presence of a session's host, as a heartbeat in KV.

Key `host:{code}`, the time in the metadata (and again as the value, for bulk reads), written by the host's open stream.
It is read with `list`: KV would cache the miss of a `get` for a minute after the host has come. The key outlives the
presence, to say since when the host is away.
"""

from waypost_worker.clock import Clock
from waypost_worker.kv.keys import host_key
from waypost_worker.kv.store import Kv, find_key
from waypost_worker.limits import KV_MIN_TTL_SECONDS, MAX_SESSION_AGE_SECONDS, PRESENCE_GRACE_SECONDS


class Presence:
    """The presence of hosts, for one request. `seconds`: the interval between two heartbeats."""

    def __init__(self, kv: Kv, clock: Clock, seconds: int) -> None:
        self._kv = kv
        self._clock = clock
        self._lifetime_seconds = max(seconds + PRESENCE_GRACE_SECONDS, KV_MIN_TTL_SECONDS)

    async def announce(self, code: str) -> None:
        """Writes the host's heartbeat."""
        now = str(self._clock.now_ms())
        await self._kv.put(host_key(code), now, ttl_seconds=MAX_SESSION_AGE_SECONDS, metadata=now)

    async def last_seen(self, code: str) -> tuple[bool, int | None]:
        """`(online, seen_ms)`: whether the host is there, and when it was last seen (`None`: not within 24 hours)."""
        key = await find_key(self._kv, host_key(code))
        if key is None or not key.metadata:
            return False, None
        seen_ms = int(key.metadata)
        return self._clock.now_ms() - seen_ms < self._lifetime_seconds * 1000, seen_ms
