"""A stream that ends by itself is continued by its client's next one, as if it had not ended."""

import asyncio
from dataclasses import replace

import pytest

from simulation.client import Client, Opened
from tests.support.event_streams import PLAN, Setting, after, host_stream
from tests.support.listener import Listener, listen
from waypost_worker.limits import MAX_CACHED_SESSIONS
from waypost_worker.polling.plans import PAID
from waypost_worker.polling.schedule import Pace, PollSchedule
from waypost_worker.queues.handovers import HANDOVER_SECONDS, Handover, Handovers

SHORT = replace(PLAN, stream_seconds=60)
LOOK = PLAN.poll_max_ms / 1000 + 0.5
HANDOVER = Handover(7, Pace(250.0, 1000))


def looks(at: Setting) -> int:
    return sum(operation == "list" and key.startswith("req:") for operation, key in at.kv.asked)


async def next_stream(client: Client, session: Opened, before: Listener) -> Listener:
    """The host comes back with the cursor of its last event."""
    return await listen(
        client,
        f"/api/stream?code={session.code}",
        token=session.host,
        headers={"Last-Event-ID": before.events[-1].id},
    )


async def ended(at: Setting, session: Opened) -> Listener:
    """A stream that was idle until its time was over."""
    stream = await host_stream(at, session)
    await stream.until_over()
    at.kv.asked.clear()
    return stream


def test_what_was_left_is_taken_once_and_not_for_long():
    handovers = Handovers()
    handovers.leave("c", HANDOVER, 0)
    assert handovers.take("another", 0) is None
    assert handovers.take("c", HANDOVER_SECONDS * 1000 - 1) == HANDOVER
    assert handovers.take("c", 0) is None
    handovers.leave("c", HANDOVER, 0)
    assert handovers.take("c", HANDOVER_SECONDS * 1000) is None


def test_what_clients_that_never_come_back_leave_is_bounded():
    handovers = Handovers()
    for number in range(MAX_CACHED_SESSIONS + 1):
        handovers.leave(f"c{number}", HANDOVER, 0)
    assert handovers.take("c0", 0) is None
    assert handovers.take("c1", 0) == HANDOVER


def test_a_schedule_goes_on_at_another_ones_pace_within_its_own_bounds():
    slow = PollSchedule(PAID, PAID.poll_max_ms, 0)
    for now in range(0, 60_000, 1000):
        slow.looked(now)
    stream, wait = PollSchedule(PAID, PAID.poll_max_ms, 0), PollSchedule(PAID, PAID.wait_poll_max_ms, 0)
    stream.go_on(slow.pace)
    wait.go_on(slow.pace)
    assert stream.pace == slow.pace
    assert wait.pace == Pace(PAID.wait_poll_max_ms, slow.pace.next_look_ms)


async def test_a_client_that_comes_back_costs_no_look_and_is_polled_for_as_slowly_as_before():
    at = Setting(SHORT)
    session = await at.client.open_session()
    stream = await next_stream(at.client, session, await ended(at, session))
    await after(1)
    assert looks(at) == 0
    await after(29)
    assert looks(at) <= 30_000 / PLAN.poll_max_ms
    await stream.stop()


async def test_what_was_queued_in_this_isolate_meanwhile_comes_immediately():
    at = Setting(SHORT)
    session = await at.client.open_session()
    before = await ended(at, session)
    await at.client.ask(session.code, id="meanwhile")
    stream = await next_stream(at.client, session, before)
    await after(0.01)
    assert [request["id"] for request in stream.data("request")] == ["meanwhile"]
    assert looks(at) == 0
    await stream.stop()


async def test_what_was_queued_elsewhere_meanwhile_comes_with_the_next_look():
    at = Setting(SHORT)
    session = await at.client.open_session()
    before = await ended(at, session)
    await at.isolate(1).ask(session.code, id="meanwhile")
    stream = await next_stream(at.client, session, before)
    await after(LOOK)
    assert [request["id"] for request in stream.data("request")] == ["meanwhile"]
    await stream.stop()


async def test_what_is_still_unanswered_is_sent_again():
    at = Setting(SHORT)
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    await at.client.ask(session.code, id="unanswered")
    await stream.until_over()
    stream = await next_stream(at.client, session, stream)
    await after(LOOK)
    [request] = stream.data("request")
    assert (request["id"], request["replay"]) == ("unanswered", True)
    await stream.stop()


async def test_a_client_that_missed_an_event_is_looked_for_immediately():
    at = Setting(SHORT)
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    await at.client.ask(session.code, id="lost-on-the-way")
    await stream.until_over()
    stream.events.pop()
    stream = await next_stream(at.client, session, stream)
    await after(0.01)
    assert [request["id"] for request in stream.data("request")] == ["lost-on-the-way"]
    await stream.stop()


@pytest.mark.parametrize("isolate", [0, 1])
async def test_a_client_without_a_cursor_and_one_in_another_isolate_are_looked_for_immediately(isolate: int):
    at = Setting(SHORT)
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    asked = await at.client.ask(session.code)
    await stream.until_over()
    if isolate:
        stream = await next_stream(at.isolate(1), session, stream)
    else:
        stream = await host_stream(at, session)
    await after(0.01)
    assert [request["id"] for request in stream.data("request")] == [asked.json()["id"]]
    await stream.stop()


async def test_a_client_that_left_by_itself_leaves_nothing():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(30)
    await stream.stop()
    at.kv.asked.clear()
    stream = await next_stream(at.client, session, stream)
    await after(0.01)
    assert looks(at) == 1
    await stream.stop()


async def test_a_stream_that_ends_while_the_store_fails_leaves_nothing():
    at = Setting(SHORT)
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(40)
    at.kv.fails = lambda operation, _: operation == "list"
    await stream.until_over()
    at.kv.fails = lambda *_: False
    at.kv.asked.clear()
    stream = await next_stream(at.client, session, stream)
    await after(0.01)
    assert looks(at) == 1
    await stream.stop()


async def test_a_number_that_is_released_late_is_part_of_the_cursor_that_is_handed_over():
    at = Setting(replace(PLAN, stream_seconds=200))
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    # Its predecessor never comes.
    await at.client.ask(session.code, id="second", producer="p", seq=2)
    await stream.until_over()
    assert [event.name for event in stream.events] == ["ready", "gap", "request"]
    at.kv.asked.clear()
    stream = await next_stream(at.client, session, stream)
    await after(0.01)
    assert looks(at) == 0
    await stream.stop()


async def test_a_host_that_comes_back_writes_its_heartbeat_no_more_often_than_one_that_stays():
    at = Setting(replace(PLAN, stream_seconds=20))
    session = await at.client.open_session()
    url, instance = f"/api/stream?code={session.code}&instance=", "a-page-that-stays"
    headers: dict[str, str] = {}
    at.kv.asked.clear()
    while asyncio.get_running_loop().time() < 600:
        stream = await listen(at.client, f"{url}{instance}", token=session.host, headers=headers)
        await stream.until_over()
        instance, headers = stream.data("ready")[0]["instance"], {"Last-Event-ID": stream.events[-1].id}
        await after(1)
    beats = at.kv.asked.count(("put", f"host:{session.code}"))
    assert 600 / PLAN.presence_seconds - 1 <= beats <= 600 / PLAN.presence_seconds + 1


async def test_a_host_that_said_goodbye_and_comes_back_says_so_immediately():
    at = Setting()
    session = await at.client.open_session()
    url, instance = f"/api/stream?code={session.code}&instance=", "a-page-in-a-cache"
    stream = await listen(at.client, f"{url}{instance}", token=session.host)
    await after(5)
    body = {"instance": instance}
    await at.client.call("POST", f"/api/sessions/{session.code}/leave", body, token=session.host)
    await after(5)
    assert stream.is_over
    stream = await listen(at.client, f"{url}{stream.data('ready')[0]['instance']}", token=session.host)
    await after(0.01)
    reply = await at.isolate(1).call("GET", f"/api/sessions/{session.code}")
    assert reply.json()["hostOnline"]
    await stream.stop()
