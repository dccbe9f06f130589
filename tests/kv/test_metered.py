"""The meter counts every operation, also one that fails, and refuses to go over its budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.virtual_time import run
from tests.support.builders import SetClock
from tests.support.every_operation import every_operation
from tests.support.faulty_kv import FaultyKv
from waypost_worker.errors import BudgetSpent
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import USES_AT_ONCE, MeteredKv, Payment
from waypost_worker.kv.store import KvError, ListPage
from waypost_worker.limits import READS_PER_ADDRESS_USE


async def test_each_operation_is_passed_on_and_counted():
    meter = MeteredKv(MemoryKv(SetClock()), SetClock(), 10)
    await every_operation(meter)
    assert (meter.operations, meter.remaining) == (6, 4)


async def test_a_failure_is_counted_too():
    meter = MeteredKv(FaultyKv(MemoryKv(SetClock()), lambda *_: True), SetClock(), 10)
    with pytest.raises(KvError):
        await meter.get("a")
    assert meter.operations == 1


async def test_operations_are_counted_by_kind_as_they_are_billed():
    meter = MeteredKv(MemoryKv(SetClock()), SetClock(), 20)
    await meter.put("a", "x", ttl_seconds=60)
    await meter.put("b", b"xyz", ttl_seconds=60, metadata="m\u00e9")
    await meter.put("c", "\u00e9", ttl_seconds=60)
    assert (meter.by_kind, meter.written_bytes) == ([0, 3, 0, 0], 1 + 3 + 3 + 2)
    await meter.get("a")
    await meter.get("none")
    await meter.get_bytes("b")
    await meter.get_bytes("none")
    await meter.get_many(["a", "c", "none"])
    assert (meter.by_kind, meter.read_bytes) == ([7, 3, 0, 0], 1 + 3 + 3)
    await meter.delete("a")
    await meter.list("")
    assert (meter.by_kind, meter.operations) == ([7, 3, 1, 1], 10)


async def test_an_operation_that_fails_is_counted_by_kind_and_one_that_is_refused_is_not():
    meter = MeteredKv(FaultyKv(MemoryKv(SetClock()), lambda *_: True), SetClock(), 1)
    with pytest.raises(KvError):
        await meter.put("a", "x", ttl_seconds=60)
    with pytest.raises(BudgetSpent):
        await meter.put("a", "x", ttl_seconds=60)
    assert meter.by_kind == [0, 1, 0, 0]


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


class Purse:
    """Allows so many uses; counts those that were asked for."""

    def __init__(self, uses: int) -> None:
        self.uses = uses
        self.asked = 0

    async def pay(self) -> bool:
        self.asked += 1
        return self.asked <= self.uses


def paid_meter(purse: Purse, uses: int = 1) -> tuple[MeteredKv, FaultyKv]:
    store = FaultyKv(MemoryKv(SetClock()), lambda *_: False)
    meter = MeteredKv(store, SetClock(), 1000)
    meter.payment = Payment(purse.pay, uses)
    return meter, store


async def test_the_first_use_pays_for_two_and_a_half_lists_and_each_more_for_as_much():
    purse = Purse(1000)
    meter, _ = paid_meter(purse)
    for number in range(1, 41):
        await meter.list("p")
        # Ten reads each, and 25 a use; the first use was spent before.
        assert 1 + purse.asked == -(-number * 10 // READS_PER_ADDRESS_USE)
    assert meter.remaining == 960


@pytest.mark.parametrize(
    ("calls", "uses"),
    [
        ([("get", "k")] * 25, 1),
        ([("get", "k")] * 26, 2),
        ([("get_many", ["k"] * 100)], 4),
        ([("delete", "k")] * 3, 2),
        ([("put", "k", "v", 60)] * 3, 2),
        # A page: 34 reads for its day, and 10 to write it.
        ([("put", "k", "x" * 2**20, 86_400)], 2),
        # The largest image of a thread: 8,363 reads for 60 days, and 10 to write it.
        ([("put", "k", "x" * 2**22, 60 * 86_400)], 335),
    ],
)
async def test_what_is_billed_is_paid_for(calls: list, uses: int):
    purse = Purse(1000)
    meter, _ = paid_meter(purse)
    for operation, *arguments in calls:
        if operation == "put":
            key, value, ttl_seconds = arguments
            await meter.put(key, value, ttl_seconds=ttl_seconds)
        else:
            await getattr(meter, operation)(*arguments)
    assert 1 + purse.asked == uses


async def test_what_is_not_paid_for_is_not_done():
    meter, store = paid_meter(Purse(1))
    for _ in range(5):
        await meter.list("p")
    with pytest.raises(BudgetSpent) as caught:
        await meter.list("p")
    assert caught.value.retry_after_seconds == 60
    assert len(store.asked) == 5
    assert meter.remaining == 0


async def test_a_large_value_that_is_not_paid_for_is_not_written():
    purse = Purse(300)
    meter, store = paid_meter(purse)
    with pytest.raises(BudgetSpent):
        await meter.put("k", "x" * 2**22, ttl_seconds=60 * 86_400)
    assert store.asked == []
    assert purse.asked <= 300 + USES_AT_ONCE


async def test_the_uses_spent_before_are_kept_for_the_end_until_one_is_refused():
    purse = Purse(2)
    meter, _ = paid_meter(purse, uses=3)
    for number in range(7):
        await meter.list("p")
        assert meter.remaining == 1000 - number - 1
    # Of five uses 75 reads were to be had, and 50 are kept.
    await meter.list("p")
    assert (purse.asked, meter.remaining) == (3, 4)
    for _ in range(4):
        await meter.list("p")
    assert (purse.asked, meter.remaining) == (3, 0)
    with pytest.raises(BudgetSpent):
        await meter.list("p")


OPERATIONS = st.lists(st.sampled_from(["get", "get_many", "put", "delete", "list"]), max_size=60)


@given(OPERATIONS, st.integers(1, 6), st.integers(0, 20))
def test_no_address_gets_more_than_it_has_paid_for(operations: list[str], uses: int, more: int):
    purse = Purse(more)
    meter, store = paid_meter(purse, uses)

    async def go() -> None:
        for operation in operations:
            if operation == "put":
                await meter.put("k", "v", ttl_seconds=60)
            else:
                await getattr(meter, operation)(["a", "b", "c"] if operation == "get_many" else "k")

    try:
        run(go())
    except BudgetSpent:
        assert purse.asked == more + 1
    price = {"get": 1, "get_many": 3}
    done = sum(price.get(operation, 10) for operation, _ in store.asked)
    assert done <= (uses + min(purse.asked, more)) * READS_PER_ADDRESS_USE


async def test_a_write_is_covered_while_it_is_paid_for_and_within_the_budget():
    async def pays() -> bool:
        return False

    meter = MeteredKv(MemoryKv(SetClock()), SetClock(), 2)
    assert meter.can_write(1, 10, 3600)
    meter.payment = Payment(pays, 1)
    assert meter.can_write(1, 10, 3600)
    # The bytes of a day cost as much as a write.
    assert not meter.can_write(1, 10**9, 86_400)
    await meter.put("a", "text", ttl_seconds=60)
    assert meter.can_write(1, 10, 3600)
    await meter.get_many(["a"] * 6)
    assert not meter.can_write(1, 10, 3600)
    meter.payment = None
    assert not meter.can_write(1, 10, 3600)


def test_writes_are_certain_only_within_the_budget_of_operations():
    meter = MeteredKv(MemoryKv(SetClock()), SetClock(), 3)
    assert meter.can_write(3, 10**9, 60)
    assert not meter.can_write(4, 0, 60)


@given(st.lists(st.integers(0, 3000), max_size=8), st.integers(1, 6), st.integers(0, 5))
def test_writes_that_are_certain_are_not_refused_whoever_is_asked_to_pay_more(sizes: list[int], uses: int, reads: int):
    day = 24 * 3600 * 1000
    meter, store = paid_meter(Purse(0), uses)

    async def go() -> None:
        for _ in range(reads):
            await meter.get("k")
        if meter.can_write(len(sizes), sum(sizes), day):
            for size in sizes:
                await meter.put("k", "x" * size, ttl_seconds=day)

    run(go())
