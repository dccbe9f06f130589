"""A store that counts its operations against a budget, pays for them, and measures their time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

from waypost_worker.clock import Clock
from waypost_worker.errors import BudgetSpent
from waypost_worker.kv.store import Kv, ListPage
from waypost_worker.limits import READS_PER_ADDRESS_USE

P = ParamSpec("P")
T = TypeVar("T")

WRITE_PRICE = 10
"""A write, a delete or a list costs as much as ten reads ($5 and $0.50 a million):
https://developers.cloudflare.com/kv/platform/pricing/"""

BYTE_SECONDS_PER_READ = 2_600_000_000
"""What is stored costs too, $0.50 a gigabyte and month: a page of 1 MiB, kept for a day, as much as 34 reads."""

READ, WRITE, DELETE, LIST = range(4)
"""The kinds of operations, which have prices of their own."""

USES_AT_ONCE = 16
"""Uses that are counted concurrently: the binding counts one at a time, and an image of 4 MiB costs some 300."""

USES_PERIOD_SECONDS = 60
"""When more uses are allowed again."""


class Payment:
    """Pays for the operations of one invocation with uses of a rate limit, each before it is done.

    Prices are in reads. One use pays for `READS_PER_ADDRESS_USE`. `uses` were spent before; all but the first of them
    are kept until `pay` is refused, for what the invocation must still write to end cleanly.
    """

    def __init__(self, pay: Callable[[], Awaitable[bool]], uses: int) -> None:
        self._pay = pay
        self._paid = uses * READS_PER_ADDRESS_USE
        self._kept = self._paid - READS_PER_ADDRESS_USE
        self._spent = 0
        self._is_refused = False

    def spend_paid(self, price: int) -> bool:
        """Pays `price` out of the uses that were counted before. Returns whether there was enough left of them."""
        if self._spent + price + self._kept > self._paid:
            return False
        self._spent += price
        return True

    async def spend(self, price: int) -> None:
        """Pay `price`.

        Raises:
            BudgetSpent: it is not paid for, and no more uses are allowed.
        """
        while (missing := self._spent + price + self._kept - self._paid) > 0 and not self._is_refused:
            uses = min(-(-missing // READS_PER_ADDRESS_USE), USES_AT_ONCE)
            paying = [self._pay() for _ in range(uses)]
            # Usually it is one, which needs no task.
            allowed = await asyncio.gather(*paying) if uses > 1 else [await paying[0]]
            self._paid += READS_PER_ADDRESS_USE * sum(allowed)
            self._is_refused = not all(allowed)
        if self._spent + price > self._paid:
            raise BudgetSpent(
                "This needs more of the address's budget than is left; wait a minute.", USES_PERIOD_SECONDS
            )
        self._spent += price

    def has(self, price: int) -> bool:
        """Whether `price` is paid for already."""
        return self._spent + price <= self._paid

    def limit(self, operations: int) -> int:
        """How many of the next `operations` can be afforded: all, until a use was refused."""
        return min(operations, (self._paid - self._spent) // WRITE_PRICE) if self._is_refused else operations


def _price_of_writes(writes: int, characters: int, ttl_seconds: int) -> int:
    return WRITE_PRICE * writes + characters * ttl_seconds // BYTE_SECONDS_PER_READ


class MeteredKv:
    """Passes on to `kv` until `budget` operations are used, or one can't be paid; then raises instead of asking.

    `operations` counts what was asked, also what failed; `elapsed_ms` is the time spent waiting for it. `payment` is
    set once it is known whose budget pays. `by_kind`: keys that were read, writes, deletes and lists, as they are
    billed. The bytes are those of the values that were read, and of values and metadata that were written.
    """

    def __init__(self, kv: Kv, clock: Clock, budget: int) -> None:
        self.kv = kv
        self._clock = clock
        self._budget = budget
        self.payment: Payment | None = None
        self.operations = 0
        self.elapsed_ms = 0
        self.by_kind = [0, 0, 0, 0]
        self.read_bytes = 0
        self.written_bytes = 0

    @property
    def remaining(self) -> int:
        """Operations left in the budget, as far as they can be paid for."""
        left = self._budget - self.operations
        return left if self.payment is None else self.payment.limit(left)

    def can_write(self, writes: int, characters: int, ttl_seconds: int) -> bool:
        """Whether none of so many writes, of together so many characters, is refused here, if nothing else is asked
        meanwhile. They may be written again as often as usual: those writes are paid one at a time."""
        price = _price_of_writes(writes, characters, ttl_seconds)
        return self._budget - self.operations >= writes and (self.payment is None or self.payment.has(price))

    async def get(self, key: str) -> str | None:
        value = await self._paid(READ, 1, 1, self.kv.get, key)
        if value is not None:
            self.read_bytes += _size(value)
        return value

    async def get_bytes(self, key: str) -> bytes | None:
        value = await self._paid(READ, 1, 1, self.kv.get_bytes, key)
        if value is not None:
            self.read_bytes += len(value)
        return value

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        # One operation, but each key is billed.
        values = await self._paid(READ, len(keys), len(keys), self.kv.get_many, keys)
        self.read_bytes += sum(map(_size, values.values()))
        return values

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        price = _price_of_writes(1, len(value), ttl_seconds)
        await self._paid(WRITE, 1, price, self.kv.put, key, value, ttl_seconds=ttl_seconds, metadata=metadata)
        self.written_bytes += _size(value) + _size(metadata or "")

    async def delete(self, key: str) -> None:
        await self._paid(DELETE, 1, WRITE_PRICE, self.kv.delete, key)

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        return await self._paid(LIST, 1, WRITE_PRICE, self.kv.list, prefix, cursor=cursor, limit=limit)

    async def _paid(
        self,
        kind: int,
        count: int,
        price: int,
        operation: Callable[P, Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self.operations >= self._budget:
            raise BudgetSpent(f"This call may use {self._budget} store operations and needs more.")
        self.operations += 1
        # Usually it is paid for, and nothing has to be awaited.
        if self.payment is not None and not self.payment.spend_paid(price):
            await self.payment.spend(price)
        self.by_kind[kind] += count
        started = self._clock.now_ms()
        try:
            return await operation(*args, **kwargs)
        finally:
            self.elapsed_ms += max(self._clock.now_ms() - started, 0)


def _size(value: str | bytes) -> int:
    # Nearly every text is ASCII, and then its length is known without encoding it.
    return len(value) if isinstance(value, bytes) or value.isascii() else len(value.encode())
