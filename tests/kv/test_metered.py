"""The meter counts every operation, also one that fails, and refuses to go over its budget."""

import pytest

from tests.support.builders import SetClock
from tests.support.every_operation import every_operation
from tests.support.faulty_kv import FaultyKv
from waypost_worker.errors import BudgetSpent
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.store import KvError, ListPage


async def test_each_operation_is_passed_on_and_counted():
    meter = MeteredKv(MemoryKv(SetClock()), SetClock(), 10)
    await every_operation(meter)
    assert (meter.operations, meter.remaining) == (6, 4)


async def test_a_failure_is_counted_too():
    meter = MeteredKv(FaultyKv(MemoryKv(SetClock()), lambda *_: True), SetClock(), 10)
    with pytest.raises(KvError):
        await meter.get("a")
    assert meter.operations == 1


async def test_the_last_operation_of_the_budget_is_done_and_the_next_is_not_asked_for():
    store = FaultyKv(MemoryKv(SetClock()), lambda *_: False)
    meter = MeteredKv(store, SetClock(), 1)
    await meter.get("a")
    with pytest.raises(BudgetSpent):
        await meter.get("b")
    assert store.asked == [("get", "a")]
    assert meter.operations == 1


class Slow:
    def __init__(self, clock: SetClock) -> None:
        self.clock = clock

    async def get(self, key: str) -> str | None:
        await self.clock.sleep(0.02)
        if key == "fails":
            raise KvError("after a while")
        return None


async def test_the_time_of_what_succeeds_and_of_what_fails_is_added_up():
    clock = SetClock()
    meter = MeteredKv(Slow(clock), clock, 10)
    await meter.get("a")
    with pytest.raises(KvError):
        await meter.get("fails")
    assert meter.elapsed_ms == 40


async def test_an_empty_page_is_passed_on():
    assert await MeteredKv(MemoryKv(SetClock()), SetClock(), 1).list("p") == ListPage(())
