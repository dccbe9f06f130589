"""The store in memory: KV's limits, its pages, and a size that never throws away what it holds."""

import pytest

from tests.support.builders import SetClock
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import KvError, ListPage


async def filled(clock: SetClock, *keys: str, max_bytes: int = 1000) -> MemoryKv:
    kv = MemoryKv(clock, max_bytes)
    for key in keys:
        await kv.put(key, f"value of {key}", ttl_seconds=60, metadata=f"about {key}")
    return kv


def names(page: ListPage) -> list[str]:
    return [key.name for key in page.keys]


async def test_what_was_put_is_got_listed_and_deleted():
    kv = await filled(SetClock(), "a")
    assert await kv.get("a") == "value of a"
    assert [(key.name, key.metadata) for key in (await kv.list("a")).keys] == [("a", "about a")]
    await kv.delete("a")
    assert await kv.get("a") is None
    assert await kv.list("") == ListPage(())


async def test_deleting_what_is_not_there_is_fine():
    await MemoryKv(SetClock()).delete("nothing")


async def test_a_key_is_gone_at_exactly_its_expiration():
    clock = SetClock()
    kv = await filled(clock, "a")
    clock.ms += 59_999
    assert await kv.get("a") == "value of a"
    clock.ms += 1
    assert await kv.get("a") is None
    assert await kv.get_many(["a"]) == {}
    assert await kv.list("") == ListPage(())


async def test_get_many_leaves_out_what_is_not_there():
    kv = await filled(SetClock(), "a", "b")
    assert await kv.get_many(["a", "x", "b"]) == {"a": "value of a", "b": "value of b"}


async def test_a_listing_has_the_keys_of_its_prefix_in_the_order_of_their_bytes():
    kv = await filled(SetClock(), "q:b", "q:\U0001f600", "q:\uffff", "q:", "q", "r:a", "q:a", "q:aa")
    assert names(await kv.list("q:")) == ["q:", "q:a", "q:aa", "q:b", "q:\uffff", "q:\U0001f600"]


async def test_pages_follow_each_other_without_a_gap_or_an_overlap():
    kv = await filled(SetClock(), *"abcde")
    first = await kv.list("", limit=2)
    second = await kv.list("", limit=2, cursor=first.cursor)
    third = await kv.list("", limit=2, cursor=second.cursor)
    assert [names(first), names(second), names(third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert third.cursor is None


async def test_a_page_that_ends_with_the_last_key_of_its_prefix_has_no_cursor():
    kv = await filled(SetClock(), "q:a", "q:b", "r:a")
    assert (await kv.list("q:", limit=2)).cursor is None


async def test_a_page_goes_on_behind_a_key_that_was_deleted_meanwhile():
    kv = await filled(SetClock(), *"abc")
    page = await kv.list("", limit=1)
    await kv.delete("a")
    assert names(await kv.list("", cursor=page.cursor)) == ["b", "c"]


@pytest.mark.parametrize("limit", [1, 1000])
async def test_a_page_may_have_1_to_1000_keys(limit: int):
    await MemoryKv(SetClock()).list("", limit=limit)


@pytest.mark.parametrize("limit", [0, 1001])
async def test_a_page_of_another_size_is_refused(limit: int):
    with pytest.raises(KvError):
        await MemoryKv(SetClock()).list("", limit=limit)


@pytest.mark.parametrize(
    ("fits", "key", "ttl_seconds", "metadata"),
    [
        (True, "k" * 512, 60, None),
        (False, "k" * 513, 60, None),
        (True, "\u00e9" * 256, 60, None),
        (False, "\u00e9" * 257, 60, None),
        (False, "k", 59, None),
        (True, "k", 60, "m" * 1016),
        (False, "k", 60, "m" * 1017),
        (False, "k", 60, '"' * 509),
    ],
)
async def test_the_limits_are_those_of_kv(fits: bool, key: str, ttl_seconds: int, metadata: str | None):
    async def story():
        await MemoryKv(SetClock()).put(key, "", ttl_seconds=ttl_seconds, metadata=metadata)

    if fits:
        await story()
    else:
        with pytest.raises(KvError):
            await story()


@pytest.mark.parametrize(("count", "fits"), [(100, True), (101, False)])
async def test_one_call_gets_at_most_100_keys(count: int, fits: bool):
    if fits:
        await MemoryKv(SetClock()).get_many(["k"] * count)
    else:
        with pytest.raises(KvError):
            await MemoryKv(SetClock()).get_many(["k"] * count)


async def test_a_full_store_refuses_a_new_key_and_keeps_what_it_has():
    kv = MemoryKv(SetClock(), max_bytes=10)
    await kv.put("a", "12345", ttl_seconds=60, metadata="12345")
    with pytest.raises(KvError):
        await kv.put("b", "1", ttl_seconds=60)
    assert await kv.get("a") == "12345"


async def test_a_full_store_refuses_a_larger_value_and_keeps_the_old_one():
    kv = MemoryKv(SetClock(), max_bytes=10)
    await kv.put("a", "1234567890", ttl_seconds=60)
    with pytest.raises(KvError):
        await kv.put("a", "12345678901", ttl_seconds=60)
    assert await kv.get("a") == "1234567890"
    assert names(await kv.list("")) == ["a"]


async def test_a_value_is_replaced_within_the_room_it_frees():
    kv = MemoryKv(SetClock(), max_bytes=10)
    await kv.put("a", "1234567890", ttl_seconds=60)
    await kv.put("a", "0987654321", ttl_seconds=60)
    assert await kv.get("a") == "0987654321"
    assert names(await kv.list("")) == ["a"]


async def test_what_was_deleted_or_has_expired_gives_its_room_back():
    clock = SetClock()
    kv = MemoryKv(clock, max_bytes=10)
    await kv.put("a", "12345", ttl_seconds=60)
    await kv.put("b", "12345", ttl_seconds=120)
    await kv.delete("b")
    await kv.put("c", "12345", ttl_seconds=120)
    clock.ms += 60_000
    await kv.put("d", "12345", ttl_seconds=60)
    assert names(await kv.list("")) == ["c", "d"]
