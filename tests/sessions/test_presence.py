"""The host's presence: there, not there, and seen last."""

from simulation.virtual_time import START_MS
from tests.support.builders import CODE, SetClock
from tests.support.namespace import Namespace
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import ListPage
from waypost_worker.sessions.host_instance import HostInstance
from waypost_worker.sessions.presence import Presence, host_state

OLD_PAGE = HostInstance("old-page", START_MS)
NEW_PAGE = HostInstance("new-page", START_MS + 2000)


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


async def test_a_goodbye_ends_the_presence_at_its_time():
    clock = SetClock()
    presence = Presence(MemoryKv(clock), clock, 60)
    for instance, name in ((OLD_PAGE, OLD_PAGE.id), (None, "")):
        await presence.announce(CODE, instance)
        clock.ms += 5000
        await presence.leave(CODE, name)
        clock.ms += 1
        assert await presence.last_seen(CODE) == (False, clock.ms - 1)


async def test_a_goodbye_counts_for_its_own_instance_only_in_whatever_order_the_two_are_written():
    clock = SetClock()
    presence = Presence(MemoryKv(clock), clock, 60)
    await presence.announce(CODE, OLD_PAGE)
    await presence.leave(CODE, OLD_PAGE.id)
    await presence.announce(CODE, NEW_PAGE)
    assert await presence.last_seen(CODE) == (True, START_MS)
    clock.ms += 3000
    await presence.leave(CODE, OLD_PAGE.id)
    await presence.leave(CODE, "")
    assert await presence.last_seen(CODE) == (True, START_MS)


async def test_a_heartbeat_after_the_goodbye_shows_that_the_instance_is_there_after_all():
    clock = SetClock()
    presence = Presence(MemoryKv(clock), clock, 60)
    await presence.leave(CODE, OLD_PAGE.id)
    assert await presence.last_seen(CODE) == (False, None)
    clock.ms += 1
    await presence.announce(CODE, OLD_PAGE)
    assert await presence.last_seen(CODE) == (True, clock.ms)


async def test_presence_and_goodbye_are_read_in_one_operation_beside_longer_codes():
    clock = SetClock()
    at = Namespace(clock)
    presence = Presence(at.kv, clock, 60)
    await presence.announce(CODE, OLD_PAGE)
    await presence.announce(CODE + "0", NEW_PAGE)
    at.kv.asked.clear()
    assert await presence.last_seen(CODE) == (True, START_MS)
    assert len(at.kv.asked) == 1
    await presence.leave(CODE, OLD_PAGE.id)
    at.kv.asked.clear()
    assert await presence.last_seen(CODE) == (False, START_MS)
    assert len(at.kv.asked) == 1


async def test_a_listing_with_an_empty_page_is_read_on():
    clock = SetClock()

    class EmptyFirst(MemoryKv):
        async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
            return await super().list(prefix, limit=limit) if cursor else ListPage((), "more")

    presence = Presence(EmptyFirst(clock), clock, 60)
    await presence.announce(CODE, OLD_PAGE)
    assert await presence.last_seen(CODE) == (True, START_MS)


def test_the_state_names_the_instance_of_the_last_heartbeat():
    state = host_state(f'[{START_MS},"old-page",{START_MS}]', None)
    assert state is not None
    assert (state.instance, state.has_left) == (OLD_PAGE, False)
    plain = host_state(str(START_MS), None)
    assert plain is not None
    assert (plain.instance, plain.seen_ms) == (None, START_MS)
    assert host_state(None, "1") is None
