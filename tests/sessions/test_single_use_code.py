"""The first guest closes the code behind itself; a guest that has joined can join again."""

import asyncio

import pytest

from simulation.virtual_time import START_MS
from tests.support.builders import CODE, OTHER_CODE, SetClock
from tests.support.namespace import Namespace
from waypost_worker.errors import CodeClosed
from waypost_worker.kv.keys import joined_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import KvError, ListPage
from waypost_worker.limits import MAX_JOINED_CODES
from waypost_worker.sessions.single_use_code import SingleUseCodes, single_use_cache

UNTIL_MS = START_MS + 24 * 3600 * 1000


class BlindKv(MemoryKv):
    """Lists nothing: what was written is not visible in this location yet."""

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        await asyncio.sleep(0.01)
        return ListPage((), None)


class Setting(Namespace[SetClock]):
    """Two isolates on one namespace."""

    def __init__(self, store: type[MemoryKv] = MemoryKv) -> None:
        super().__init__(SetClock(), store)
        self.cache = single_use_cache()
        self.here = SingleUseCodes(self.kv, self.clock, self.cache)
        self.elsewhere = SingleUseCodes(self.kv, self.clock, single_use_cache())


async def is_closed(codes: SingleUseCodes, join_id: str | None, code: str = CODE) -> bool:
    try:
        await codes.consume(code, UNTIL_MS, join_id)
    except CodeClosed:
        return True
    return False


@pytest.mark.parametrize("first", ["ada", None])
@pytest.mark.parametrize("second", ["bob", None])
async def test_whoever_comes_second_is_refused_here_and_elsewhere(first: str | None, second: str | None):
    at = Setting()
    assert not await is_closed(at.here, first)
    assert await is_closed(at.here, second)
    assert await is_closed(at.elsewhere, second)
    assert not await is_closed(at.here, second, OTHER_CODE)


async def test_who_joined_joins_again_here_and_elsewhere_for_one_write():
    at = Setting()
    for place in (at.here, at.here, at.elsewhere):
        assert not await is_closed(place, "ada")
    assert at.kv.asked.count(("put", joined_key(CODE))) == 1
    assert await is_closed(at.elsewhere, "bob")


async def test_where_it_happened_the_code_is_closed_at_once_also_while_the_store_shows_nothing():
    at = Setting(BlindKv)
    assert not await is_closed(at.here, "ada")
    assert await is_closed(at.here, "bob")
    assert not await is_closed(at.here, "ada")


async def test_of_two_that_join_at_once_in_one_isolate_one_is_refused():
    at = Setting(BlindKv)
    closed = await asyncio.gather(is_closed(at.here, "ada"), is_closed(at.here, "bob"), is_closed(at.here, None))
    assert sorted(closed) == [False, True, True]


async def test_the_key_is_never_read_before_it_is_known_to_exist():
    at = Setting()
    await is_closed(at.here, "ada")
    assert [operation for operation, _ in at.kv.asked] == ["list", "put"]


async def test_a_longer_code_that_was_used_closes_no_other():
    at = Setting()
    assert not await is_closed(at.here, "ada", CODE + "0")
    assert not await is_closed(at.here, "bob", CODE)


async def test_nobody_who_reads_the_store_learns_the_id():
    at = Setting()
    await is_closed(at.here, "ada")
    await is_closed(at.here, "ada", OTHER_CODE)
    marks = [(await at.kv.list(joined_key(code))).keys[0].metadata or "" for code in (CODE, OTHER_CODE)]
    assert all(len(mark) == 64 and "ada" not in mark for mark in marks)
    assert marks[0] != marks[1]


async def test_a_code_stays_closed_until_its_session_must_end():
    at = Setting()
    await is_closed(at.here, "ada")
    at.here = SingleUseCodes(at.kv, at.clock, single_use_cache())
    at.clock.ms = UNTIL_MS - 1
    assert await is_closed(at.here, "bob")


async def test_near_its_end_the_key_is_kept_for_as_long_as_the_platform_asks():
    at = Setting()
    at.clock.ms = UNTIL_MS - 1
    assert not await is_closed(at.here, "ada")


@pytest.mark.parametrize("takes_effect", [False, True])
async def test_where_the_write_fails_nobody_is_let_in_and_who_tries_again_is(takes_effect: bool):
    at = Setting()
    at.kv.takes_effect = takes_effect
    at.kv.fails = lambda operation, _: operation == "put"
    with pytest.raises(KvError):
        await at.here.consume(CODE, UNTIL_MS, "ada")
    at.kv.fails = lambda *_: False
    assert await is_closed(at.here, "bob") is takes_effect
    at = at if takes_effect else Setting()
    assert not await is_closed(at.here, "ada")


async def test_where_the_store_can_not_be_asked_nobody_is_let_in():
    at = Setting()
    at.kv.fails = lambda operation, _: operation == "list"
    with pytest.raises(KvError):
        await at.here.consume(CODE, UNTIL_MS, "ada")


async def test_an_isolate_remembers_a_bounded_number_of_codes_the_last_ones():
    at = Setting()
    for number in range(MAX_JOINED_CODES):
        at.cache.put(str(number), "", at.clock.ms)
    await is_closed(at.here, "ada")
    assert len(at.cache) == MAX_JOINED_CODES
    assert CODE in at.cache
    assert "0" not in at.cache
