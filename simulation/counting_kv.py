"""A KV store that counts operations by price."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sized
from typing import ParamSpec, TypeVar

from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv

P = ParamSpec("P")
T = TypeVar("T")

COSTS_AS = {"get": "read", "get_bytes": "read", "get_many": "read", "put": "write", "delete": "delete", "list": "list"}
"""Operation -> what the platform bills it as."""


class CountingKv(DelegatingKv):
    """Counts reads (each key of a bulk read is one), writes, deletes and lists."""

    def __init__(self, kv: Kv) -> None:
        super().__init__(kv)
        self.count: Counter[str] = Counter()

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        name = operation.__name__
        self.count[COSTS_AS[name]] += len(args[0]) if name == "get_many" and isinstance(args[0], Sized) else 1
        return await operation(*args, **kwargs)
