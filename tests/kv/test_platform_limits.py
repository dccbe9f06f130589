"""What the platform's own limits refuse is not asked for again, until it may be there again."""

import asyncio
from datetime import UTC, datetime

import pytest

from tests.support.builders import SetClock
from tests.support.every_operation import every_operation
from tests.support.spent_kv import SpentKv
from waypost_worker.errors import BudgetSpent, DailyLimit
from waypost_worker.kv.failures import OPERATIONS
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.platform_limits import DAY_MS, PROBE_MS, DailyLimits, LimitedKv
from waypost_worker.kv.store import InvocationLimitReached, KvError, ListPage

NOON = int(datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp() * 1000)
MIDNIGHT = int(datetime(2026, 11, 27, tzinfo=UTC).timestamp() * 1000)


class Setting:
    """An isolate at noon, on a store that has used up some of its operations."""

    def __init__(self, *used_up: str) -> None:
        self.clock = SetClock(NOON)
        self.limits = DailyLimits(self.clock)
        self.store = SpentKv(MemoryKv(self.clock), *used_up)
        self.kv = LimitedKv(self.store, self.limits)

    async def refused(self, operation: str) -> DailyLimit:
        calls = {
            "get": lambda: self.kv.get_many(["a"]),
            "put": lambda: self.kv.put("a", "1", ttl_seconds=60),
            "list": lambda: self.kv.list("a"),
            "delete": lambda: self.kv.delete("a"),
        }
        with pytest.raises(DailyLimit) as caught:
            await calls[operation]()
        return caught.value


async def test_a_store_with_operations_left_is_asked_as_it_is():
    at = Setting()
    await every_operation(at.kv)
    assert await at.kv.get_bytes("a") is None
    assert (at.limits.operations, len(at.store.asked)) == ((), 7)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_each_kind_is_used_up_by_itself(operation: str):
    at = Setting(*OPERATIONS)
    error = await at.refused(operation)
    assert (error.operation, error.retry_after_seconds) == (operation, 12 * 3600)
    assert operation in error.detail
    assert (at.limits.operations, at.limits.until_ms) == ((operation,), MIDNIGHT)
    for other in OPERATIONS:
        await at.refused(other)
    assert at.limits.operations == tuple(sorted(OPERATIONS))


async def test_what_is_used_up_is_asked_for_once_a_minute_and_no_more():
    at = Setting("list")
    for _ in range(300):
        await at.refused("list")
        at.clock.ms += 1000
    assert at.store.asked == ["list"] * 5


async def test_the_other_kinds_go_on():
    at = Setting("list")
    await at.refused("list")
    await at.kv.put("a", "1", ttl_seconds=60)
    assert await at.kv.get("a") == "1"
    await at.kv.delete("a")
    assert at.limits.operations == ("list",)


async def test_at_midnight_all_is_there_again_and_the_next_day_ends_a_day_later():
    at = Setting("list", "put")
    await at.refused("list")
    at.clock.ms = MIDNIGHT - 1
    assert (await at.refused("put")).retry_after_seconds == 1
    at.clock.ms = MIDNIGHT
    at.store.used_up.clear()
    assert at.limits.operations == ()
    assert await at.kv.list("a") == ListPage(())
    at.store.used_up.add("list")
    at.clock.ms += 1
    await at.refused("list")
    assert at.limits.until_ms == MIDNIGHT + DAY_MS


async def test_an_account_that_is_upgraded_at_noon_is_served_within_a_minute():
    at = Setting("list")
    await at.refused("list")
    at.store.used_up.clear()
    at.clock.ms += PROBE_MS - 1
    await at.refused("list")
    at.clock.ms += 1
    assert await at.kv.list("a") == ListPage(())
    assert at.limits.operations == ()


async def test_a_clock_that_is_hours_ahead_locks_nothing_for_longer_than_a_minute():
    at = Setting("list")
    at.clock.ms = MIDNIGHT + 1
    await at.refused("list")
    at.store.used_up.clear()
    at.clock.ms += PROBE_MS
    assert await at.kv.list("a") == ListPage(())


async def test_a_clock_that_is_put_right_puts_the_hour_right():
    at = Setting("list")
    at.clock.ms = MIDNIGHT + 9 * DAY_MS
    await at.refused("list")
    at.clock.ms = NOON
    at.limits.refused("list")
    assert (await at.refused("list")).retry_after_seconds == 12 * 3600


async def test_only_one_of_many_callers_makes_the_trial():
    at = Setting("list")
    await at.refused("list")
    at.clock.ms += PROBE_MS
    assert [at.limits.is_used_up("list") for _ in range(3)] == [False, True, True]


async def test_an_operation_that_began_before_the_refusal_says_nothing_about_what_is_left():
    class Slow(MemoryKv):
        async def get(self, key: str) -> str | None:
            await asyncio.sleep(1)
            return None

    at = Setting()
    kv = LimitedKv(Slow(at.clock), at.limits)
    slow = asyncio.ensure_future(kv.get("a"))
    await asyncio.sleep(0.5)
    at.limits.refused("get")
    await slow
    assert at.limits.operations == ("get",)


async def test_the_limit_of_an_invocation_is_a_spent_budget():
    class Full(MemoryKv):
        async def get(self, key: str) -> str | None:
            raise InvocationLimitReached("Too many API requests by single Worker invocation.")

    clock = SetClock()
    limits = DailyLimits(clock)
    with pytest.raises(BudgetSpent):
        await LimitedKv(Full(clock), limits).get("a")
    assert limits.operations == ()


async def test_other_failures_pass_through():
    class Failing(MemoryKv):
        async def get(self, key: str) -> str | None:
            raise KvError("KV GET failed: 503 Service Unavailable")

    clock = SetClock()
    limits = DailyLimits(clock)
    with pytest.raises(KvError):
        await LimitedKv(Failing(clock), limits).get("a")
    assert limits.operations == ()
