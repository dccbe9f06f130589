"""What an open stream knows of its session: changes, renewal, and the end."""

import asyncio
import json
from typing import Any

import pytest

from simulation.virtual_time import START_MS, LoopWakeup
from tests.support.builders import CODE, SetClock
from tests.support.namespace import Namespace
from waypost_worker.kv.store import KvError
from waypost_worker.limits import MAX_SESSION_AGE_SECONDS
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.plans import PAID
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.host_instance import HostInstance
from waypost_worker.sessions.host_seat import HostSeat
from waypost_worker.sessions.presence import Presence
from waypost_worker.sessions.session import Session, SessionStore, session_cache
from waypost_worker.sessions.watch import SessionWatch


class Setting(Namespace[SetClock]):
    """One session, watched in one isolate; `here` shares the watch's isolate and `elsewhere` does not."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.channel: LocalChannel[Session] = LocalChannel(self.clock)
        self.here = SessionStore(self.kv, self.clock, session_cache(), self.channel)
        self.elsewhere = SessionStore(self.kv, self.clock, session_cache(), LocalChannel(self.clock))
        self.presence = Presence(self.kv, self.clock, 60)

    async def watch(self, role: Role, ttl_seconds: int = 600, instance: HostInstance | None = None) -> SessionWatch:
        session = await self.here.open(CODE, ttl_seconds, None, None, None)
        seat = HostSeat(CODE, instance, False, LocalChannel(self.clock), self.clock) if instance else None
        return SessionWatch(session, role, self.here, self.presence, PAID, self.channel, self.clock, seat)

    async def after(self, seconds: float, watch: SessionWatch) -> list[tuple[str, Any]]:
        self.clock.ms += round(seconds * 1000)
        return [(event.name, json.loads(event.data)) for event in await watch.events()]


async def test_nothing_that_happened_is_nothing_to_say():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.kv.asked.clear()
    assert await at.after(0, watch) == []
    assert await at.after(59.9, watch) == []
    assert at.kv.asked == []


async def test_a_change_in_the_same_isolate_is_seen_at_once_and_told_once():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.clock.ms += 1000
    await at.here.put_tools(watch.session, b"[]", "v1")
    [(name, data)] = await at.after(0, watch)
    assert (name, data["toolsChanged"], data["code"], data["active"]) == ("session", True, CODE, True)
    assert await at.after(0, watch) == []


async def test_a_change_elsewhere_is_seen_within_a_minute():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.clock.ms += 1000
    await at.elsewhere.extend(watch.session)
    assert await at.after(58, watch) == []
    [(name, data)] = await at.after(1, watch)
    assert (name, data["expiresAt"]) == ("session", "2026-01-01T00:10:01.000Z")
    assert "toolsChanged" not in data


async def test_a_short_session_is_looked_at_more_often():
    at = Setting()
    watch = await at.watch(Role.GUEST, ttl_seconds=60)
    await at.elsewhere.end(watch.session)
    assert await at.after(19.9, watch) == []
    assert await at.after(0.1, watch) == [("end", {"reason": "ended"})]


async def test_the_end_is_told_once_and_nothing_after_it():
    at = Setting()
    watch = await at.watch(Role.HOST)
    await at.here.put_tools(watch.session, b"[]", "v1")
    await at.here.end(watch.session)
    await at.here.end(watch.session)
    assert [name for name, _ in await at.after(0, watch)] == ["session", "end"]
    assert watch.ended
    at.kv.asked.clear()
    assert await at.after(3600, watch) == []
    assert at.kv.asked == []


async def test_a_session_whose_time_is_over_has_expired():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    await at.after(599.999, watch)
    assert watch.ended is False
    assert await at.after(0.001, watch) == [("end", {"reason": "expired"})]


async def test_a_guest_does_not_renew_the_session():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.kv.asked.clear()
    await at.after(400, watch)
    assert [operation for operation, _ in at.kv.asked] == ["get_many"]


async def test_an_open_host_stream_renews_the_session_in_its_second_half():
    at = Setting()
    watch = await at.watch(Role.HOST)
    assert await at.after(300, watch) == []
    [(name, data)] = await at.after(60, watch)
    assert (name, data["expiresAt"]) == ("session", "2026-01-01T00:16:00.000Z")
    assert (await at.elsewhere.find(CODE)).expires_ms == START_MS + 960_000
    assert await at.after(0, watch) == []


async def test_a_host_stream_keeps_the_shortest_session_alive_for_an_hour():
    at = Setting()
    watch = await at.watch(Role.HOST, ttl_seconds=60)
    for _ in range(360):
        assert ("end", {"reason": "expired"}) not in await at.after(10, watch)


async def test_no_renewal_passes_a_day_and_then_the_session_expires():
    at = Setting()
    watch = await at.watch(Role.HOST, ttl_seconds=MAX_SESSION_AGE_SECONDS)
    assert await at.after(MAX_SESSION_AGE_SECONDS - 0.001, watch) == []
    assert await at.after(0.001, watch) == [("end", {"reason": "expired"})]


async def test_an_extension_to_a_day_elsewhere_is_followed_and_not_asked_for_again():
    at = Setting()
    at.clock.ms -= 1000
    watch = await at.watch(Role.HOST)
    while watch.session.expires_ms < watch.session.must_end_ms - 500_000:
        await at.after(60, watch)
    late = watch.session
    at.clock.ms = late.must_end_ms - 250_000
    await at.elsewhere.extend(late)
    [(name, _)] = await at.after(0, watch)
    assert name == "session"
    assert watch.session.expires_ms == watch.session.must_end_ms
    at.kv.asked.clear()
    await at.after(0.06, watch)
    await at.after(0.06, watch)
    assert at.kv.asked == []


async def test_a_look_that_fails_is_no_news():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.kv.fails = lambda *_: True
    assert await at.after(60, watch) == []
    assert await at.after(0.1, watch) == []
    assert len([key for operation, key in at.kv.asked if operation == "get_many"]) == 1


async def test_a_look_that_fails_when_the_time_is_over_is_no_news_either():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.kv.fails = lambda *_: True
    assert await at.after(600, watch) == []
    at.kv.fails = lambda *_: False
    assert await at.after(5, watch) == [("end", {"reason": "expired"})]


async def test_a_store_that_fails_is_not_asked_at_every_tick():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    at.kv.fails = lambda *_: True
    assert await at.after(600, watch) == []
    assert await at.after(0.1, watch) == []
    assert len([key for operation, key in at.kv.asked if operation == "get_many"]) == 1


async def test_a_record_that_is_not_found_before_its_time_is_a_stale_miss():
    at = Setting()
    watch = await at.watch(Role.GUEST)
    await at.kv.delete(f"session:{CODE}")
    assert await at.after(60, watch) == []
    assert await at.after(540, watch) == [("end", {"reason": "expired"})]


async def test_a_record_without_its_data_is_not_renewed_before_its_value_is_visible():
    at = Setting()
    session = await at.here.open(CODE, 600, None, None, "x" * 2000)
    watch = SessionWatch(session, Role.HOST, at.here, at.presence, PAID, at.channel, at.clock)
    key = f"session:{CODE}"
    [listed] = (await at.kv.list(key)).keys
    at.clock.ms += 310_000
    get_many = at.kv.get_many
    at.kv.get_many = lambda keys: get_many([each for each in keys if each != key])  # type: ignore[method-assign]
    assert await at.after(0, watch) == []
    assert (await at.kv.list(key)).keys == (listed,)
    at.kv.get_many = get_many  # type: ignore[method-assign]
    [(name, data)] = await at.after(5, watch)
    assert (name, data["expiresAt"]) == ("session", "2026-01-01T00:15:15.000Z")
    assert (await at.here.find(CODE, fresh=True)).data == "x" * 2000


async def test_a_host_says_that_it_is_there_at_once_and_then_each_minute():
    at = Setting()
    watch = await at.watch(Role.HOST)
    await at.after(0, watch)
    assert await at.presence.last_seen(CODE) == (True, START_MS)
    await at.after(59.9, watch)
    assert await at.presence.last_seen(CODE) == (True, START_MS)
    await at.after(0.1, watch)
    assert await at.presence.last_seen(CODE) == (True, START_MS + 60_000)


async def test_a_host_hidden_by_an_older_one_that_writes_after_it_each_time_changes_its_rhythm():
    at = Setting()
    older, newer = HostInstance("older", START_MS - 1000), HostInstance("newer", START_MS)
    watch = await at.watch(Role.HOST, instance=newer)
    await at.after(0, watch)
    await at.presence.announce(CODE, older)
    await at.after(60, watch)
    await at.presence.announce(CODE, older)
    await at.after(30, watch)
    assert await at.presence.last_seen(CODE) == (True, START_MS + 90_000)
    assert watch.due_ms == START_MS + 120_000
    # The older one has not written since: the newer one is seen, and the rhythm is the usual one again.
    await at.after(30, watch)
    assert (watch.ended, watch.due_ms) == (False, START_MS + 180_000)


async def test_a_guest_says_nothing_of_the_kind():
    at = Setting()
    await at.after(0, await at.watch(Role.GUEST))
    assert await at.presence.last_seen(CODE) == (False, None)


async def test_a_sign_that_fails_is_the_streams_to_report():
    at = Setting()
    watch = await at.watch(Role.HOST)
    at.kv.fails = lambda *_: True
    with pytest.raises(KvError):
        await at.after(0, watch)


async def test_a_guest_s_watch_is_due_when_the_session_is_read_and_a_host_s_when_it_says_that_it_is_there_too():
    at = Setting()
    guest, host = await at.watch(Role.GUEST), await at.watch(Role.HOST)
    assert (guest.due_ms, host.due_ms) == (START_MS + 60_000, START_MS)
    await at.after(20, host)
    assert host.due_ms == START_MS + 60_000
    await at.after(41, host)
    # Its presence was written at 20 s and is due again a minute later; its session was read just now.
    assert host.due_ms == START_MS + 80_000


async def test_a_watch_wakes_when_the_session_changes_in_its_isolate_and_not_when_it_does_elsewhere():
    at = Setting()
    watch, wakeup = await at.watch(Role.GUEST), LoopWakeup()
    with watch.subscribe(wakeup):
        await at.elsewhere.end(watch.session)
        began = asyncio.get_running_loop().time()
        await wakeup.wait(1)
        assert asyncio.get_running_loop().time() - began >= 1
        await at.here.end(watch.session)
        await wakeup.wait(1)
        assert asyncio.get_running_loop().time() - began < 1.1
