"""Two hosts of one session: the newest has the seat, the older one is told so, and no request runs at both."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from simulation.client import Client, Opened
from tests.support.event_streams import PLAN, Setting, after
from tests.support.listener import Listener, listen
from waypost_worker.limits import TAKEOVER_HOLD_SECONDS
from waypost_worker.polling.plans import FREE

OLD, NEW = "the-older-host", "the-newer-host"


async def host(client: Client, session: Opened, instance: str, cursor: str = "") -> Listener:
    headers = {"Last-Event-ID": cursor} if cursor else {}
    stream = await listen(
        client, f"/api/stream?code={session.code}&instance={instance}", token=session.host, headers=headers
    )
    await after(0.01)
    return stream


def named(stream: Listener) -> str:
    """The instance as the stream's host is to send it back."""
    return str(stream.data("ready")[0]["instance"])


def ids(stream: Listener) -> list[str]:
    return [request["id"] for request in stream.data("request")]


async def is_online(client: Client, session: Opened) -> bool:
    return bool((await client.call("GET", f"/api/sessions/{session.code}")).json()["hostOnline"])


async def leave(client: Client, session: Opened, instance: str) -> None:
    reply = await client.call("POST", f"/api/sessions/{session.code}/leave", {"instance": instance}, token=session.host)
    assert reply.status == 204


async def test_an_older_host_in_the_same_isolate_is_superseded_immediately_and_gets_nothing_more():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await after(10)
    new = await host(at.client, session, NEW)
    assert old.is_over
    assert old.events[-1].name == "superseded"
    assert old.data("superseded") == [{"since": "2026-01-01T00:00:10.010Z"}]
    assert old.events[-1].at == new.events[0].at
    await at.client.ask(session.code, id="for-the-new-one")
    await after(1)
    assert (ids(old), ids(new)) == ([], ["for-the-new-one"])
    await new.stop()


async def test_a_host_that_reconnects_does_not_supersede_itself_while_its_old_stream_still_seems_open():
    at = Setting()
    session = await at.client.open_session()
    first = await host(at.client, session, OLD)
    await after(10)
    again = await host(at.client, session, named(first), first.events[0].id)
    await after(100)
    assert "superseded" not in first.names() + again.names()
    assert named(again) == named(first)
    assert again.data("ready")[0].get("tookOver") is None
    await first.stop()
    await again.stop()


async def test_an_older_host_in_another_isolate_is_superseded_at_its_next_reading_of_the_session():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await after(30)
    new = await host(at.isolate(1), session, NEW)
    # Its stream may read the session an eighth of the interval early, when it looks at the queue.
    await after(PLAN.session_check_seconds * 7 // 8 - 31)
    assert not old.is_over
    at.kv.asked.clear()
    await after(PLAN.session_check_seconds // 8 + 2)
    assert old.events[-1].name == "superseded"
    assert not new.is_over
    # The presence came with the session's record, and the older one's heartbeat did not replace it.
    assert [asked for asked in at.kv.asked if asked[0] != "list"] == [("get_many", f"session:{session.code}")]
    assert not any(key.startswith("host:") for _, key in at.kv.asked)
    assert NEW in (await at.kv.get(f"host:{session.code}") or "")
    await new.stop()


async def test_an_older_host_that_was_away_is_superseded_when_it_returns_before_it_gets_a_request():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await old.stop()
    await after(5)
    new = await host(at.isolate(1), session, NEW)
    await at.isolate(1).ask(session.code, id="for-the-new-one")
    back = await host(at.client, session, named(old))
    await after(1)
    assert back.names() == ["ready", "superseded"]
    assert back.is_over
    assert ids(new) == ["for-the-new-one"]
    await new.stop()


async def test_an_older_host_that_returns_where_the_newer_one_is_connected_is_superseded_as_well():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await old.stop()
    await after(5)
    new = await host(at.client, session, NEW)
    back = await host(at.client, session, named(old))
    assert back.names() == ["ready", "superseded"]
    await new.stop()


@pytest.mark.parametrize("number", [0, 1])
async def test_a_newer_host_that_has_left_again_supersedes_nothing(number: int):
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await old.stop()
    place = at.client if number == 0 else at.isolate(number)
    new = await host(place, session, NEW)
    await leave(place, session, NEW)
    await after(1)
    assert new.is_over
    back = await host(at.client, session, named(old))
    await at.client.ask(session.code, id="r")
    await after(1)
    assert (back.is_over, ids(back)) == (False, ["r"])
    assert await is_online(at.client, session)
    await back.stop()


async def test_a_newer_host_that_vanished_without_a_goodbye_is_followed_by_the_older_one_once_it_counts_as_gone():
    at = Setting()
    session = await at.client.open_session(ttl=3600)
    old = await host(at.client, session, OLD)
    await old.stop()
    new = await host(at.isolate(1), session, NEW)
    await new.stop()
    await after(PLAN.presence_seconds + 60)
    back = await host(at.client, session, named(old))
    await after(1)
    assert not back.is_over
    await back.stop()


async def test_a_host_that_returns_is_sent_nothing_while_the_store_can_t_say_whether_it_was_superseded():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await old.stop()
    at.kv.fails = lambda operation, key: operation == "get_many"
    back = await host(at.client, session, named(old))
    await at.client.ask(session.code, id="r")
    await after(1)
    assert ids(back) == []
    at.kv.fails = lambda *_: False
    await after(6)
    assert ids(back) == ["r"]
    await back.stop()


async def test_a_host_that_returns_where_its_session_is_not_visible_yet_gets_its_requests():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await old.stop()
    await at.kv.kv.delete(f"session:{session.code}")
    back = await host(at.client, session, named(old))
    await at.client.ask(session.code, id="r")
    await after(1)
    assert ids(back) == ["r"]
    await back.stop()


async def test_hosts_without_an_instance_neither_supersede_nor_are_superseded():
    at = Setting()
    session = await at.client.open_session()
    url = f"/api/stream?code={session.code}"
    plain = [await listen(at.client, url, token=session.host) for _ in range(2)]
    named_one = await host(at.client, session, OLD)
    guest = await listen(at.client, f"{url}&instance={NEW}")
    await after(200)
    assert not any(stream.is_over for stream in [*plain, named_one, guest])
    assert "instance" not in plain[0].data("ready")[0] | guest.data("ready")[0]
    for stream in [*plain, named_one, guest]:
        await stream.stop()


async def test_what_the_older_host_may_be_running_is_held_back_from_the_newer_one_and_never_comes_once_answered():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await at.client.ask(session.code, id="running")
    await after(1)
    new = await host(at.client, session, NEW)
    assert new.data("ready")[0]["tookOver"] is True
    await at.client.ask(session.code, id="fresh")
    await after(5)
    assert (ids(old), ids(new)) == (["running"], ["fresh"])
    await at.client.answer(session, "running", "done by the older one")
    await after(TAKEOVER_HOLD_SECONDS + 30)
    assert ids(new) == ["fresh"]
    await new.stop()


async def test_what_the_older_host_does_not_answer_comes_to_the_newer_one_as_a_replay():
    at = Setting(replace(PLAN, poll_min_ms=60_000, poll_max_ms=60_000))
    session = await at.client.open_session()
    await host(at.client, session, OLD)
    await at.client.ask(session.code, id="dropped")
    await after(1)
    new = await host(at.client, session, NEW)
    await after(TAKEOVER_HOLD_SECONDS - 1)
    assert ids(new) == []
    await after(1.1)
    [request] = new.data("request")
    assert (request["id"], request["replay"]) == ("dropped", True)
    await new.stop()


async def test_the_goodbye_of_the_older_host_ends_the_waiting_for_it():
    at = Setting(replace(PLAN, poll_min_ms=60_000, poll_max_ms=60_000))
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await at.client.ask(session.code, id="dropped")
    await after(1)
    new = await host(at.client, session, NEW)
    await after(1)
    await leave(at.client, session, named(old))
    await after(0.1)
    assert ids(new) == ["dropped"]
    assert await is_online(at.client, session)
    await new.stop()


async def test_a_page_that_is_loaded_again_gets_what_is_queued_immediately_and_stays_online():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await leave(at.client, session, named(old))
    await at.client.ask(session.code, id="meanwhile")
    await after(0.1)
    assert (old.is_over, old.names()[-1]) == (True, "ready")
    assert not await is_online(at.client, session)
    new = await host(at.client, session, NEW)
    await after(0.1)
    assert ids(new) == ["meanwhile"]
    assert new.data("ready")[0].get("tookOver") is None
    await leave(at.client, session, named(old))
    assert await is_online(at.client, session)
    await new.stop()


async def test_a_reconnect_does_not_end_the_waiting_for_the_older_host():
    at = Setting()
    session = await at.client.open_session()
    await host(at.client, session, OLD)
    await at.client.ask(session.code, id="running")
    await after(1)
    new = await host(at.client, session, NEW)
    await new.stop()
    await after(1)
    again = await host(at.client, session, named(new))
    await after(5)
    assert ids(again) == []
    await after(TAKEOVER_HOLD_SECONDS)
    assert ids(again) == ["running"]
    await again.stop()


async def test_a_number_that_the_older_host_answers_holds_up_nothing_at_the_newer_one():
    at = Setting()
    session = await at.client.open_session()
    await host(at.client, session, OLD)
    await at.client.ask(session.code, id="one", producer="p", seq=1)
    await after(1)
    new = await host(at.client, session, NEW)
    await at.client.ask(session.code, id="two", producer="p", seq=2)
    await after(3)
    assert ids(new) == []
    await at.client.answer(session, "one", "done by the older one")
    await after(2 * PLAN.poll_max_ms / 1000 + 1)
    assert ids(new) == ["two"]
    [gap] = new.data("gap")
    assert (gap["reason"], gap["producer"], gap["seq"], gap["before"]) == ("missing", "p", 1, 2)
    await new.stop()


async def test_a_host_that_was_superseded_during_a_look_into_the_store_drops_what_it_found():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await at.isolate(1).ask(session.code, id="queued-elsewhere")
    looking, go_on = asyncio.Event(), asyncio.Event()
    original = at.kv.list

    async def slow(prefix: str, **options: object) -> object:
        page = await original(prefix, **options)  # type: ignore[arg-type]
        if prefix == f"req:{session.code}:" and not looking.is_set():
            looking.set()
            await go_on.wait()
        return page

    at.kv.list = slow  # type: ignore[method-assign, assignment]
    await looking.wait()
    new = await host(at.client, session, NEW)
    go_on.set()
    await after(TAKEOVER_HOLD_SECONDS + 10)
    assert (ids(old), old.names()[-1]) == ([], "superseded")
    assert ids(new) == ["queued-elsewhere"]
    await new.stop()


async def test_a_host_that_was_superseded_while_a_large_request_was_read_drops_it():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    reading, go_on = asyncio.Event(), asyncio.Event()
    original = at.kv.get_many

    async def slow(keys: Sequence[str]) -> dict[str, str]:
        if keys[0].startswith("req:") and not reading.is_set():
            reading.set()
            await go_on.wait()
        return await original(keys)

    at.kv.get_many = slow  # type: ignore[method-assign]
    # It is written first, so that its arguments are read.
    at.client.app.isolate.messages.publish_ahead = lambda *args: False  # type: ignore[method-assign]
    await at.client.ask(session.code, id="large", args={"text": "x" * 2000})
    await reading.wait()
    new = await host(at.client, session, NEW)
    go_on.set()
    await after(TAKEOVER_HOLD_SECONDS + 10)
    assert (ids(old), old.names()[-1]) == ([], "superseded")
    assert ids(new) == ["large"]
    await new.stop()


async def test_a_host_that_says_goodbye_during_a_look_into_the_store_is_sent_nothing_of_it():
    at = Setting()
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await at.isolate(1).ask(session.code, id="queued-elsewhere")
    looking, go_on = asyncio.Event(), asyncio.Event()
    original = at.kv.list

    async def slow(prefix: str, **options: object) -> object:
        page = await original(prefix, **options)  # type: ignore[arg-type]
        looking.set()
        await go_on.wait()
        return page

    at.kv.list = slow  # type: ignore[method-assign, assignment]
    await looking.wait()
    await leave(at.client, session, OLD)
    go_on.set()
    await after(1)
    assert (old.is_over, old.names()) == (True, ["ready"])


async def test_on_the_free_plan_too_an_older_host_is_superseded_when_it_reads_the_session():
    at = Setting(replace(FREE, stream_seconds=1000))
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await after(200)
    new = await host(at.isolate(1), session, NEW)
    await after(FREE.session_check_seconds)
    assert old.names()[-1] == "superseded"
    await new.stop()


@pytest.mark.parametrize("away_seconds", [0.2, 4])
async def test_a_host_between_two_streams_counts_as_there(away_seconds: float):
    at = Setting(replace(PLAN, stream_seconds=60))
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await at.client.ask(session.code, id="running-at-the-older-one")
    await old.until_over()
    await after(away_seconds)
    new = await host(at.client, session, NEW)
    assert new.data("ready")[0]["tookOver"] is True
    await after(1)
    assert ids(new) == []
    # It comes back, and is told.
    again = await host(at.client, session, named(old), old.events[-1].id)
    assert again.names() == ["ready", "superseded"]
    await leave(at.client, session, OLD)
    await after(1)
    assert ids(new) == ["running-at-the-older-one"]
    await new.stop()


async def test_a_host_that_does_not_come_back_from_the_end_of_its_stream_is_gone():
    at = Setting(replace(PLAN, stream_seconds=60))
    session = await at.client.open_session()
    old = await host(at.client, session, OLD)
    await at.client.ask(session.code, id="never-answered")
    await old.until_over()
    await after(6)
    new = await host(at.client, session, NEW)
    assert new.data("ready")[0].get("tookOver") is None
    await after(1)
    assert ids(new) == ["never-answered"]
    await new.stop()


async def test_an_event_source_that_comes_back_as_it_came_first_is_held_back_nothing():
    at = Setting(replace(PLAN, stream_seconds=60))
    session = await at.client.open_session()
    first = await host(at.client, session, OLD)
    await first.until_over()
    await at.client.ask(session.code, id="meanwhile")
    await after(1)
    again = await host(at.client, session, OLD, first.events[-1].id)
    await after(1)
    assert again.data("ready")[0].get("tookOver") is None
    assert ids(again) == ["meanwhile"]
    await again.stop()
