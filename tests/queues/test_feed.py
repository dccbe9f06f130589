"""A feed yields the messages of the local channel and of listings once each, and removes duplicates."""

import asyncio

import pytest

from tests.support.builders import (
    CODE,
    REQUESTS,
    RESPONSES,
    SetClock,
    answer,
    cursor_at,
    make_queues,
    no_wake_up_key,
    raw,
    request,
)
from tests.support.namespace import Namespace
from waypost_worker.kv.cursor import EventId, cursor_ms
from waypost_worker.kv.keys import request_key
from waypost_worker.kv.store import KvError
from waypost_worker.limits import KV_MAX_BULK_KEYS, REORDER_WINDOW_SECONDS
from waypost_worker.queues.departures import Departures
from waypost_worker.queues.feed import Feed
from waypost_worker.queues.handovers import Handovers
from waypost_worker.queues.message import Message
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.reader import GuestReader, HostReader
from waypost_worker.sse import Event


class Setting(Namespace[SetClock]):
    def __init__(self, after: str | None = None, *, guest: bool = False) -> None:
        super().__init__(SetClock())
        self.channel = MessageChannel(self.clock)
        self.here = make_queues(self.kv, self.clock, self.channel)
        self.elsewhere = make_queues(self.kv, self.clock, MessageChannel(self.clock), seed=1)
        event_id = EventId(after, after) if after else None
        reader = GuestReader(RESPONSES, event_id) if guest else HostReader(REQUESTS, event_id)
        no_key = no_wake_up_key(self.kv, self.clock)
        self.feed = Feed(
            self.here, reader, self.channel, self.clock, 3600, Departures(0), Handovers(), no_key, is_stream=True
        )

    async def look(self) -> list[Event]:
        return [event for events in [[*events] async for events in self.feed.from_store()] for event in events]

    async def published(self) -> list[Event]:
        return [event for events in [[*events] async for events in self.feed.from_channel()] for event in events]

    async def requests(self) -> list[str]:
        return await self.keys(REQUESTS)


async def test_an_item_of_the_local_channel_is_delivered_once_and_not_again_by_the_listing():
    at = Setting()
    queued = await at.here.push_request(request(), None)
    assert [event.id for event in await at.published()] == [queued.cursor]
    assert await at.published() == []
    assert await at.look() == []


async def test_a_large_message_of_the_local_channel_is_delivered_with_its_body():
    at = Setting()
    await at.here.push_request(request(args={"text": "x" * 2000}), None)
    [event] = await at.published()
    assert b"x" * 2000 in event.data


async def test_an_item_that_the_listing_has_brought_already_is_nothing_new():
    at = Setting()
    await at.here.push_request(request(), None)
    assert len(await at.look()) == 1
    assert await at.published() == []


async def test_an_item_whose_body_can_not_be_read_comes_with_the_listing():
    at = Setting()
    await at.here.push_request(request(args={"text": "x" * 2000}), None)
    at.kv.fails = lambda operation, _: operation == "get_many"
    with pytest.raises(KvError):
        await at.published()
    at.kv.fails = lambda *_: False
    assert len(await at.look()) == 1


async def test_the_pages_of_a_hosts_listing_are_delivered_as_they_come():
    at = Setting()
    for _ in range(1001):
        await at.elsewhere.push_request(request(), None)
    assert [len(events) async for events in at.feed.from_store()] == [1000, 1]


async def test_answers_are_put_in_order_of_time_over_all_pages():
    at = Setting(guest=True)
    for number in range(1001):
        at.clock.ms += 1
        await at.elsewhere.push_response(answer(f"{2000 - number}", number))
    cursors = [event.id for event in await at.look()]
    assert len(cursors) == 1001
    assert cursors == sorted(cursors)


async def test_answers_that_need_several_reads_come_in_the_order_of_time_too():
    at = Setting(guest=True)
    for number in range(KV_MAX_BULK_KEYS + 1):
        at.clock.ms += 1
        await at.elsewhere.push_response(answer(f"{2000 - number}", "x" * 2000))
    cursors = [event.id for event in await at.look()]
    assert len(cursors) == KV_MAX_BULK_KEYS + 1
    assert cursors == sorted(cursors)


async def test_a_duplicate_is_removed_after_its_first_copy_was_acknowledged():
    at = Setting()
    first = await at.elsewhere.push_request(request(), "mine")
    second = await at.elsewhere.push_request(request(), "mine")
    await at.look()
    await at.look()
    assert len(await at.requests()) == 2
    await at.here.remove_listed([first.cursor])
    assert await at.look() == []
    assert request_key(CODE, second.cursor) not in await at.requests()


async def test_the_older_copy_of_a_request_stays_until_it_is_answered_though_this_reader_saw_the_newer_one_first():
    at = Setting()
    older = await at.elsewhere.push_request(request(), "mine")
    at.clock.ms += 1
    newer = await at.here.push_request(request(), "mine")
    assert [event.id for event in await at.published()] == [newer.cursor]
    assert await at.look() == []
    # Another reader, whose listing was too old for the older copy, took the newer one for a duplicate.
    await at.elsewhere.remove_listed([newer.cursor])
    at.clock.ms += REORDER_WINDOW_SECONDS * 1000 + 1
    assert await at.look() == []
    assert await at.requests() == [request_key(CODE, older.cursor)]
    await at.elsewhere.push_response(answer("mine"))
    assert await at.look() == []
    assert await at.requests() == []


async def test_a_gap_that_is_due_comes_without_a_new_message():
    at = Setting()
    await at.elsewhere.push_request(Message("request", "", tool="t", args=raw({}), producer="p", seq=2), None)
    assert await at.look() == []
    at.clock.ms += 200_000
    assert [event.name for event in await at.look()] == ["gap", "request"]


def test_a_reader_that_was_away_for_longer_than_messages_are_kept_is_told():
    at = Setting(after=cursor_at(-3600.001))
    [gap] = at.feed.gaps()
    assert gap.name == "gap"
    assert b'"reason":"expired"' in gap.data


def test_a_reader_that_was_away_for_less_or_starts_is_not():
    assert Setting(after=cursor_at(-3600)).feed.gaps() == []
    assert Setting().feed.gaps() == []


async def test_the_cursor_to_come_back_with_is_that_of_the_last_event():
    at = Setting()
    await at.elsewhere.push_request(request(), None)
    [event] = await at.look()
    assert at.feed.cursor == event.id
    assert cursor_ms(at.feed.cursor) == at.clock.ms


async def test_a_look_that_is_broken_off_is_closed_and_forgets_nothing():
    at = Setting()
    for _ in range(1500):
        await at.elsewhere.push_request(request(), None)
    batches = at.feed.from_store()
    first = await anext(batches)
    await batches.aclose()
    await asyncio.sleep(0)
    assert len(first) + len(await at.look()) == 1500
