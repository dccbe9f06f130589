"""Many keys are read in operations of 100, and cut into batches that memory holds."""

from simulation.counting_kv import CountingKv
from tests.support.builders import SetClock
from tests.support.faulty_kv import FaultyKv
from tests.support.namespace import never
from waypost_worker.kv.bulk import batches, get_all
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_LOADED_BYTES


def lengths(*sizes: int | None) -> list[int]:
    """How many items each batch has, of items with values of these sizes."""
    return [len(batch) for batch in batches(sizes, lambda size: size)]


async def test_any_number_of_keys_is_read_in_operations_of_a_hundred():
    kv = FaultyKv(MemoryKv(SetClock()), never)
    keys = [f"k{number}" for number in range(201)]
    for key in keys[1:]:
        await kv.put(key, key, ttl_seconds=60)
    assert await get_all(kv, keys) == {key: key for key in keys[1:]}
    assert [operation for operation, _ in kv.asked].count("get_many") == 3


async def test_no_keys_cost_no_operation():
    kv = CountingKv(MemoryKv(SetClock()))
    assert await get_all(kv, []) == {}
    assert kv.count["read"] == 0


def test_a_batch_has_no_more_values_than_one_operation_reads():
    assert lengths() == []
    assert lengths(*[1] * 201) == [100, 100, 1]
    assert lengths(*[0] * 101) == [100, 1]


def test_a_batch_has_no_more_bytes_than_memory_holds():
    half = MAX_LOADED_BYTES // 2
    assert lengths(half, half, 1) == [2, 1]
    assert lengths(half, half + 1, 1) == [1, 2]
    assert lengths(MAX_LOADED_BYTES + 1, 1) == [1, 1]


def test_an_item_without_a_value_to_read_counts_for_nothing():
    assert lengths(*[1] * 100, None, None, 1, None) == [102, 2]
    assert lengths(MAX_LOADED_BYTES, None, 1) == [2, 1]


def test_the_order_stays():
    assert [item for batch in batches(range(250), lambda item: item) for item in batch] == [*range(250)]
