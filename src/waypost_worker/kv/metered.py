"""A store that counts its operations against a budget, and measures their time."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from waypost_worker.clock import Clock
from waypost_worker.errors import BudgetSpent
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import Kv

P = ParamSpec("P")
T = TypeVar("T")


class MeteredKv(DelegatingKv):
    """Passes operations on to `kv` until `budget` of them are used; then raises `BudgetSpent` instead.

    `operations` counts them, failed ones included; `elapsed_ms` is the time spent waiting for them.
    """

    def __init__(self, kv: Kv, clock: Clock, budget: int) -> None:
        super().__init__(kv)
        self._clock = clock
        self._budget = budget
        self.operations = 0
        self.elapsed_ms = 0

    @property
    def remaining(self) -> int:
        """Operations left in the budget."""
        return self._budget - self.operations

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.remaining <= 0:
            raise BudgetSpent(f"This call may use {self._budget} store operations and needs more.")
        self.operations += 1
        started = self._clock.now_ms()
        try:
            return await operation(*args, **kwargs)
        finally:
            self.elapsed_ms += self._clock.now_ms() - started
