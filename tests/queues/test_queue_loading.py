"""Bodies that are stored apart: read in order, in as few operations as possible, and in batches of bounded size."""

from tests.support.builders import CODE, REQUESTS, RESPONSES, answer, request
from tests.support.queues import LARGE, Setting, all_of, loaded
from waypost_worker.kv.keys import request_key
from waypost_worker.limits import KV_MAX_BULK_KEYS, MAX_BODY_BYTES, MAX_LOADED_BYTES


async def test_bodies_are_loaded_in_the_order_of_their_messages():
    at = Setting()
    pushed = [await at.queues.push_request(request(args={"n": text}), None) for text in ("a", LARGE, "b", LARGE)]
    at.kv.asked.clear()
    assert await loaded(at.queues, await all_of(at.queues, REQUESTS)) == [pushed]
    assert [operation for operation, _ in at.kv.asked] == ["list", "get_many"]


async def test_small_messages_are_loaded_without_asking_the_store():
    at = Setting()
    await at.queues.push_request(request(), None)
    heads = await all_of(at.queues, REQUESTS)
    at.kv.asked.clear()
    assert await loaded(at.queues, heads) == [heads]
    assert at.kv.asked == []


async def test_a_message_whose_value_is_not_visible_yet_is_left_out():
    at = Setting()
    small = await at.queues.push_request(request(), None)
    large = await at.queues.push_request(request(args={"n": LARGE}), None)
    heads = await all_of(at.queues, REQUESTS)
    await at.kv.delete(request_key(CODE, large.cursor))
    assert await loaded(at.queues, heads) == [[small]]


async def test_a_batch_asks_for_at_most_a_hundred_bodies():
    at = Setting()
    for _ in range(KV_MAX_BULK_KEYS + 1):
        await at.queues.push_request(request(args={"n": LARGE}), None)
    batches = await loaded(at.queues, await all_of(at.queues, REQUESTS))
    assert [len(batch) for batch in batches] == [KV_MAX_BULK_KEYS, 1]


async def test_a_batch_holds_a_bounded_number_of_bytes():
    at = Setting()
    for _ in range(20):
        await at.queues.push_request(request(args={"n": "x" * (MAX_LOADED_BYTES // 16 - 1000)}), None)
    batches = await loaded(at.queues, await all_of(at.queues, REQUESTS))
    assert [len(batch) for batch in batches] == [16, 4]


async def test_a_large_message_is_read_by_itself():
    at = Setting()
    for size in (2000, MAX_BODY_BYTES, MAX_BODY_BYTES, 2000):
        await at.queues.push_response(answer("r", "x" * size))
    batches = await loaded(at.queues, await all_of(at.queues, RESPONSES))
    assert [len(batch) for batch in batches] == [1, 1, 1, 1]


async def test_nothing_to_load_is_no_batch():
    assert await loaded(Setting().queues, []) == []
