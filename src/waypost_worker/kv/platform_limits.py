"""The platform's own limits on KV operations: what they refuse is never repeated, since it would be refused again.

The free plan's operations of a day are counted for the whole account, each kind by itself, and are there again at 00:00
UTC: https://developers.cloudflare.com/kv/platform/pricing/ (2026-11). An isolate that was refused one asks for no more
of its kind until then, but for one a minute: an upgrade to the paid plan, or a clock that was wrong, must not lock it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

from waypost_worker.clock import Clock
from waypost_worker.errors import BudgetSpent, DailyLimit
from waypost_worker.kv.store import DailyLimitReached, InvocationLimitReached, Kv, ListPage

P = ParamSpec("P")
T = TypeVar("T")

DAY_MS = 24 * 3_600_000

PROBE_MS = 60_000
"""The interval at which one operation of a kind that is used up is tried all the same: 1,440 refusals a day."""


class DailyLimits:
    """The kinds of operations that are used up today, as far as this isolate knows. At most four."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._probe_ms: dict[str, int] = {}
        self._until_ms = 0

    @property
    def operations(self) -> tuple[str, ...]:
        """The kinds that are used up, sorted; empty at almost all times."""
        if self._probe_ms and self._clock.now_ms() >= self._until_ms:
            self._probe_ms.clear()
        return tuple(sorted(self._probe_ms))

    @property
    def until_ms(self) -> int:
        """When they are there again: the 00:00 UTC that follows the last refusal."""
        return self._until_ms

    def is_used_up(self, operation: str) -> bool:
        """Whether an operation of a kind that is used up must not be asked for now. It may be if a trial is due, which
        is then this caller's."""
        now = self._clock.now_ms()
        if now < self._probe_ms[operation]:
            return True
        self._probe_ms[operation] = now + PROBE_MS
        return False

    def refused(self, operation: str) -> None:
        """The platform has refused an operation of this kind."""
        now = self._clock.now_ms()
        self._until_ms = (now // DAY_MS + 1) * DAY_MS
        self._probe_ms[operation] = now + PROBE_MS

    def allowed(self, operation: str) -> None:
        """The platform has done an operation of this kind, so it is not used up, or no longer."""
        self._probe_ms.pop(operation, None)

    def error(self, operation: str) -> DailyLimit:
        """The error for a caller that needs an operation of this kind."""
        return DailyLimit(operation, max(1, -(-(self._until_ms - self._clock.now_ms()) // 1000)))


class LimitedKv:
    """Passes on to `kv` what is not used up.

    Raises:
        DailyLimit: the account's operations of this kind are used up for today. Another kind may still be had.
        BudgetSpent: the invocation's operations are used up, by the platform's count.
    """

    def __init__(self, kv: Kv, limits: DailyLimits) -> None:
        self.kv = kv
        self._limits = limits

    async def get(self, key: str) -> str | None:
        return await self._do("get", self.kv.get, key)

    async def get_bytes(self, key: str) -> bytes | None:
        return await self._do("get", self.kv.get_bytes, key)

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        return await self._do("get", self.kv.get_many, keys)

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        await self._do("put", self.kv.put, key, value, ttl_seconds=ttl_seconds, metadata=metadata)

    async def delete(self, key: str) -> None:
        await self._do("delete", self.kv.delete, key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        return await self._do("list", self.kv.list, prefix, cursor=cursor, limit=limit)

    async def _do(self, kind: str, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        is_trial = kind in self._limits.operations
        if is_trial and self._limits.is_used_up(kind):
            raise self._limits.error(kind)
        try:
            done = await operation(*args, **kwargs)
        except DailyLimitReached as refusal:
            self._limits.refused(refusal.operation)
            raise self._limits.error(refusal.operation) from refusal
        except InvocationLimitReached as refusal:
            raise BudgetSpent("The platform allows this call no more store operations.") from refusal
        # Not one that began before the refusal.
        if is_trial:
            self._limits.allowed(kind)
        return done
