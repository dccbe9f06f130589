"""A store on the free plan: some kinds of its operations are used up for today."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.failures import failure_of
from waypost_worker.kv.store import Kv

P = ParamSpec("P")
T = TypeVar("T")

TEXT = "Error: KV {}() limit exceeded for the day."


class SpentKv(DelegatingKv):
    """Refuses the kinds that are in `used_up`, as the platform does. `asked`: the kinds that it was asked for."""

    def __init__(self, kv: Kv, *used_up: str) -> None:
        super().__init__(kv)
        self.used_up = set(used_up)
        self.asked: list[str] = []

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        kind = operation.__name__.partition("_")[0]
        self.asked.append(kind)
        if kind in self.used_up:
            raise failure_of(TEXT.format(kind), kind)
        return await operation(*args, **kwargs)
