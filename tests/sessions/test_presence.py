"""The host's presence: there, not there, and seen last."""

from simulation.virtual_time import START_MS
from tests.support.builders import CODE, SetClock
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.sessions.presence import Presence


async def test_a_host_that_was_never_there_was_never_seen():
    assert await Presence(MemoryKv(SetClock()), SetClock(), 60).last_seen(CODE) == (False, None)


async def test_a_host_is_there_until_its_next_sign_is_a_minute_late():
    clock = SetClock()
    presence = Presence(MemoryKv(SetClock()), clock, 60)
    await presence.announce(CODE)
    clock.ms += 119_999
    assert await presence.last_seen(CODE) == (True, START_MS)
    clock.ms += 1
    assert await presence.last_seen(CODE) == (False, START_MS)


async def test_each_sign_renews_the_presence():
    clock = SetClock()
    presence = Presence(MemoryKv(clock), clock, 60)
    await presence.announce(CODE)
    clock.ms += 60_000
    await presence.announce(CODE)
    clock.ms += 119_000
    assert await presence.last_seen(CODE) == (True, START_MS + 60_000)


async def test_the_presence_of_one_session_is_not_that_of_another():
    presence = Presence(MemoryKv(SetClock()), SetClock(), 60)
    await presence.announce(CODE)
    assert await presence.last_seen("00000000") == (False, None)


async def test_a_sign_without_a_time_is_none():
    kv = MemoryKv(SetClock())
    await kv.put(f"host:{CODE}", "", ttl_seconds=60)
    assert await Presence(kv, SetClock(), 60).last_seen(CODE) == (False, None)


async def test_signs_may_be_as_frequent_as_the_caller_likes():
    await Presence(MemoryKv(SetClock()), SetClock(), 0).announce(CODE)


async def test_the_host_of_a_longer_code_is_not_the_host_of_this_one():
    presence = Presence(MemoryKv(SetClock()), SetClock(), 60)
    await presence.announce(CODE + "0")
    assert await presence.last_seen(CODE) == (False, None)


async def test_when_a_host_was_seen_last_is_known_for_as_long_as_a_session_can_live():
    clock = SetClock()
    presence = Presence(MemoryKv(clock), clock, 60)
    await presence.announce(CODE)
    clock.ms += 24 * 3600 * 1000 - 1000
    assert await presence.last_seen(CODE) == (False, START_MS)


async def test_the_time_can_be_read_as_a_value():
    kv = MemoryKv(SetClock())
    await Presence(kv, SetClock(), 60).announce(CODE)
    assert await kv.get(f"host:{CODE}") == str(START_MS)
