"""A stream ends after a message that a younger isolate accepted, so that its client meets that one; and nothing flaps.

A client that comes back to the older isolate is one whose new stream is opened there.
"""

import asyncio
from dataclasses import replace

from simulation.client import Client, Opened
from tests.support.event_streams import PLAN, Setting, after, host_stream
from tests.support.listener import Listener, listen
from waypost_worker.limits import TAKEOVER_HOLD_SECONDS
from waypost_worker.queues.departures import PAUSE_SECONDS

LOOK = PLAN.poll_max_ms / 1000 + 0.1


async def two_isolates(at: Setting, seconds: float = 60) -> Client:
    """Another isolate, younger by so many seconds."""
    await after(seconds)
    return at.isolate(1)


async def again(at: Setting, session: Opened, before: Listener) -> Listener:
    """The host's next stream, in the same isolate."""
    stream = await host_stream(at, session, headers={"Last-Event-ID": before.events[-1].id})
    await after(0.1)
    return stream


async def test_a_stream_ends_after_a_message_that_a_younger_isolate_accepted():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    younger = await two_isolates(at)
    await younger.ask(session.code, id="from-there")
    await after(LOOK)
    assert stream.is_over
    # As at the end of its time: nothing tells the client not to come back, and the cursor is its last event's.
    assert stream.names() == ["ready", "request"]
    assert at.client.app.isolate.open_streams == 0


async def test_a_guests_stream_ends_after_a_response_that_a_younger_isolate_accepted():
    at = Setting()
    session = await at.client.open_session()
    stream = await listen(at.client, f"/api/stream?code={session.code}")
    asked = (await at.client.ask(session.code)).json()
    younger = await two_isolates(at)
    await younger.answer(session, asked["id"], "done")
    await after(LOOK)
    assert stream.is_over
    assert stream.names() == ["ready", "response"]


async def test_a_stream_stays_after_a_message_of_its_own_isolate():
    at = Setting()
    session = await at.client.open_session()
    await after(60)
    stream = await host_stream(at, session)
    await after(30)
    await at.client.ask(session.code)
    await after(LOOK)
    assert len(stream.data("request")) == 1
    assert not stream.is_over
    await stream.stop()


async def test_a_stream_stays_after_a_message_of_an_older_isolate():
    at = Setting()
    older = at.client
    at.client = await two_isolates(at)
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(60)
    await older.ask(session.code)
    await after(LOOK)
    assert len(stream.data("request")) == 1
    assert not stream.is_over
    await stream.stop()


async def test_what_was_queued_before_a_stream_was_opened_does_not_end_it():
    at = Setting()
    session = await at.client.open_session()
    younger = await two_isolates(at)
    await younger.ask(session.code)
    await after(1)
    stream = await host_stream(at, session)
    await after(LOOK)
    assert len(stream.data("request")) == 1
    assert not stream.is_over
    await stream.stop()


async def test_all_that_a_look_has_found_is_sent_before_the_stream_ends():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    younger = await two_isolates(at)
    # The large ones are read in batches of their own.
    for number in range(30):
        await younger.ask(session.code, id=f"r{number}", args={"text": "x" * (100_000 if number % 3 else 10)})
    await after(LOOK)
    assert stream.is_over
    assert len(stream.data("request")) == 30


async def test_a_stream_that_the_store_fails_in_the_middle_of_a_look_ends_after_the_rest():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    younger = await two_isolates(at)
    # More than are read at a time.
    for number in range(25):
        await younger.ask(session.code, id=f"r{number}", args={"text": "x" * 200_000})
    reads = iter([False, True])
    at.kv.fails = lambda operation, key: operation == "get_many" and key.startswith("req:") and next(reads, False)
    await stream.until_over(2 * LOOK)
    [failed] = [at for text, at in stream.comments if "does not answer" in text]
    sent_before = [event for event in stream.events if event.name == "request" and event.at <= failed]
    assert 0 < len(sent_before) < 25
    assert [request["id"] for request in stream.data("request")] == [f"r{number}" for number in range(25)]


async def test_a_client_that_comes_back_to_the_older_isolate_stays_there():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    younger = await two_isolates(at)
    await younger.ask(session.code)
    await after(LOOK)
    assert stream.is_over
    stream = await again(at, session, stream)
    for _ in range(20):
        await younger.ask(session.code)
        await after(LOOK)
    assert not stream.is_over
    assert len(stream.data("request")) == 21
    await stream.stop()


async def test_a_session_leaves_an_isolate_once_a_minute_at_most():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    ends = 0
    for number in range(1, 15):
        # Each isolate is younger than all before.
        await after(10)
        await at.isolate(number).ask(session.code)
        await after(LOOK)
        if stream.is_over:
            ends += 1
            stream = await again(at, session, stream)
    await stream.stop()
    assert 3 <= ends <= 14 * (10 + LOOK) / PAUSE_SECONDS + 1


async def test_a_stream_that_holds_messages_back_from_a_new_host_ends_after_that():
    at = Setting()
    session = await at.client.open_session()
    url = f"/api/stream?code={session.code}&instance="
    old = await listen(at.client, f"{url}the-older-host", token=session.host)
    younger = await two_isolates(at)
    await at.client.ask(session.code, id="held-back")
    await after(1)
    new = await listen(at.client, f"{url}the-newer-host", token=session.host)
    await after(1)
    assert old.is_over
    await younger.ask(session.code, id="from-there")
    await after(TAKEOVER_HOLD_SECONDS - 2)
    assert [request["id"] for request in new.data("request")] == ["from-there"]
    assert not new.is_over
    await after(LOOK)
    assert new.is_over
    assert [request["id"] for request in new.data("request")] == ["from-there", "held-back"]


async def test_a_wait_in_the_older_isolate_goes_on_when_its_host_has_left():
    at = Setting(replace(PLAN, wait_poll_max_ms=1000))
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    younger = await two_isolates(at)
    waiting = asyncio.ensure_future(at.client.ask(session.code, wait=60, id="asked-here"))
    await younger.ask(session.code, id="asked-there")
    await after(LOOK)
    assert stream.is_over
    await younger.answer(session, "asked-here", "done")
    reply = await waiting
    assert (reply.status, reply.json()["result"]) == (200, "done")
