"""A store whose operations take time: what is awaited one after another shows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from waypost_worker.kv.delegating import DelegatingKv

P = ParamSpec("P")
T = TypeVar("T")


class SlowKv(DelegatingKv):
    """Every operation takes a second of virtual time, and has its effect at the end of it."""

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(1)
        return await operation(*args, **kwargs)
