"""A KV store that counts operations by price."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv

P = ParamSpec("P")
T = TypeVar("T")

COSTS_AS = {"get": "read", "get_bytes": "read", "get_many": "read", "put": "write", "delete": "write", "list": "list"}
"""Operation -> what the platform bills it as."""


class CountingKv(DelegatingKv):
    """Counts reads, writes (with deletes, which cost the same) and lists."""

    def __init__(self, kv: Kv) -> None:
        super().__init__(kv)
        self.count: Counter[str] = Counter()

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        self.count[COSTS_AS[operation.__name__]] += 1
        return await operation(*args, **kwargs)
