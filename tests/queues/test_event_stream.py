"""The event stream: immediate first bytes, heartbeats that cost nothing, and an end before a budget is spent."""

import asyncio
from dataclasses import replace

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import LoopWakeup, VirtualClock
from tests.support.event_streams import PLAN, Setting, after, host_stream
from tests.support.listener import listen
from waypost_worker.kv.cursor import first_cursor
from waypost_worker.kv.keys import requests_scope
from waypost_worker.polling.plans import FREE
from waypost_worker.queues.event_stream import STREAM_RESERVED_OPERATIONS, UNSEEN_SECONDS
from waypost_worker.settings import Settings


class CountingClock(VirtualClock):
    """Counts how often a loop goes to sleep."""

    waits = 0

    def wakeup(self) -> "CountedWakeup":
        return CountedWakeup(self)


class CountedWakeup(LoopWakeup):
    def __init__(self, clock: CountingClock) -> None:
        super().__init__()
        self._clock = clock

    async def wait(self, seconds: float) -> None:
        self._clock.waits += 1
        await super().wait(seconds)


async def test_the_first_bytes_come_at_once_and_say_who_and_where_the_reader_is():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(0)
    [ready] = stream.events
    start = first_cursor(requests_scope(session.code))
    assert stream.raw.startswith(b": waypost\nevent: ready\nretry: 1000\nid: ")
    assert (ready.at, ready.id) == (0, start)
    assert ready.data == {
        "role": "host",
        "code": session.code,
        "cursor": start,
        "expiresAt": "2026-01-01T00:10:00.000Z",
    }
    await stream.stop()


async def test_a_request_in_the_same_isolate_is_delivered_within_a_tenth_of_a_second():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(50)
    asked = (await at.client.ask(session.code, args={"n": 1})).json()
    await after(0.1)
    [request] = stream.data("request")
    assert (request["id"], request["args"]) == (asked["id"], {"n": 1})
    await stream.stop()


async def test_a_request_from_another_isolate_is_delivered_at_the_next_look():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(300)
    await at.isolate(1).ask(session.code)
    await after(PLAN.poll_max_ms / 1000 + 0.1)
    assert len(stream.data("request")) == 1
    await stream.stop()


async def test_after_a_message_from_another_isolate_the_store_is_looked_at_often():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    elsewhere = at.isolate(1)
    await after(60)
    await elsewhere.ask(session.code)
    while not stream.data("request"):
        await after(0.01)
    await elsewhere.ask(session.code)
    await after(2 * PLAN.poll_min_ms / 1000)
    assert len(stream.data("request")) == 2
    await stream.stop()


async def test_no_message_is_delivered_twice_though_the_local_channel_and_listings_both_show_it():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    for _ in range(20):
        await at.client.ask(session.code)
        await after(1)
    await after(300)
    assert len(stream.data("request")) == 20
    await stream.stop()


async def test_messages_of_the_local_channel_do_not_make_the_store_be_read_more_often():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(60)
    at.kv.asked.clear()
    for _ in range(30):
        await at.client.ask(session.code)
        await after(1)
    assert len(stream.data("request")) == 30
    assert at.kv.asked.count(("list", f"req:{session.code}:")) <= 30_000 / PLAN.poll_max_ms + 1
    await stream.stop()


async def test_silence_is_broken_by_a_heartbeat_every_15_seconds_that_costs_nothing():
    at = Setting(replace(PLAN, poll_min_ms=200_000, poll_max_ms=200_000, presence_seconds=10_000))
    session = await at.client.open_session(ttl=86_400)
    stream = await host_stream(at, session)
    await after(1)
    at.kv.asked.clear()
    await after(58)
    times = [time for text, time in stream.comments if text == "heartbeat"]
    assert [round(time) for time in times] == [15, 30, 45]
    assert at.kv.asked == []
    await stream.stop()


async def test_a_stream_at_rest_wakes_only_for_what_is_due():
    at = Setting()
    clock = at.client.app.clock = CountingClock()
    session = await at.client.open_session(ttl=86_400)
    stream = await host_stream(at, session)
    await after(60)
    waits = clock.waits
    at.kv.asked.clear()
    await after(120)
    looks = [asked for asked in at.kv.asked if asked[0] == "list"]
    assert 17 <= len(looks) <= 20
    # A look each: it reads the session and writes the presence too, and sends the heartbeats.
    assert sum(asked[0] != "list" for asked in at.kv.asked) == 4
    assert clock.waits - waits <= len(looks)
    await stream.stop()
    assert at.client.app.isolate.messages.listeners == at.client.app.isolate.changes.listeners == 0


async def test_what_comes_while_a_batch_is_being_sent_is_not_missed():
    at = Setting(replace(PLAN, poll_min_ms=200_000, poll_max_ms=200_000))
    session = await at.client.open_session()
    response = await at.client.open("GET", f"/api/stream?code={session.code}", token=session.host)
    chunks = response.body
    await anext(chunks)
    coming = asyncio.ensure_future(anext(chunks))
    await after(1)
    await at.client.ask(session.code, args={"n": 1})
    assert b'"n":1' in await coming
    # The reader is slow: no loop waits for the wakeup now.
    await at.client.ask(session.code, args={"n": 2})
    await after(5)
    assert b'"n":2' in await anext(chunks)
    assert asyncio.get_running_loop().time() < 7
    await chunks.aclose()


async def test_a_message_is_a_sign_of_life_too():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(10)
    await at.client.ask(session.code)
    await after(PLAN.heartbeat_seconds / 2)
    assert "heartbeat" not in [text for text, _ in stream.comments]
    await after(PLAN.heartbeat_seconds / 2 + 0.001)
    assert "heartbeat" in [text for text, _ in stream.comments]
    await stream.stop()


async def test_a_stream_ends_without_end_when_its_seconds_are_spent():
    at = Setting(replace(PLAN, stream_seconds=100))
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(79)
    assert not stream.is_over
    await after(22)
    assert stream.is_over
    assert "end" not in stream.names()
    assert at.client.app.isolate.open_streams == 0


async def test_a_stream_ends_without_end_before_its_operations_are_spent():
    at = Setting(replace(PLAN, operations_per_invocation=20))
    session = await at.client.open_session()
    at.kv.asked.clear()
    stream = await host_stream(at, session)
    await stream.until_over()
    assert "end" not in stream.names()
    # What is kept back is enough for a renewal; a look that needs all of it would be cut off.
    assert 20 - STREAM_RESERVED_OPERATIONS <= len(at.kv.asked) < 20


async def test_a_look_that_needs_more_than_the_budget_ends_the_stream_cleanly():
    at = Setting(replace(PLAN, operations_per_invocation=8))
    session = await at.client.open_session()
    sender = make_client(Settings(signing_keys=(KEY,)), at.kv, seed=1)
    for _ in range(1001):
        await sender.ask(session.code, args={"text": "x" * 1200})
    stream = await host_stream(at, session)
    await stream.until_over()
    assert 0 < len(stream.data("request")) < 1001
    assert "end" not in stream.names()


async def test_a_stream_of_the_free_plan_ends_itself_before_its_cpu_time_is_spent():
    at = Setting(FREE)
    session = await at.client.open_session()
    at.kv.asked.clear()
    stream = await host_stream(at, session)
    await after(59.9)
    assert not stream.is_over
    await after(15.2)
    assert stream.is_over
    assert "end" not in stream.names()
    assert [text for text, _ in stream.comments].count("heartbeat") <= 2
    # A look, a heartbeat, and a reading of the wake-up key each six seconds.
    assert len(at.kv.asked) <= 2 + 75 / 6


async def test_a_store_that_fails_is_said_in_a_comment_asked_more_slowly_and_survived():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    at.kv.fails = lambda *_: True
    at.kv.asked.clear()
    await after(30)
    said = [text for text, _ in stream.comments if "does not answer" in text]
    assert len(said) == len(at.kv.asked) < 12
    assert said[0].startswith("the store does not answer; trying again in ")
    assert said[-1].endswith(f"{PLAN.poll_max_ms} ms")
    at.kv.fails = lambda *_: False
    await at.isolate(1).ask(session.code)
    await after(PLAN.poll_max_ms / 1000 + 0.1)
    assert len(stream.data("request")) == 1
    await stream.stop()


async def test_a_client_that_goes_away_leaves_nothing_open():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    assert at.client.app.isolate.open_streams == 1
    await stream.stop()
    assert at.client.app.isolate.open_streams == 0


async def test_a_guest_is_sent_nothing_that_would_move_its_cursor_past_what_the_store_still_has():
    at = Setting()
    session = await at.client.open_session()
    for id in ("first", "elsewhere", "late"):
        await at.client.ask(session.code, id=id)
    await at.client.answer(session, "first", 1)
    cursor = (await at.client.poll(session.code))["cursor"]
    await at.client.answer(session, "elsewhere", 2)
    at.kv.fails = lambda operation, key: operation == "list"
    other = at.isolate(1)
    stream = await listen(other, f"/api/stream?code={session.code}&after={cursor}")
    await after(150)
    await other.answer(session, "late", 3)
    await after(1)
    assert stream.data("response") == []
    at.kv.fails = lambda *_: False
    await after(2 * PLAN.poll_max_ms / 1000)
    assert [response["id"] for response in stream.data("response") if not response.get("replay")] == [
        "elsewhere",
        "late",
    ]
    await stream.stop()


async def test_a_guest_that_is_up_to_date_gets_by_the_channel_what_comes_within_a_minute_of_an_outage():
    at = Setting()
    session = await at.client.open_session()
    for id in ("soon", "late"):
        await at.client.ask(session.code, id=id)
    stream = await listen(at.client, f"/api/stream?code={session.code}")
    await after(10)
    at.kv.fails = lambda operation, key: operation == "list"
    await after(UNSEEN_SECONDS - 10)
    await at.client.answer(session, "soon", 1)
    await after(PLAN.poll_max_ms / 1000 + 10)
    assert [response["id"] for response in stream.data("response")] == ["soon"]
    await at.client.answer(session, "late", 2)
    await after(10)
    assert [response["id"] for response in stream.data("response")] == ["soon"]
    at.kv.fails = lambda *_: False
    await after(2 * PLAN.poll_max_ms / 1000)
    assert [response["id"] for response in stream.data("response")] == ["soon", "late"]
    await stream.stop()


class LateClock(VirtualClock):
    """One of its readings, the `late`-th, is a millisecond behind. Clocks of Workers stand still while code runs, each
    request's by itself, so that one may be behind what another one has noted."""

    def __init__(self, late: int) -> None:
        super().__init__()
        self._left = late

    def now_ms(self) -> int:
        self._left -= 1
        return super().now_ms() - (self._left == 0)


@pytest.mark.parametrize("late", range(1, 25))
async def test_a_look_counts_that_was_not_due_before_but_when_it_was_done(late: int):
    # With a wake-up key, whose plan looks again after two minutes.
    at = Setting(FREE)
    session = await at.client.open_session()
    at.client.app.clock = LateClock(late)
    stream = await listen(at.client, f"/api/stream?code={session.code}")
    await after(1)
    asked = (await at.client.ask(session.code)).json()
    await at.client.answer(session, asked["id"], 1)
    await after(0.1)
    assert [response["result"] for response in stream.data("response")] == [1]
    await stream.stop()
