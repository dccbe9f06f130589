"""A store that fails as it is told to."""

from collections.abc import Callable, Sequence

from waypost_worker.kv.store import Kv, KvError, ListPage

Fault = Callable[[str, str], bool]
"""Operation name and key (or prefix) -> whether it fails now."""


class FaultyKv:
    """Passes on to `kv`, unless `fails` says otherwise. With `takes_effect`, what fails is done all the same."""

    def __init__(self, kv: Kv, fails: Fault, *, takes_effect: bool = False) -> None:
        self.kv = kv
        self.fails = fails
        self.takes_effect = takes_effect
        self.asked: list[tuple[str, str]] = []

    async def get(self, key: str) -> str | None:
        self._check("get", key)
        return await self.kv.get(key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        self._check("get_many", keys[0] if keys else "")
        return await self.kv.get_many(keys)

    async def put(self, key: str, value: str, *, ttl_seconds: int, metadata: str | None = None) -> None:
        if self.takes_effect:
            await self.kv.put(key, value, ttl_seconds=ttl_seconds, metadata=metadata)
        self._check("put", key)
        await self.kv.put(key, value, ttl_seconds=ttl_seconds, metadata=metadata)

    async def delete(self, key: str) -> None:
        if self.takes_effect:
            await self.kv.delete(key)
        self._check("delete", key)
        await self.kv.delete(key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        self._check("list", prefix)
        return await self.kv.list(prefix, cursor=cursor, limit=limit)

    def _check(self, operation: str, key: str) -> None:
        self.asked.append((operation, key))
        if self.fails(operation, key):
            raise KvError(f"{operation} failed")
