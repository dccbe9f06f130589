"""The storage port in an isolate's memory: used when no namespace is bound, which `/health` reports.

It guarantees more than KV (every read sees the last write) and less (it is lost with the isolate). Its size is bounded:
a write over the limit is refused, and nothing is evicted for it.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.kv.store import KvError, ListedKey, ListPage, wrap_metadata
from waypost_worker.limits import (
    KV_MAX_BULK_KEYS,
    KV_MAX_KEY_BYTES,
    KV_MAX_LIST_KEYS,
    KV_MAX_METADATA_BYTES,
    KV_MIN_TTL_SECONDS,
    MEMORY_KV_MAX_BYTES,
)


class _Entry(msgspec.Struct, frozen=True):
    value: str | bytes
    metadata: str | None
    expires_ms: int

    @property
    def size(self) -> int:
        return len(self.value) + len(self.metadata or "")


class MemoryKv:
    """Stores keys until they expire, with KV's own limits on keys, metadata and expiration."""

    def __init__(self, clock: Clock, max_bytes: int = MEMORY_KV_MAX_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._entries: dict[str, _Entry] = {}
        self._sorted: list[bytes] = []
        self._bytes = 0

    async def get(self, key: str) -> str | None:
        entry = self._live(key)
        return _text(entry.value) if entry else None

    async def get_bytes(self, key: str) -> bytes | None:
        entry = self._live(key)
        return None if entry is None else entry.value if isinstance(entry.value, bytes) else entry.value.encode()

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        if len(keys) > KV_MAX_BULK_KEYS:
            raise KvError(f"at most {KV_MAX_BULK_KEYS} keys a call")
        return {key: _text(entry.value) for key in keys if (entry := self._live(key))}

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        if len(key.encode()) > KV_MAX_KEY_BYTES:
            raise KvError(f"a key has at most {KV_MAX_KEY_BYTES} bytes")
        if ttl_seconds < KV_MIN_TTL_SECONDS:
            raise KvError(f"an expiration is at least {KV_MIN_TTL_SECONDS} s")
        if metadata is not None and len(wrap_metadata(metadata)) > KV_MAX_METADATA_BYTES:
            raise KvError(f"metadata has at most {KV_MAX_METADATA_BYTES} bytes")
        entry = _Entry(value, metadata, self._clock.now_ms() + ttl_seconds * 1000)
        if not self._has_room(key, entry):
            self._drop_expired()
            if not self._has_room(key, entry):
                raise KvError("the memory store is full")
        self._drop(key)
        self._entries[key] = entry
        self._bytes += entry.size
        insort(self._sorted, key.encode())

    async def delete(self, key: str) -> None:
        self._drop(key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if not 1 <= limit <= KV_MAX_LIST_KEYS:
            raise KvError(f"a page has 1 to {KV_MAX_LIST_KEYS} keys")
        start = prefix.encode()
        index = bisect_left(self._sorted, cursor.encode() + b"\0" if cursor else start)
        keys: list[ListedKey] = []
        while index < len(self._sorted) and self._sorted[index].startswith(start):
            name = self._sorted[index].decode()
            index += 1
            if entry := self._live(name):
                keys.append(ListedKey(name, entry.metadata))
                if len(keys) == limit:
                    break
        more = index < len(self._sorted) and self._sorted[index].startswith(start)
        return ListPage(tuple(keys), keys[-1].name if more and keys else None)

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        return entry if entry and entry.expires_ms > self._clock.now_ms() else None

    def _has_room(self, key: str, entry: _Entry) -> bool:
        replaced = self._entries.get(key)
        return self._bytes + entry.size - (replaced.size if replaced else 0) <= self._max_bytes

    def _drop(self, key: str) -> None:
        if entry := self._entries.pop(key, None):
            self._bytes -= entry.size
            del self._sorted[bisect_left(self._sorted, key.encode())]

    def _drop_expired(self) -> None:
        for key in [key for key in self._entries if not self._live(key)]:
            self._drop(key)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
