"""A refused operation is retried with growing back-off; the last failure is raised."""

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import run
from tests.support.builders import SetClock
from tests.support.every_operation import every_operation
from tests.support.faulty_kv import FaultyKv
from waypost_worker.errors import BudgetSpent, StorageUnavailable
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.kv.store import KvError


def store_that_fails(times: int, clock: SetClock) -> FaultyKv:
    store = FaultyKv(MemoryKv(clock), lambda *_: len(store.asked) % (times + 1) != 0)
    return store


async def test_every_operation_survives_four_failures():
    clock = SetClock()
    store = store_that_fails(4, clock)
    await every_operation(RetryingKv(store, clock, SeededRandom()))
    assert len(store.asked) == 6 * 5


async def test_after_the_fifth_failure_the_truth_is_told():
    clock = SetClock()
    store = store_that_fails(5, clock)
    with pytest.raises(StorageUnavailable) as caught:
        await RetryingKv(store, clock, SeededRandom()).get("a")
    assert isinstance(caught.value.__cause__, KvError)
    assert len(store.asked) == 5


async def test_the_time_between_two_attempts_grows_and_half_of_it_is_jitter():
    clock = SetClock()
    with pytest.raises(StorageUnavailable):
        await RetryingKv(store_that_fails(5, clock), clock, SeededRandom()).get("a")
    for slept, longest in zip(clock.slept, (0.25, 0.5, 1, 2), strict=True):
        assert longest / 2 <= slept < longest


def test_two_writers_do_not_come_back_at_the_same_time():
    def delays(seed: int) -> list[float]:
        clock = SetClock()
        run(RetryingKv(store_that_fails(4, clock), clock, SeededRandom(seed)).get("a"))
        return clock.slept

    assert delays(1) != delays(2)


async def test_what_succeeds_at_once_waits_for_nothing():
    clock = SetClock()
    await RetryingKv(MemoryKv(clock), clock, SeededRandom()).get("a")
    assert clock.slept == []


async def test_a_key_that_takes_one_write_a_second_is_written_in_the_end():
    clock = SetClock()
    free_ms = clock.now_ms() + 1000
    store = FaultyKv(MemoryKv(clock), lambda *_: clock.now_ms() < free_ms)
    await RetryingKv(store, clock, SeededRandom()).put("a", "1", ttl_seconds=60)
    assert await store.kv.get("a") == "1"


async def test_a_store_that_is_slow_to_refuse_is_not_asked_for_ever():
    clock = SetClock()

    def slow(*_: str) -> bool:
        clock.ms += 5000
        return True

    store = FaultyKv(MemoryKv(clock), slow)
    with pytest.raises(StorageUnavailable):
        await RetryingKv(store, clock, SeededRandom()).put("a", "1", ttl_seconds=60)
    assert len(store.asked) == 2


async def test_a_spent_budget_is_not_asked_again():
    clock = SetClock()
    with pytest.raises(BudgetSpent):
        await RetryingKv(MeteredKv(MemoryKv(clock), clock, 0), clock, SeededRandom()).get("a")
    assert clock.slept == []
