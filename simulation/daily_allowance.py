"""A day's operations of the free plan that are used up in the middle of a run, and are there again some minutes later.

That moment is 00:00 UTC by the isolates' clocks, or no hour in particular: then the account was upgraded. Each isolate
is held to not asking for what it was refused: no repetition, and one trial a minute.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import ParamSpec, TypeVar

from simulation.virtual_time import START_MS
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.failures import OPERATIONS, failure_of
from waypost_worker.kv.store import Kv

P = ParamSpec("P")
T = TypeVar("T")

DAY_MS = 24 * 3_600_000
TRIAL_SECONDS = 59.9
"""An isolate may try again a minute after it was refused, less the rounding of clocks."""

SKEW_SECONDS = 3
"""Isolates whose clocks are fast or slow try around the moment at which all is there again."""


class DailyAllowance:
    """The kinds of operations that are used up, and when. `violations`: what isolates asked for all the same."""

    def __init__(self, random: Random) -> None:
        self.kinds = set(random.sample(OPERATIONS, random.randint(1, len(OPERATIONS))))
        self.spent_at = random.uniform(2, 30)
        self.back_at = self.spent_at + random.uniform(20, 200)
        self.is_midnight = random.random() < 0.5
        self.violations: list[str] = []

    @property
    def clock_offset_ms(self) -> int:
        """What the isolates' clocks are ahead of the simulation's: by them, all is there again at midnight, or not."""
        to_midnight = DAY_MS - START_MS % DAY_MS
        return to_midnight - round(self.back_at * 1000) if self.is_midnight else 0

    def in_front_of(self, kv: Kv) -> Kv:
        """`kv` as one isolate has it."""
        return _SpentKv(kv, self)

    def refuses(self, kind: str, at: float) -> bool:
        """Whether an operation of this kind is refused at the time `at`."""
        return kind in self.kinds and self.spent_at <= at < self.back_at


class _SpentKv(DelegatingKv):
    def __init__(self, kv: Kv, allowance: DailyAllowance) -> None:
        super().__init__(kv)
        self._allowance = allowance
        self._refused_at: dict[str, float] = {}

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        kind = operation.__name__.partition("_")[0]
        began = asyncio.get_running_loop().time()
        self._check(kind, began)
        if not self._allowance.refuses(kind, began):
            return await operation(*args, **kwargs)
        await asyncio.sleep(0.02)
        self._refused_at[kind] = asyncio.get_running_loop().time()
        raise failure_of(f"Error: KV {kind}() limit exceeded for the day.", kind)

    def _check(self, kind: str, now: float) -> None:
        seconds = now - self._refused_at.get(kind, -TRIAL_SECONDS)
        if seconds < TRIAL_SECONDS and now < self._allowance.back_at - SKEW_SECONDS:
            self._allowance.violations.append(f"{kind} was asked for again {seconds:.1f} s after it was used up")
