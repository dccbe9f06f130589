"""Where a session is looked for: in this isolate's memory, in KV, in a list, and in what a token says."""

from collections.abc import Sequence

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS
from tests.support.builders import CODE, SetClock
from tests.support.session_stores import Setting
from waypost_worker.errors import SessionEnded, SessionNotFound, StorageUnavailable
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.keys import session_key, tools_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import fits_metadata
from waypost_worker.limits import MAX_CACHED_SESSIONS, TOKEN_VOUCHES_SECONDS
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.session import SessionStore, session_cache, tools_version


async def test_a_record_read_recently_is_not_read_again():
    at = Setting()
    await at.opened()
    at.pass_seconds(29.999)
    at.kv.asked.clear()
    await at.here.find(CODE)
    assert at.kv.asked == []
    at.pass_seconds(0.001)
    await at.here.find(CODE)
    assert at.kv.asked == [("get_many", session_key(CODE))]


async def test_a_record_that_was_found_is_remembered():
    at = Setting()
    await at.opened()
    await at.elsewhere.find(CODE)
    at.kv.asked.clear()
    await at.elsewhere.find(CODE)
    assert at.kv.asked == []


async def test_a_fresh_record_is_read_from_the_store():
    at = Setting()
    session = await at.opened()
    extended = await at.elsewhere.extend(session)
    assert await at.here.find(CODE) == session
    assert await at.here.find(CODE, fresh=True) == extended


async def test_a_remembered_session_that_has_run_out_is_looked_for_again():
    at = Setting()
    session = await at.opened(ttl_seconds=60)
    at.pass_seconds(50)
    await at.here.find(CODE)
    extended = await at.elsewhere.extend(session)
    at.pass_seconds(15)
    assert await at.here.find(CODE) == extended


async def test_each_code_is_remembered_by_itself():
    at = Setting()
    await at.opened()
    with pytest.raises(SessionNotFound):
        await at.here.find("00000000")


async def test_an_isolate_remembers_a_bounded_number_of_sessions():
    cache = session_cache()
    clock = SetClock()
    store = SessionStore(MemoryKv(clock), clock, cache, LocalChannel(clock))
    for number in range(MAX_CACHED_SESSIONS + 1):
        await store.open(f"{number:08d}", 600, None, None, None)
    assert len(cache) == MAX_CACHED_SESSIONS
    assert "00000000" not in cache


class GetsNothing(MemoryKv):
    """KV where a miss is remembered: `get` finds nothing, `list` does."""

    is_miss_remembered = True

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        return {} if self.is_miss_remembered else await super().get_many(keys)


async def test_what_a_remembered_miss_hides_is_found_with_a_list():
    clock = SetClock()
    kv = GetsNothing(clock)
    session = await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).open(CODE, 600, None, "label", [1])
    assert await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).find(CODE) == session


async def test_data_that_is_too_large_for_a_list_is_left_out_of_it_and_nothing_else():
    clock = SetClock()
    kv = GetsNothing(clock)
    session = await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).open(
        CODE, 600, None, "label", "x" * 2000
    )
    found = await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).find(CODE)
    assert (found.label, found.data, found.expires_ms) == ("label", None, session.expires_ms)
    assert await MemoryKv.get(kv, session_key(CODE)) is not None


async def test_a_record_whose_data_was_left_out_is_not_written_back():
    clock = SetClock()
    kv = GetsNothing(clock)
    await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).open(CODE, 600, None, None, "x" * 2000)
    elsewhere = SessionStore(kv, clock, session_cache(), LocalChannel(clock))
    found = await elsewhere.find(CODE, fresh=True)
    with pytest.raises(StorageUnavailable):
        await elsewhere.extend(found)
    with pytest.raises(StorageUnavailable):
        await elsewhere.put_tools(found, b"[]", "1")
    assert len((await kv.list("")).keys) == 1
    kv.is_miss_remembered = False
    assert (await elsewhere.extend(await elsewhere.find(CODE, fresh=True))).data == "x" * 2000


async def test_data_that_fits_into_a_list_is_written_back():
    clock = SetClock()
    kv = GetsNothing(clock)
    await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).open(CODE, 600, None, None, [1])
    elsewhere = SessionStore(kv, clock, session_cache(), LocalChannel(clock))
    assert (await elsewhere.extend(await elsewhere.find(CODE, fresh=True))).data == [1]


async def test_the_largest_label_fits_beside_data_of_any_size():
    at = Setting()
    session = await at.here.open(CODE, 86_400, "2001:db8:85a3:8d3:1319:8a2e:370:7348", "\x01" * 100, "x" * 100_000)
    session = await at.here.put_tools(session, b"[]", tools_version(CursorFactory(at.clock, SeededRandom()), CODE))
    await at.here.end(session)
    [key] = (await at.kv.list("session:")).keys
    assert key.metadata is not None
    assert fits_metadata(key.metadata)


async def test_a_token_vouches_for_a_session_that_is_not_visible_yet():
    at = Setting()
    at.pass_seconds(TOKEN_VOUCHES_SECONDS - 0.001)
    session = await at.here.find(CODE, vouched_created_ms=START_MS)
    assert (session.code, session.active) == (CODE, True)
    assert session.expires_ms == START_MS + TOKEN_VOUCHES_SECONDS * 1000


async def test_a_token_vouches_for_as_long_as_a_write_may_be_invisible_and_no_longer():
    at = Setting()
    at.pass_seconds(TOKEN_VOUCHES_SECONDS)
    with pytest.raises(SessionNotFound):
        await at.here.find(CODE, vouched_created_ms=START_MS)


async def test_a_token_does_not_bring_an_ended_session_back():
    at = Setting()
    await at.here.end(await at.opened())
    with pytest.raises(SessionEnded):
        await at.elsewhere.find(CODE, vouched_created_ms=START_MS)


async def test_a_vouched_session_is_not_remembered_as_if_it_had_been_read():
    at = Setting()
    await at.here.find(CODE, vouched_created_ms=START_MS)
    with pytest.raises(SessionNotFound):
        await at.here.find(CODE)


async def test_a_renewal_from_an_older_record_does_not_bring_an_ended_session_back():
    clock = SetClock()
    kv = MemoryKv(clock)
    here, there = (SessionStore(kv, clock, session_cache(), LocalChannel(clock)) for _ in range(2))
    older = await here.open(CODE, 600, None, None, None)
    await here.end(older)
    await there.extend(older)
    with pytest.raises(SessionEnded):
        await SessionStore(kv, clock, session_cache(), LocalChannel(clock)).find(CODE)


async def test_a_session_whose_code_only_begins_with_this_one_is_not_found_by_it():
    at = Setting()
    await at.here.open(CODE + "0", 600, None, "longer", None)
    for place in (at.here, at.elsewhere):
        with pytest.raises(SessionNotFound):
            await place.find(CODE, fresh=True)
    assert (await at.elsewhere.find(CODE + "0", fresh=True)).label == "longer"


async def test_tools_of_a_longer_code_are_not_those_of_this_one():
    at = Setting()
    session = await at.opened()
    longer = await at.here.open(CODE + "0", 600, None, None, None)
    await at.here.put_tools(longer, b'[{"name":"a"}]', "v")
    assert await at.here.tools(session) == b"[]"
    assert ("get", tools_key(CODE)) not in at.kv.asked
