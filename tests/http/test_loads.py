"""Large values wait for room, are refused if none is freed, and leave it when they are handed over."""

import asyncio

import pytest

from simulation.virtual_time import VirtualClock
from waypost_worker.errors import Busy
from waypost_worker.http.body_budget import BodyBudget
from waypost_worker.http.loads import Loads
from waypost_worker.limits import (
    LOAD_PATIENCE_SECONDS,
    MAX_ADDRESS_LOADS_BYTES,
    MAX_BODY_BYTES,
    MAX_LOADED_BYTES,
    MAX_LOADS_BYTES,
    MAX_RESPONSE_BODY_BYTES,
)

HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "192.0.2.3"


class Setting:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.budget = BodyBudget(self.clock, MAX_LOADS_BYTES, MAX_ADDRESS_LOADS_BYTES)

    def of(self, address: str) -> Loads:
        return Loads(self.budget, address, self.clock)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_whatever_is_read_together_fits():
    assert max(MAX_LOADED_BYTES, MAX_RESPONSE_BODY_BYTES) + 4096 <= MAX_ADDRESS_LOADS_BYTES <= MAX_LOADS_BYTES


async def test_a_small_value_is_not_counted():
    at = Setting()
    await at.of(HERE).take(MAX_BODY_BYTES)
    assert at.budget.bytes == 0


async def test_a_value_waits_until_another_is_handed_over():
    at = Setting()
    first, second = at.of(HERE), at.of(HERE)
    await first.take(MAX_ADDRESS_LOADS_BYTES)
    waiting = asyncio.ensure_future(second.take(MAX_ADDRESS_LOADS_BYTES))
    await asyncio.sleep(3)
    assert not waiting.done()
    first.release()
    await waiting
    assert 3 <= now() <= 3.3
    assert at.budget.bytes == MAX_ADDRESS_LOADS_BYTES


async def test_a_value_for_which_no_room_is_freed_is_refused():
    at = Setting()
    await at.of(HERE).take(MAX_ADDRESS_LOADS_BYTES)
    with pytest.raises(Busy):
        await at.of(HERE).take(MAX_BODY_BYTES + 1)
    assert LOAD_PATIENCE_SECONDS <= now() <= LOAD_PATIENCE_SECONDS + 0.3


async def test_an_isolate_has_a_bound_for_all_addresses_together():
    at = Setting()
    await at.of(HERE).take(MAX_ADDRESS_LOADS_BYTES)
    await at.of(THERE).take(MAX_LOADS_BYTES - MAX_ADDRESS_LOADS_BYTES)
    with pytest.raises(Busy):
        await at.of(ELSEWHERE).take(MAX_BODY_BYTES + 1)


async def test_a_request_does_not_wait_for_what_it_holds_itself():
    at = Setting()
    loads = at.of(HERE)
    await loads.take(MAX_ADDRESS_LOADS_BYTES)
    with pytest.raises(Busy):
        await loads.take(MAX_ADDRESS_LOADS_BYTES)
    assert now() == 0
    loads.release()
    loads.release()
    assert at.budget.bytes == 0
    await loads.take(MAX_ADDRESS_LOADS_BYTES)
