"""The memory store passes the port's suite, and keeps what it says beyond it."""

import pytest

from simulation.virtual_time import VirtualClock
from tests.contract import kv_contract
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import KvError
from waypost_worker.limits import KV_MIN_TTL_SECONDS


@pytest.mark.parametrize("name", kv_contract.CASES)
async def test_the_memory_store_keeps_the_contract(name: str) -> None:
    clock = VirtualClock()
    await kv_contract.CASES[name](MemoryKv(clock), clock)


# Only here: in workerd this takes a minute of real time, and what expires is the platform's business.
async def test_an_expired_key_is_neither_read_nor_listed() -> None:
    clock = VirtualClock()
    kv = MemoryKv(clock)
    await kv.put("a", "value", ttl_seconds=KV_MIN_TTL_SECONDS)
    await kv.put("b", "value", ttl_seconds=KV_MIN_TTL_SECONDS + 10)
    await clock.sleep(KV_MIN_TTL_SECONDS - 1)
    assert await kv_contract.names(kv, "") == ["a", "b"]
    await clock.sleep(2)
    assert await kv.get("a") is None
    assert await kv.get_many(["a", "b"]) == {"b": "value"}
    assert await kv_contract.names(kv, "") == ["b"]


async def test_a_put_gives_a_key_its_full_time_again() -> None:
    clock = VirtualClock()
    kv = MemoryKv(clock)
    await kv.put("a", "first", ttl_seconds=KV_MIN_TTL_SECONDS)
    await clock.sleep(KV_MIN_TTL_SECONDS - 1)
    await kv.put("a", "second", ttl_seconds=KV_MIN_TTL_SECONDS)
    await clock.sleep(KV_MIN_TTL_SECONDS - 1)
    assert await kv.get("a") == "second"


async def test_a_full_store_refuses_and_throws_nothing_away() -> None:
    kv = MemoryKv(VirtualClock(), max_bytes=100)
    await kv.put("a", "x" * 90, ttl_seconds=KV_MIN_TTL_SECONDS)
    with pytest.raises(KvError):
        await kv.put("b", "x" * 11, ttl_seconds=KV_MIN_TTL_SECONDS)
    assert await kv.get("a") == "x" * 90
    assert await kv.get("b") is None


async def test_what_has_expired_makes_room() -> None:
    clock = VirtualClock()
    kv = MemoryKv(clock, max_bytes=100)
    await kv.put("a", "x" * 90, ttl_seconds=KV_MIN_TTL_SECONDS)
    await clock.sleep(KV_MIN_TTL_SECONDS + 1)
    await kv.put("b", "x" * 90, ttl_seconds=KV_MIN_TTL_SECONDS)
    assert await kv.get("b") == "x" * 90
