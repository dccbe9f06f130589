"""Sessions: opened, found, renewed up to a day, ended, and found where KV is not up to date."""

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import START_MS
from tests.support.builders import CODE, SetClock
from tests.support.session_stores import Setting
from waypost_worker.errors import SessionEnded, SessionNotFound, SessionTooOld
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.keys import tools_key
from waypost_worker.kv.store import KvError
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.session import SessionStore, session_cache, tools_version

DAY = 86_400


async def test_an_opened_session_is_found_with_all_that_it_was_given():
    at = Setting()
    session = await at.opened(label="label", data={"n": 1.0})
    assert await at.elsewhere.find(CODE) == session
    assert (session.expires_ms - session.created_ms, session.label) == (600_000, "label")


async def test_a_session_is_over_at_exactly_its_time():
    at = Setting()
    await at.opened()
    at.pass_seconds(599.999)
    await at.here.find(CODE)
    at.pass_seconds(0.001)
    with pytest.raises(SessionNotFound):
        await at.here.find(CODE)


async def test_a_session_is_over_at_its_time_though_the_store_still_has_it():
    at, clock = Setting(), SetClock()
    store = SessionStore(at.kv, clock, session_cache(), LocalChannel(clock))
    await store.open(CODE, 600, None, None, None)
    clock.ms += 600_000
    with pytest.raises(SessionNotFound):
        await store.find(CODE)


async def test_a_code_that_was_never_opened_is_not_found():
    with pytest.raises(SessionNotFound):
        await Setting().here.find(CODE)


async def test_the_session_begins_at_a_whole_second_as_its_tokens_do():
    at = Setting()
    at.pass_seconds(0.9)
    session = await at.opened(ttl_seconds=60)
    assert session.created_ms == START_MS
    assert session.expires_ms == START_MS + 60_900


async def test_an_extended_session_has_a_full_new_time_to_live():
    at = Setting()
    session = await at.opened()
    at.pass_seconds(300)
    extended = await at.here.extend(session)
    assert extended.expires_ms == START_MS + 900_000
    assert await at.elsewhere.find(CODE) == extended


async def test_no_extension_passes_the_age_of_a_day_and_the_next_is_refused():
    at = Setting()
    session = await at.opened(ttl_seconds=DAY - 100)
    at.pass_seconds(200)
    session = await at.here.extend(session)
    assert session.expires_ms == START_MS + DAY * 1000
    with pytest.raises(SessionTooOld):
        await at.here.extend(session)


async def test_a_session_opened_for_a_day_ends_with_its_tokens():
    at = Setting()
    at.pass_seconds(0.9)
    session = await at.opened(ttl_seconds=DAY)
    assert session.expires_ms == session.must_end_ms


async def test_an_ended_session_is_told_apart_from_one_that_never_was():
    at = Setting()
    await at.here.end(await at.opened())
    for store in (at.here, at.elsewhere):
        with pytest.raises(SessionEnded):
            await store.find(CODE)


async def test_an_ended_session_is_forgotten_when_its_time_is_over():
    at = Setting()
    await at.here.end(await at.opened())
    at.pass_seconds(600)
    with pytest.raises(SessionNotFound):
        await at.here.find(CODE)


async def test_tools_are_kept_to_the_byte_and_live_as_long_as_the_session_can():
    at = Setting()
    session = await at.here.put_tools(await at.opened(), b'[{"name":"t","n":1.0}]', "v1")
    for at.clock.ms in range(START_MS, START_MS + DAY * 1000 - 1, 500_000):
        session = await at.here.extend(session)
    assert await at.elsewhere.tools(await at.elsewhere.find(CODE)) == b'[{"name":"t","n":1.0}]'


async def test_a_session_without_tools_gets_no_key_that_is_not_there():
    at = Setting()
    session = await at.opened()
    at.kv.asked.clear()
    assert await at.here.tools(session) == b"[]"
    assert at.kv.asked == [("list", tools_key(CODE))]


async def test_tools_outlive_a_record_that_was_written_back_from_before_them():
    at = Setting()
    before = await at.opened()
    await at.here.put_tools(before, b"[1]", "v1")
    assert await at.here.tools(await at.here.extend(before)) == b"[1]"


async def test_tools_whose_key_is_gone_are_none():
    at = Setting()
    session = await at.here.put_tools(await at.opened(), b"[1]", "v1")
    await at.kv.delete(tools_key(CODE))
    assert await at.here.tools(session) == b"[]"


async def test_tools_can_be_put_in_the_last_seconds_of_a_session():
    at = Setting()
    session = await at.opened(ttl_seconds=DAY)
    at.pass_seconds(DAY - 1)
    await at.here.put_tools(session, b"[1]", "v1")
    assert await at.here.tools(await at.here.find(CODE)) == b"[1]"


def test_versions_of_tools_grow():
    cursors = CursorFactory(SetClock(), SeededRandom())
    assert tools_version(cursors, CODE) < tools_version(cursors, CODE)


async def test_a_write_that_fails_is_not_remembered_as_done():
    at = Setting()
    session = await at.opened()
    at.kv.fails = lambda operation, _: operation == "put"
    with pytest.raises(KvError):
        await at.here.end(session)
    assert (await at.here.find(CODE)).active
