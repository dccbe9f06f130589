"""A store that counts what it is asked, by what it costs."""

from collections import Counter
from collections.abc import Sequence

from waypost_worker.kv.store import Kv, ListPage


class CountingKv:
    """Counts what the store is asked: reads, writes (deletes too, which cost the same), lists."""

    def __init__(self, kv: Kv) -> None:
        self._kv = kv
        self.count: Counter[str] = Counter()

    async def get(self, key: str) -> str | None:
        self.count["read"] += 1
        return await self._kv.get(key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        self.count["read"] += 1
        return await self._kv.get_many(keys)

    async def put(self, key: str, value: str, *, ttl_seconds: int, metadata: str | None = None) -> None:
        self.count["write"] += 1
        await self._kv.put(key, value, ttl_seconds=ttl_seconds, metadata=metadata)

    async def delete(self, key: str) -> None:
        self.count["write"] += 1
        await self._kv.delete(key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        self.count["list"] += 1
        return await self._kv.list(prefix, cursor=cursor, limit=limit)
