"""A store whose operations fail when a test says so."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv, KvError

P = ParamSpec("P")
T = TypeVar("T")

Fault = Callable[[str, str], bool]
"""Operation name and key (or prefix) -> whether it fails now."""


class FaultyKv(DelegatingKv):
    """Passes on to `kv`, unless `fails` says otherwise. With `takes_effect`, a write that fails is still done."""

    def __init__(self, kv: Kv, fails: Fault, *, takes_effect: bool = False) -> None:
        super().__init__(kv)
        self.fails = fails
        self.takes_effect = takes_effect
        self.asked: list[tuple[str, str]] = []

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        name = operation.__name__
        if self.takes_effect and name in ("put", "delete"):
            await operation(*args, **kwargs)
        key = first_key(args[0])
        self.asked.append((name, key))
        if self.fails(name, key):
            raise KvError(f"{name} failed")
        return await operation(*args, **kwargs)


def first_key(keys: Any) -> str:
    """The key of an operation, or the first one of `get_many`."""
    return keys if isinstance(keys, str) else next(iter(keys), "")
