"""The presence of a session's host, as a heartbeat in KV, and its goodbye.

Key `host:{code}`, written by the host's open stream: the time and the host's instance, in the metadata (and again as
the value, for bulk reads). It is read with `list`: KV would cache the miss of a `get` for a while after the host has
come. The key outlives the presence, to say since when the host is away.

The goodbye is a key of its own, `host:{code}!left`, directly behind the other one, so that one `list` finds both. It
names the instance that has left, and counts for no other: after a reload the goodbye of the old page may be written, or
become visible, later than the first heartbeat of the new page.
"""

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.kv.keys import host_key, host_left_key
from waypost_worker.kv.store import Kv
from waypost_worker.limits import KV_MIN_TTL_SECONDS, MAX_SESSION_AGE_SECONDS, PRESENCE_GRACE_SECONDS
from waypost_worker.sessions.host_instance import HostInstance


class _Sign(msgspec.Struct, frozen=True, array_like=True):
    """A heartbeat or a goodbye. A host without an instance has only the time, and its sign is that number."""

    ms: int
    instance: str = ""
    since_ms: int = 0


_decode_sign = msgspec.json.Decoder(int | _Sign).decode


class HostState(msgspec.Struct, frozen=True):
    """What the keys of a host say. `instance`: of the last heartbeat, if it named one."""

    seen_ms: int
    has_left: bool
    instance: HostInstance | None

    def is_online(self, now_ms: int, lifetime_seconds: int) -> bool:
        """Whether the host is there, if a heartbeat is good for `lifetime_seconds`."""
        return not self.has_left and now_ms - self.seen_ms < lifetime_seconds * 1000


def host_state(seen: str | None, left: str | None) -> HostState | None:
    """The state that the texts of the two keys say; `None` if the host was never there."""
    if not seen:
        return None
    sign, goodbye = _read(seen), _read(left) if left else None
    instance = HostInstance(sign.instance, sign.since_ms) if sign.instance else None
    # A heartbeat after the goodbye: the instance is there after all.
    if goodbye is None or goodbye.instance != sign.instance or goodbye.ms < sign.ms:
        return HostState(sign.ms, False, instance)
    return HostState(goodbye.ms, True, instance)


def _read(text: str) -> _Sign:
    sign = _decode_sign(text)
    return _Sign(sign) if isinstance(sign, int) else sign


class Presence:
    """The presence of hosts, for one request. `seconds`: the interval between two heartbeats."""

    def __init__(self, kv: Kv, clock: Clock, seconds: int) -> None:
        self._kv = kv
        self._clock = clock
        self.lifetime_seconds = max(seconds + PRESENCE_GRACE_SECONDS, KV_MIN_TTL_SECONDS)
        """How long a heartbeat is good for."""

    async def announce(self, code: str, instance: HostInstance | None = None) -> None:
        """Writes the host's heartbeat."""
        now = self._clock.now_ms()
        await self._put(host_key(code), _Sign(now, instance.id, instance.since_ms) if instance else now)

    async def leave(self, code: str, instance_id: str) -> None:
        """Writes the goodbye of an instance; of a host that names none, if `instance_id` is empty."""
        now = self._clock.now_ms()
        await self._put(host_left_key(code), _Sign(now, instance_id) if instance_id else now)

    async def last_seen(self, code: str) -> tuple[bool, int | None]:
        """`(online, seen_ms)`: whether the host is there, and when it was last seen (`None`: not within 24 hours)."""
        texts = await self._list(code)
        state = host_state(texts.get(host_key(code)), texts.get(host_left_key(code)))
        if state is None:
            return False, None
        return state.is_online(self._clock.now_ms(), self.lifetime_seconds), state.seen_ms

    async def _put(self, key: str, sign: int | _Sign) -> None:
        text = msgspec.json.encode(sign).decode()
        await self._kv.put(key, text, ttl_seconds=MAX_SESSION_AGE_SECONDS, metadata=text)

    async def _list(self, code: str) -> dict[str, str | None]:
        """The texts of both keys, in one operation: a listing's page may be empty, and then there is another one."""
        names = (host_key(code), host_left_key(code))
        found: dict[str, str | None] = {}
        cursor = None
        while True:
            page = await self._kv.list(names[0], cursor=cursor, limit=len(names))
            found |= {key.name: key.metadata for key in page.keys if key.name in names}
            cursor = page.cursor
            # Keys of longer codes that begin with this one come after both.
            if cursor is None or len(found) < len(page.keys) or len(found) == len(names):
                return found
