"""Lists of threads: newest first, whole however many there are, and of one resource only."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from simulation.virtual_time import START_MS
from tests.support.behind_kv import HesitantKv
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from tests.support.threads import ADA, SECRET
from waypost_worker.conversations.thread import RecentWrites, ThreadStore
from waypost_worker.conversations.thread_list import ThreadPage, list_threads
from waypost_worker.errors import InvalidCursor
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import KV_MAX_LIST_KEYS


class Setting(Namespace[SetClock]):
    """One namespace with threads in it."""

    def __init__(self, store: type[MemoryKv] = MemoryKv) -> None:
        super().__init__(SetClock(), store)
        self.threads = ThreadStore(self.kv, self.clock, SECRET, RecentWrites())

    async def save(self, thread_id: str, resource_id: str = ADA, at_ms: int = 0, **metadata: Any) -> None:
        """A thread that was used `at_ms` after the start."""
        self.clock.ms = START_MS + at_ms
        await self.threads.save(self.threads.begin(resource_id, thread_id, metadata=metadata))

    async def page(
        self, resource_id: str = ADA, limit: int = 100, cursor: str | None = None, **filters: str
    ) -> ThreadPage:
        return await list_threads(self.kv, resource_id, limit, cursor, filters)

    async def names(self, resource_id: str = ADA, **filters: str) -> list[str]:
        return names(await self.page(resource_id, **filters))

    async def all_names(self, limit: int, **filters: str) -> list[str]:
        """Those of all pages, each full but the last."""
        found: list[str] = []
        cursor = None
        while True:
            page = await self.page(limit=limit, cursor=cursor, **filters)
            found += names(page)
            cursor = page.cursor
            if cursor is None:
                return found
            assert len(page.threads) == limit


def names(page: ThreadPage) -> list[str]:
    return [thread.thread_id for thread in page.threads]


async def test_a_list_shows_all_that_is_known_of_a_thread_but_its_older_ancestors():
    at = Setting()
    begun = at.threads.begin(ADA, "a b", "helper", {"title": "\u00fc"})
    fork = await at.threads.fork(begun, "f", "m1")
    await at.threads.save(begun)
    await at.threads.save(fork)
    assert [begun.written_ms, fork.written_ms] == [START_MS, START_MS]
    assert await at.page() == ThreadPage([begun, fork], None)


async def test_a_list_is_newest_first_and_by_name_where_two_are_of_one_time():
    at = Setting()
    for at_ms, thread_id in [(1, "z"), (3, "m"), (2, "b"), (2, "a"), (3, "k")]:
        await at.save(thread_id, at_ms=at_ms)
    assert await at.names() == ["k", "m", "a", "b", "z"]
    assert await at.all_names(1) == ["k", "m", "a", "b", "z"]


async def test_a_resource_without_threads_has_one_empty_page():
    assert await Setting().page() == ThreadPage([], None)


async def test_2500_threads_are_listed_whole_with_one_operation_a_thousand():
    at = Setting()
    wanted = [f"t{number:04d}" for number in range(2500)]
    for number, thread_id in enumerate(wanted):
        # Neither the order of the keys nor its reverse.
        await at.save(thread_id, at_ms=number * 7919 % 2503)
    at.kv.asked.clear()
    first = await at.page(limit=1000)
    assert [operation for operation, _ in at.kv.asked] == ["list"] * 3
    found = await at.all_names(1000)
    assert names(first) == found[:1000]
    assert len(found) == 2500
    assert found == sorted(wanted, key=lambda name: -(int(name[1:]) * 7919 % 2503))


@pytest.mark.parametrize("count", [KV_MAX_LIST_KEYS - 1, KV_MAX_LIST_KEYS, KV_MAX_LIST_KEYS + 1])
async def test_around_the_length_of_a_listing_none_is_left_out(count: int):
    at = Setting(HesitantKv)
    for number in range(count):
        await at.save(f"t{number}")
    assert len(await at.all_names(300)) == count


async def test_a_page_that_is_just_full_is_the_last_one():
    at = Setting()
    await at.save("a")
    await at.save("b")
    assert (await at.page(limit=2)).cursor is None
    assert (await at.page(limit=1)).cursor is not None


@pytest.mark.parametrize("resource_id", ["a", "a:", "a:b", "ab", "a%3Ab", "A", "a b", "\u00e4"])
async def test_the_threads_of_other_resources_are_never_listed(resource_id: str):
    at = Setting()
    for other in ["a", "a:", "a:b", "ab", "a%3Ab", "A", "a b", "\u00e4"]:
        await at.save(f"of {other}", other)
    assert await at.names(resource_id) == [f"of {resource_id}"]


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), ("", ""), ("1", "1"), (1, "1"), (1.5, "1.5"), (True, "true"), (None, "null"), ([1, "a"], '[1,"a"]')],
)
async def test_a_filter_takes_a_text_as_it_is_and_other_values_as_json(value: Any, text: str):
    at = Setting()
    await at.save("it", label=value)
    await at.save("other", label="something else")
    await at.save("without")
    assert await at.names(label=text) == ["it"]


@pytest.mark.parametrize("text", ["A", "a ", "", "ab", '"a"'])
async def test_a_filter_is_exact(text: str):
    at = Setting()
    await at.save("it", label="a")
    assert await at.names(label=text) == []


async def test_of_several_filters_all_must_hold():
    at = Setting()
    await at.save("both", label="a", state="open")
    await at.save("one", label="a", state="done")
    await at.save("other", state="open")
    assert await at.names(label="a", state="open") == ["both"]


async def test_pages_of_a_filtered_list_are_full():
    at = Setting()
    for number in range(30):
        await at.save(f"t{number:02d}", at_ms=number, third=number % 3 == 0)
    assert await at.all_names(4, third="true") == [f"t{number:02d}" for number in range(27, -1, -3)]


async def test_a_thread_used_between_two_pages_moves_to_the_front_and_disturbs_no_other():
    at = Setting()
    for number in range(4):
        await at.save(f"t{number}", at_ms=number)
    first = await at.page(limit=2)
    await at.save("t3", at_ms=10)
    await at.save("t4", at_ms=11)
    assert names(first) == ["t3", "t2"]
    assert names(await at.page(cursor=first.cursor)) == ["t1", "t0"]
    assert await at.names() == ["t4", "t3", "t2", "t1", "t0"]


async def test_a_page_goes_on_after_a_thread_that_was_deleted():
    at = Setting()
    for number in range(3):
        await at.save(f"t{number}", at_ms=number)
    first = await at.page(limit=1)
    await at.threads.delete(first.threads[0])
    assert names(await at.page(cursor=first.cursor)) == ["t1", "t0"]


async def a_cursor(resource_id: str = ADA) -> tuple[Setting, str]:
    at = Setting()
    await at.save("a", resource_id)
    await at.save("b", resource_id)
    cursor = (await at.page(resource_id, limit=1)).cursor
    assert cursor is not None
    return at, cursor


async def test_a_cursor_of_another_resource_is_refused():
    at, cursor = await a_cursor("user:bob")
    with pytest.raises(InvalidCursor):
        await at.page(ADA, cursor=cursor)


async def test_a_cursor_can_stand_in_a_url_as_it_is():
    _, cursor = await a_cursor()
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


GARBAGE = [
    "nonsense",
    "=",
    "a",
    "\u00e4",
    "*",
    "a" * 4000,
    *map(encoded, ["[]", "[1]", '["a",1,"b"]', "null", "\xff", '[1,1,"a",' + "[" * 3000]),
]


@pytest.mark.parametrize("text", GARBAGE)
async def test_garbage_is_no_cursor(text: str):
    at, _ = await a_cursor()
    at.kv.asked.clear()
    with pytest.raises(InvalidCursor):
        await at.page(cursor=text)
    assert at.kv.asked == []


@pytest.mark.parametrize(
    "change", [lambda c: c + "=", lambda c: " " + c, lambda c: c + "\n", lambda c: c[:-1], str.lower]
)
async def test_a_cursor_has_one_spelling(change: Any):
    at, cursor = await a_cursor()
    with pytest.raises(InvalidCursor):
        await at.page(cursor=change(cursor))
