"""`/api/stream` and `/api/poll`: the same events, for the host and for guests."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from simulation.client import KEY, Client, Opened, make_client
from tests.support.builders import cursor_at
from tests.support.listener import listen
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.settings import Settings

NASTY = "a\rb\nc\r\n\0\ufeff\u2028  data: x\n\nevent: end"


async def opened() -> tuple[Client, Opened]:
    client = make_client()
    return client, await client.open_session()


async def test_a_stream_is_an_event_stream_that_nobody_keeps_or_rewrites():
    client, session = await opened()
    response = await client.open("GET", f"/api/stream?code={session.code}")
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store, no-transform"


async def test_the_token_says_who_reads():
    client, session = await opened()
    guest = await client.join(session.code)
    for options, role in (({"token": session.host}, "host"), ({"token": guest}, "guest"), ({}, "guest")):
        stream = await listen(client, f"/api/stream?code={session.code}", **options)
        await asyncio.sleep(0)
        assert stream.events[0].data["role"] == role
        await stream.stop()


async def test_an_eventsource_sends_its_token_in_the_url():
    client, session = await opened()
    stream = await listen(client, f"/api/stream?code={session.code}&token={session.host}")
    await asyncio.sleep(0)
    assert stream.events[0].data["role"] == "host"
    await stream.stop()


async def test_a_nasty_payload_travels_from_guest_to_host_and_back():
    client, session = await opened()
    host = await listen(client, f"/api/stream?code={session.code}", token=session.host)
    guest = await listen(client, f"/api/stream?code={session.code}")
    await client.ask(session.code, id="mine", args={NASTY: NASTY})
    await asyncio.sleep(0.1)
    await client.answer(session, "mine", NASTY)
    await asyncio.sleep(0.1)
    assert host.data("request")[0]["args"] == {NASTY: NASTY}
    assert guest.data("response")[0]["result"] == NASTY
    await host.stop()
    await guest.stop()


async def test_lines_of_json_are_the_same_events():
    client, session = await opened()
    await client.ask(session.code, id="mine")
    headers = {"Accept": "application/x-ndjson"}
    response = await client.open("GET", f"/api/stream?code={session.code}", token=session.host, headers=headers)
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert isinstance(response.body, AsyncGenerator)
    first, second = await anext(response.body), await anext(response.body)
    await response.body.aclose()
    comment, ready = (json.loads(line) for line in first.splitlines())
    [request] = (json.loads(line) for line in second.splitlines())
    assert (comment, ready["event"], ready["retry"]) == ({"event": "comment", "comment": "waypost"}, "ready", 1000)
    assert [request] == (await client.poll(session.code, session.host))["messages"]


async def test_the_header_of_a_reconnect_wins_over_the_parameter_of_the_first_connect():
    client, session = await opened()
    scope = requests_scope(session.code)
    old, new = cursor_at(-20, scope), cursor_at(-10, scope)
    stream = await listen(
        client,
        f"/api/stream?code={session.code}&after={old}",
        token=session.host,
        headers={"Last-Event-ID": new},
    )
    await asyncio.sleep(0)
    assert stream.events[0].id == new
    await stream.stop()


async def test_a_reader_that_was_away_too_long_is_told_of_the_gap():
    client, session = await opened()
    after = cursor_at(-4000, responses_scope(session.code))
    stream = await listen(client, f"/api/stream?code={session.code}&after={after}")
    await asyncio.sleep(0)
    assert stream.data("gap") == [{"reason": "expired", "after": after}]
    polled = await client.poll(session.code, after=after)
    assert [message["event"] for message in polled["messages"]] == ["gap"]
    assert polled["cursor"] == after
    await stream.stop()


@pytest.mark.parametrize("path", ["stream", "poll"])
@pytest.mark.parametrize("after", ["nonsense", "{other_session}", "{other_queue}", "{own}~{other_queue}", "{own};=1"])
async def test_a_cursor_of_another_session_or_queue_is_refused(path: str, after: str):
    client, session = await opened()
    text = after.format(
        own=cursor_at(0, requests_scope(session.code)),
        other_session=cursor_at(0, requests_scope("00000000")),
        other_queue=cursor_at(0, responses_scope(session.code)),
    )
    reply = await client.call("GET", f"/api/{path}?code={session.code}&after={text}", token=session.host)
    assert (reply.status, reply.json()["code"]) == (400, "invalid_cursor")


async def test_a_guest_that_polls_gets_answers_and_comes_back_with_the_cursor():
    client, session = await opened()
    await client.answer(session, "a", 1)
    first = await client.poll(session.code)
    await asyncio.sleep(1)
    await client.answer(session, "b", 2)
    second = await client.poll(session.code, after=first["cursor"])
    assert [message["data"]["id"] for message in first["messages"]] == ["a"]
    seen = [(message["data"]["id"], message["data"].get("replay")) for message in second["messages"]]
    assert seen == [("a", True), ("b", None)]


async def test_a_waiting_poll_is_woken_by_a_request_in_its_isolate():
    client, session = await opened()
    polling = asyncio.ensure_future(client.poll(session.code, session.host, wait=60))
    await asyncio.sleep(20)
    await client.ask(session.code)
    assert len((await polling)["messages"]) == 1
    assert asyncio.get_running_loop().time() < 20.1


async def test_a_poll_that_nothing_ends_is_empty_when_its_time_is_over():
    client, session = await opened()
    polled = await client.poll(session.code, session.host, wait=1.5)
    assert polled["messages"] == []
    assert 1.49 <= asyncio.get_running_loop().time() < 1.6


async def test_where_tokens_are_required_a_code_alone_opens_nothing_but_joining():
    client = make_client(Settings(signing_keys=(KEY,), require_token=True))
    session = await client.open_session()
    for path in ("stream", "poll"):
        reply = await client.call("GET", f"/api/{path}?code={session.code}")
        assert (reply.status, reply.json()["code"]) == (401, "token_required")
    assert (await client.ask(session.code)).status == 401
    guest = await client.join(session.code)
    assert (await client.poll(session.code, guest))["messages"] == []
