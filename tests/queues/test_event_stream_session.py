"""What a stream says of its session: renewed, changed, ended, expired; and what a reader that comes back is sent."""

from dataclasses import replace

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.event_streams import PLAN, Setting, after, host_stream
from tests.support.listener import listen
from waypost_worker.kv.cursor import CursorFactory


async def test_a_renewal_and_a_change_of_tools_are_told():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    await at.client.call("PUT", f"/api/sessions/{session.code}/tools", {"tools": []}, token=session.host)
    await after(400)
    tools, renewal = stream.data("session")
    assert tools["toolsChanged"] is True
    assert renewal["expiresAt"] > "2026-01-01T00:15:00"
    await stream.stop()


async def test_the_end_of_the_session_is_the_last_event_and_comes_after_the_messages():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    guest = await listen(at.client, f"/api/stream?code={session.code}")
    await after(1)
    await at.client.ask(session.code)
    await at.client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    await stream.until_over(1)
    await guest.until_over(1)
    assert stream.names() == ["ready", "request", "end"]
    assert stream.data("end") == guest.data("end") == [{"reason": "ended"}]


async def test_the_end_in_the_same_isolate_is_sent_immediately_however_rarely_the_store_is_read():
    at = Setting(replace(PLAN, poll_min_ms=200_000, poll_max_ms=200_000))
    session = await at.client.open_session()
    guest = await listen(at.client, f"/api/stream?code={session.code}")
    await after(1)
    await at.client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    await guest.until_over(0.1)
    assert guest.data("end") == [{"reason": "ended"}]


async def test_a_session_without_a_host_expires_under_its_guests():
    at = Setting()
    session = await at.client.open_session(ttl=60)
    guest = await listen(at.client, f"/api/stream?code={session.code}")
    await guest.until_over(61)
    assert guest.data("end") == [{"reason": "expired"}]


async def test_a_host_that_comes_back_is_sent_what_it_has_not_acknowledged_flagged():
    at = Setting()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await at.client.ask(session.code, id="one")
    await at.client.ask(session.code, id="two")
    await after(1)
    one, two = stream.data("request")
    await stream.stop()
    acknowledged = {"code": session.code, "cursors": [one["cursor"]]}
    await at.client.call("POST", "/api/ack", acknowledged, token=session.host)
    await at.client.ask(session.code, id="three")
    again = await host_stream(at, session, headers={"Last-Event-ID": stream.events[-1].id})
    await after(1)
    assert [(item["id"], item.get("replay")) for item in again.data("request")] == [("two", True), ("three", None)]
    await again.stop()


async def test_a_message_that_shows_up_late_is_sent_with_an_id_that_skips_nothing():
    at = Setting()
    late_isolate = at.isolate(1)
    session = await at.client.open_session()
    # A location whose clock is half a second behind.
    late_isolate.app.isolate.cursors = CursorFactory(VirtualClock(-500), SeededRandom(1))
    stream = await host_stream(at, session)
    await at.client.ask(session.code, id="early")
    await after(0.1)
    await late_isolate.ask(session.code, id="late")
    await after(PLAN.poll_max_ms / 1000 + 0.1)
    early, late = [event for event in stream.events if event.name == "request"]
    assert late.id == f"{late.data['cursor']}~{early.id}"
    assert late.data["cursor"] < early.id
    assert "replay" not in late.data
    await stream.stop()
