"""Waits end: with the response, with a new event, at their deadline, or when their operations are spent."""

import asyncio
import json

import msgspec

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.builders import (
    CODE,
    REQUESTS,
    RESPONSES,
    answer,
    cursor_at,
    make_queues,
    no_wake_up_key,
    raw,
    request,
)
from tests.support.namespace import Namespace
from waypost_worker.kv.cursor import CursorFactory, parse_event_id
from waypost_worker.kv.keys import response_key
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.limits import MAX_POLL_BYTES, MAX_POLL_MESSAGES, REORDER_WINDOW_SECONDS
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.plans import PAID
from waypost_worker.queues.departures import Departures
from waypost_worker.queues.feed import Feed
from waypost_worker.queues.handovers import Handovers
from waypost_worker.queues.long_poll import poll_events
from waypost_worker.queues.message import encode_stored
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.reader import GuestReader, HostReader
from waypost_worker.queues.response_waiter import ResponseWaiter
from waypost_worker.sse import Event


class Setting(Namespace[VirtualClock]):
    """One waiting invocation; `here` is its isolate's queues, `elsewhere` another's."""

    def __init__(self, budget: int = 1000) -> None:
        super().__init__(VirtualClock())
        self.meter = MeteredKv(self.kv, self.clock, budget)
        self.channel = MessageChannel(self.clock)
        self.here = make_queues(self.meter, self.clock, self.channel)
        self.elsewhere = make_queues(self.kv, self.clock, MessageChannel(self.clock), seed=1)
        self.invocation = Invocation(PAID, self.clock, self.meter, SeededRandom())

    def wait(self) -> ResponseWaiter:
        return ResponseWaiter(self.here, self.channel, self.invocation)

    async def poll(self, seconds: float, after: str = "", *, guest: bool = False) -> tuple[list[Event], str]:
        scope, kind = (RESPONSES, GuestReader) if guest else (REQUESTS, HostReader)
        reader = kind(scope, parse_event_id(after, scope) if after else None)
        no_key = no_wake_up_key(self.kv, self.clock)
        feed = Feed(
            self.here, reader, self.channel, self.clock, 3600, Departures(0), Handovers(), no_key, is_stream=False
        )
        return await poll_events(feed, seconds, self.invocation)


def now() -> float:
    return asyncio.get_running_loop().time()


async def later(seconds: float, action) -> None:
    await asyncio.sleep(seconds)
    await action


async def test_an_answer_in_the_same_isolate_ends_the_wait_within_a_tenth_of_a_second():
    at = Setting()
    wait = at.wait()
    task = asyncio.ensure_future(later(30, at.elsewhere.push_response(answer("other", 1))))
    replying = asyncio.ensure_future(later(40, at.here.push_response(answer("r", "x" * 2000))))
    found = await wait.final_response("r", 60)
    assert found is not None
    assert found.result == raw("x" * 2000)
    assert 40 <= now() <= 40.1
    await asyncio.gather(task, replying)


async def test_an_answer_from_another_isolate_ends_the_wait_at_the_next_look():
    at = Setting()
    wait = at.wait()
    replying = asyncio.ensure_future(later(40, at.elsewhere.push_response(answer("r", 1))))
    found = await wait.final_response("r", 60)
    assert found is not None
    assert 40 <= now() <= 40.1 + PAID.wait_poll_max_ms / 1000
    await replying


async def test_an_answer_that_came_while_the_request_was_queued_is_not_missed():
    at = Setting()
    wait = at.wait()
    await at.here.push_response(answer("r", 1))
    assert await wait.final_response("r", 60)
    assert now() == 0


async def test_progress_and_the_answers_of_others_do_not_end_the_wait():
    at = Setting()
    wait = at.wait()
    await at.here.push_response(answer("r", 50, final=False))
    await at.here.push_response(answer("other", 1))
    assert await wait.final_response("r", 5) is None


async def test_a_wait_ends_at_its_time_with_a_last_look():
    at = Setting()
    replying = asyncio.ensure_future(later(4.999, at.elsewhere.push_response(answer("r", 1))))
    assert await at.wait().final_response("r", 5)
    assert 4.999 <= now() <= 5.01
    await replying
    assert await at.wait().final_response("none", 2.5) is None
    assert 7.49 <= now() <= 7.51


async def test_a_wait_ends_before_its_operations_are_spent():
    at = Setting(budget=10)
    assert await at.wait().final_response("r", 60) is None
    assert now() < 8 * PAID.wait_poll_max_ms / 1000
    assert at.meter.remaining == 2


async def test_a_resumed_wait_without_operations_left_does_not_ask_the_store():
    at = Setting(budget=2)
    waiter = ResponseWaiter(at.here, at.channel, at.invocation, resumed=True)
    assert await waiter.next("r", at.clock.now_ms() + 60_000) is None
    assert (waiter.is_spent, at.meter.operations, now()) == (True, 0, 0)


async def test_a_response_whose_body_the_store_refuses_is_read_again_later():
    at = Setting()
    queues = make_queues(RetryingKv(at.meter, at.clock, SeededRandom()), at.clock, at.channel)
    wait = ResponseWaiter(queues, at.channel, at.invocation)
    await queues.push_response(answer("r", "x" * 2000))
    at.kv.fails = lambda operation, _key: operation == "get_many" and now() < 20
    found = await wait.next("r", at.clock.now_ms() + 60_000)
    assert found is not None
    assert found.result == raw("x" * 2000)
    assert 20 <= now() < 60


async def test_a_poll_answers_what_is_there_at_once():
    at = Setting()
    one = await at.elsewhere.push_request(request(), "one")
    two = await at.elsewhere.push_request(request(), "two")
    events, cursor = await at.poll(60)
    assert [event.id for event in events] == [one.cursor, two.cursor]
    assert cursor == two.cursor
    assert now() == 0


async def test_a_poll_that_may_not_wait_looks_once():
    at = Setting()
    events, _ = await at.poll(0)
    assert (events, now(), at.meter.operations) == ([], 0, 1)


async def test_a_waiting_poll_finds_a_request_from_another_isolate():
    at = Setting()
    asking = asyncio.ensure_future(later(20, at.elsewhere.push_request(request(), "new")))
    events, _ = await at.poll(60)
    assert len(events) == 1
    assert 20 <= now() <= 20.1 + PAID.wait_poll_max_ms / 1000
    await asking


async def test_a_local_message_ends_a_poll_without_asking_the_store_again():
    at = Setting()
    asking = asyncio.ensure_future(later(0.1, at.here.push_request(request(), "new")))
    events, _ = await at.poll(60)
    assert len(events) == 1
    assert now() <= 0.2
    assert [operation for operation, _ in at.kv.asked] == ["list", "put"]
    await asking


async def test_what_was_delivered_before_comes_along_and_does_not_end_the_wait():
    at = Setting()
    await at.elsewhere.push_request(request(), "old")
    _, cursor = await at.poll(0)
    asking = asyncio.ensure_future(later(10, at.elsewhere.push_request(request(), "new")))
    events, _ = await at.poll(60, after=cursor)
    assert [event.is_replay for event in events] == [True, False]
    assert now() >= 10
    await asking


async def test_a_poll_that_found_nothing_new_keeps_its_cursor():
    at = Setting()
    await at.elsewhere.push_request(request(), "old")
    _, cursor = await at.poll(0)
    events, again = await at.poll(1, after=cursor)
    assert (len(events), again) == (1, cursor)


async def backlog(at: Setting, count: int, size: int = 0) -> None:
    for number in range(count):
        await at.elsewhere.push_request(request(args={"text": "x" * size}), f"id{number}")


async def test_a_poll_answers_a_bounded_number_of_messages_and_the_next_one_goes_on():
    at = Setting()
    await backlog(at, MAX_POLL_MESSAGES + 1)
    first, cursor = await at.poll(0)
    assert len(first) == MAX_POLL_MESSAGES
    second, _ = await at.poll(0, after=cursor)
    assert [event.is_replay for event in second].count(False) == 1


async def test_new_messages_go_before_old_ones_where_there_is_not_room_for_both():
    at = Setting()
    await backlog(at, MAX_POLL_MESSAGES)
    _, cursor = await at.poll(0)
    await at.elsewhere.push_request(request(), "new")
    events, _ = await at.poll(0, after=cursor)
    assert len(events) == MAX_POLL_MESSAGES
    assert [event.is_replay for event in events[-2:]] == [True, False]


async def test_a_long_backlog_of_old_messages_is_bounded_too():
    at = Setting()
    await backlog(at, MAX_POLL_MESSAGES + 1)
    events, _ = await at.poll(0, after=cursor_at(1))
    assert len(events) == MAX_POLL_MESSAGES
    assert all(event.is_replay for event in events)


async def test_a_poll_answers_a_bounded_number_of_bytes():
    at = Setting()
    await backlog(at, 12, 200_000)
    events, cursor = await at.poll(0)
    assert MAX_POLL_BYTES <= sum(len(event.data) for event in events) < MAX_POLL_BYTES + 201_000
    rest, _ = await at.poll(0, after=cursor)
    assert len({event.id for event in events + rest}) >= 2 * len(events) - 1


async def test_a_poll_whose_operations_are_spent_answers_what_it_has():
    at = Setting(budget=2)
    await backlog(at, 150, 2000)
    events, cursor = await at.poll(60)
    assert len(events) == 100
    assert cursor == events[-1].id


async def test_a_poll_that_finds_nothing_ends_before_its_operations_are_spent():
    at = Setting(budget=10)
    assert (await at.poll(60))[0] == []
    assert now() < 8 * PAID.wait_poll_max_ms / 1000
    assert at.meter.remaining == 2


class PollingGuest:
    """A guest that polls with its last cursor. `heard`: the ids that it was sent."""

    def __init__(self, at: Setting, cursor: str = "") -> None:
        self._at = at
        self._cursor = cursor
        self._cursors = CursorFactory(at.clock, SeededRandom(2))
        self.heard: list[str] = []

    async def poll(self) -> None:
        events, self._cursor = await self._at.poll(0, self._cursor, guest=True)
        self.heard += [json.loads(event.data)["id"] for event in events]

    async def poll_while_written(self, id: str) -> None:
        """Polls while this answer is being written: the local channel has it, since somebody else listens here."""
        at = self._at
        message = msgspec.structs.replace(answer(id, 1), cursor=self._cursors.issue(RESPONSES))
        at.channel.publish_ahead(RESPONSES, message, 1, message, 1)
        await self.poll()
        value, metadata = encode_stored(message)
        key = response_key(CODE, id, message.cursor)
        await at.kv.put(key, value.decode(), ttl_seconds=3600, metadata=metadata)
        at.channel.wrote(message, is_stored=True)


async def test_after_a_pause_a_guest_is_sent_what_only_the_store_has_before_what_is_newer():
    at = Setting()
    guest = PollingGuest(at)
    await guest.poll_while_written("first")
    await at.elsewhere.push_response(answer("only in the store", 1))
    await asyncio.sleep(2 * REORDER_WINDOW_SECONDS)
    await guest.poll_while_written("newest")
    await guest.poll()
    heard = list(dict.fromkeys(guest.heard))
    assert heard == ["first", "only in the store", "newest"]


async def test_a_channel_that_always_has_something_hides_nothing_that_only_the_store_has():
    at = Setting()
    guest = PollingGuest(at)
    await guest.poll_while_written("first")
    await at.elsewhere.push_response(answer("only in the store", 1))
    for number in range(10):
        await asyncio.sleep(20)
        await guest.poll_while_written(f"new{number}")
    assert "only in the store" in guest.heard


async def test_what_a_poll_had_no_room_for_comes_with_the_next_ones_however_late_those_are():
    at = Setting()
    old = [await at.elsewhere.push_response(answer(f"old{number}", 1)) for number in range(2 * MAX_POLL_MESSAGES)]
    # As if what is older than the last one became visible later.
    guest = PollingGuest(at, old[-1].cursor)
    for number in range(4):
        await asyncio.sleep(2 * REORDER_WINDOW_SECONDS)
        await at.elsewhere.push_response(answer(f"new{number}", 1))
        await guest.poll()
    assert {message.id for message in old} <= set(guest.heard)
    assert {"new0", "new1", "new2", "new3"} <= set(guest.heard)


async def test_a_poll_that_had_room_for_all_repeats_only_what_is_in_the_window():
    at = Setting()
    guest = PollingGuest(at)
    for id in ("a", "b", "c"):
        await guest.poll_while_written(id)
        await asyncio.sleep(2 * REORDER_WINDOW_SECONDS)
    await guest.poll()
    await guest.poll()
    assert guest.heard == ["a", "a", "b", "b", "c", "c"]
