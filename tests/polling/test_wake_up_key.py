"""The wake-up key: written in the background, once a second at most, naming what was queued; read as a hint."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from simulation.virtual_time import VirtualClock
from tests.support.builders import OTHER_CODE, REQUESTS, cursor_at
from tests.support.namespace import Namespace
from waypost_worker.errors import BudgetSpent, DailyLimit
from waypost_worker.kv.keys import request_key, requests_scope, wake_up_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.limits import MAX_CACHED_SESSIONS
from waypost_worker.polling.plans import PAID
from waypost_worker.polling.schedule import PollSchedule
from waypost_worker.polling.wake_up_key import (
    ABSENT_SECONDS,
    MAX_NAMED,
    RECENT_SECONDS,
    UNTOLD,
    WakeUpKey,
    WakeUps,
    WakeUpWriter,
    create_wake_up_key,
)

KEY = wake_up_key(REQUESTS)


def message(seconds: float = 0) -> str:
    return request_key("K7Q2M9XA", cursor_at(seconds))


class Setting(Namespace[VirtualClock]):
    def __init__(self, budget: int = 1000) -> None:
        super().__init__(VirtualClock())
        self.meter = MeteredKv(self.kv, self.clock, budget)
        self.tasks: list[asyncio.Task[None]] = []
        self.wake_ups = WakeUps()
        self.writer = WakeUpWriter(self.meter, self.clock, self.wake_ups, self.background)
        self.key = WakeUpKey(self.meter, REQUESTS, self.clock, exists=True)
        self.schedule = PollSchedule(PAID, PAID.poll_max_ms, self.clock.now_ms(), 0, 3000, 60_000)
        self.looked()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def written(self) -> str | None:
        await asyncio.gather(*self.tasks)
        return await self.store.get(KEY)

    @property
    def writes(self) -> int:
        return self.operations().count("put")

    async def told(self, *accepted: str) -> tuple[str, ...]:
        await self.key.read(self.schedule, accepted.__contains__)
        return self.key.told.awaited

    def looked(self, *accepted: str) -> None:
        self.key.looked(self.schedule, accepted.__contains__)

    @property
    def is_look_due(self) -> bool:
        return self.schedule.next_look_ms <= self.clock.now_ms()


async def test_a_message_is_named_in_the_background():
    at, first = Setting(), message()
    at.writer.announce(REQUESTS, first)
    assert at.writes == 0
    assert await at.written() == first
    assert at.writes == 1


async def test_messages_of_one_second_are_named_together_by_two_writes():
    at, sent = Setting(), [message() for _ in range(5)]
    began = at.clock.now_ms()
    for each in sent:
        at.writer.announce(REQUESTS, each)
        await asyncio.sleep(0.01)
    assert await at.written() == "\n".join(sent)
    assert at.writes == 2
    assert 1000 < at.clock.now_ms() - began < 1200


async def test_the_queues_of_a_session_do_not_wait_for_each_other():
    at, other = Setting(), requests_scope(OTHER_CODE)
    at.writer.announce(REQUESTS, message())
    at.writer.announce(other, message())
    await at.written()
    assert at.writes == 2
    assert await at.store.get(wake_up_key(other)) is not None


async def test_only_the_newest_messages_of_the_last_seconds_are_named():
    at = Setting()
    at.writer.announce(REQUESTS, message())
    await asyncio.sleep(RECENT_SECONDS - 1)
    sent = [message(RECENT_SECONDS - 1) for _ in range(MAX_NAMED - 1)]
    for each in sent:
        at.writer.announce(REQUESTS, each)
    assert (await at.written() or "").count("\n") == MAX_NAMED - 1
    await asyncio.sleep(1)
    at.writer.announce(REQUESTS, last := message(RECENT_SECONDS))
    assert await at.written() == "\n".join([*sent, last])
    at.writer.announce(REQUESTS, newest := message(RECENT_SECONDS))
    assert await at.written() == "\n".join([*sent[1:], last, newest])


async def test_a_write_that_is_refused_is_repeated_once_after_a_second():
    at, refused = Setting(), [True, False]
    at.kv.fails = lambda operation, _: operation == "put" and refused.pop(0)
    at.writer.announce(REQUESTS, first := message())
    assert await at.written() == first
    refused = [True, True]
    at.writer.announce(REQUESTS, message())
    assert await at.written() == first
    assert refused == []


async def test_a_refused_write_is_left_to_the_one_that_follows_it():
    at, refused = Setting(), [True, False]
    at.kv.fails = lambda operation, _: operation == "put" and refused.pop(0)
    at.writer.announce(REQUESTS, first := message())
    await asyncio.sleep(0.5)
    at.writer.announce(REQUESTS, second := message())
    assert await at.written() == f"{first}\n{second}"
    assert at.writes == 2


async def test_a_request_without_operations_names_nothing_and_fails_nothing():
    at = Setting(budget=0)
    at.writer.announce(REQUESTS, message())
    assert await at.written() is None


async def test_a_write_that_was_begun_so_long_ago_that_it_is_lost_holds_up_no_other():
    at = Setting()
    at.wake_ups.pending.put(REQUESTS, True, at.clock.now_ms())
    at.writer.announce(REQUESTS, message())
    assert at.tasks == []
    await asyncio.sleep(RECENT_SECONDS)
    at.writer.announce(REQUESTS, newest := message(RECENT_SECONDS))
    assert await at.written() == newest


async def test_a_write_that_comes_too_late_has_nothing_to_name():
    at = Setting()
    at.wake_ups.written_ms.put(REQUESTS, at.clock.now_ms(), at.clock.now_ms())
    at.writer.announce(REQUESTS, message())
    await asyncio.sleep(0)
    at.wake_ups.recent.pop(REQUESTS)
    assert await at.written() is None


async def test_what_an_isolate_remembers_of_its_writes_is_bounded():
    at, first = Setting(), message()
    for number in range(MAX_CACHED_SESSIONS + 1):
        at.writer.announce(f"req:{number}", first)
    assert len(at.wake_ups.recent) == len(at.wake_ups.pending) == MAX_CACHED_SESSIONS
    for task in at.tasks:
        task.cancel()


async def test_a_new_message_wakes_its_reader_once():
    at, first = Setting(), message()
    await create_wake_up_key(at.store, REQUESTS)
    assert await at.told(first) == ()
    assert not at.is_look_due
    await at.store.put(KEY, first, ttl_seconds=60)
    assert await at.told(first) == (first,)
    assert at.is_look_due
    at.looked()
    assert not at.is_look_due
    assert await at.told(first) == ()
    assert not at.is_look_due


async def test_a_message_that_the_look_does_not_show_is_looked_for_again():
    at, both = Setting(), (message(), message())
    await at.store.put(KEY, "\n".join(both), ttl_seconds=60)
    assert await at.told(*both) == both
    at.looked(both[1])
    assert at.key.told.awaited == both[1:]
    assert at.schedule.next_look_ms - at.clock.now_ms() == PAID.poll_min_ms


async def test_a_message_that_the_reader_has_had_does_not_wake_it():
    at, first, second = Setting(), message(), message()
    await at.store.put(KEY, first, ttl_seconds=60)
    assert await at.told() == ()
    await at.store.put(KEY, f"{first}\n{second}", ttl_seconds=60)
    assert await at.told(first, second) == (second,)


async def test_a_key_that_is_not_there_is_not_read_again_before_kv_forgets_the_miss():
    at = Setting()
    assert at.schedule.has_key
    await at.told()
    assert not at.schedule.has_key
    assert at.key.told == UNTOLD
    await asyncio.sleep(ABSENT_SECONDS - 0.1)
    at.looked()
    assert not at.schedule.has_key
    await asyncio.sleep(0.1)
    at.looked()
    assert at.schedule.has_key


async def test_a_key_that_was_never_written_is_never_read():
    at = Setting()
    at.key = WakeUpKey(at.meter, REQUESTS, at.clock, exists=False)
    await asyncio.sleep(10 * ABSENT_SECONDS)
    at.looked()
    assert not at.schedule.has_key
    assert at.schedule.next_look_ms - at.clock.now_ms() == PAID.poll_min_ms


async def test_a_reading_that_fails_is_replaced_by_a_look():
    at = Setting()
    at.kv.fails = lambda operation, _: operation == "get"
    await at.told()
    assert at.is_look_due
    at.looked()
    assert at.schedule.has_key


async def test_a_reader_without_operations_is_told_so():
    at = Setting(budget=0)
    with pytest.raises(BudgetSpent):
        await at.told()


async def test_without_gets_left_for_today_messages_are_listed():
    at = Setting()

    class Refusing(MemoryKv):
        async def get(self, key: str) -> str | None:
            raise DailyLimit("get", 3600)

    at.key = WakeUpKey(Refusing(at.clock), REQUESTS, at.clock, exists=True)
    await at.told()
    assert not at.schedule.has_key
