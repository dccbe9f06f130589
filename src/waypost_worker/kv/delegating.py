"""A store in front of another one, with one hook around all six operations."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

from waypost_worker.kv.store import Kv, ListPage

P = ParamSpec("P")
T = TypeVar("T")


class DelegatingKv:
    """Passes every operation on to `kv` through `_around`, which a subclass overrides to count, repeat or refuse it."""

    def __init__(self, kv: Kv) -> None:
        self.kv = kv

    async def get(self, key: str) -> str | None:
        return await self._around(self.kv.get, key)

    async def get_bytes(self, key: str) -> bytes | None:
        return await self._around(self.kv.get_bytes, key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        return await self._around(self.kv.get_many, keys)

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        await self._around(self.kv.put, key, value, ttl_seconds=ttl_seconds, metadata=metadata)

    async def delete(self, key: str) -> None:
        await self._around(self.kv.delete, key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        return await self._around(self.kv.list, prefix, cursor=cursor, limit=limit)

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Performs `operation`, one of the six of the store behind, with these arguments."""
        return await operation(*args, **kwargs)
