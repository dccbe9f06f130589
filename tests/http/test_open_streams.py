"""Streams and waits are bounded for each session, for each address and in total; a place is free when its stream ends,
and when the platform has ended it without a word."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from simulation.client import Client, make_client
from tests.support.builders import SetClock
from tests.support.listener import Listener, listen
from tests.support.mcp_client import connected, put_tools
from waypost_worker.errors import Busy, TooManyStreams
from waypost_worker.http.open_streams import LATE_MS, MAX_UNREAD_MS, OpenStreams
from waypost_worker.limits import (
    HEARTBEAT_SECONDS,
    MAX_STREAMS_PER_ADDRESS,
    MAX_STREAMS_PER_ISOLATE,
    MAX_STREAMS_PER_SESSION,
)

HERE = "192.0.2.1"
OVERDUE_MS = HEARTBEAT_SECONDS * 1000 + LATE_MS


def test_a_session_has_so_many_streams_whoever_opens_them():
    streams = OpenStreams(SetClock())
    places = [streams.open("CODE", f"192.0.2.{number}") for number in range(MAX_STREAMS_PER_SESSION)]
    with pytest.raises(TooManyStreams):
        streams.open("CODE", "198.51.100.1")
    streams.open("OTHER", "198.51.100.1")
    places[0].free()
    streams.open("CODE", "198.51.100.1")


def test_an_address_has_so_many_streams_whatever_they_are_of():
    streams = OpenStreams(SetClock())
    places = [streams.open(f"C{number}", HERE) for number in range(MAX_STREAMS_PER_ADDRESS)]
    with pytest.raises(TooManyStreams):
        streams.open(None, HERE)
    streams.open(None, "192.0.2.2")
    places[0].free()
    streams.open(None, HERE)


def test_an_isolate_has_so_many_streams():
    streams = OpenStreams(SetClock())
    places = [streams.open(None, f"192.0.{n // 200}.{n % 200}") for n in range(MAX_STREAMS_PER_ISOLATE)]
    with pytest.raises(Busy):
        streams.open(None, "198.51.100.1")
    places[0].free()
    streams.open(None, "198.51.100.1")


def test_a_freed_place_leaves_nothing_behind_and_is_freed_once():
    streams = OpenStreams(SetClock())
    place, other = streams.open("CODE", HERE), streams.open("CODE", HERE)
    place.free()
    place.free()
    assert len(streams) == 1
    with other:
        pass
    assert (len(streams), streams._by_code, streams._by_address) == (0, {}, {})


def test_a_place_that_a_stream_took_over_outlives_its_request():
    streams = OpenStreams(SetClock())
    with streams.open("CODE", HERE) as place:
        place.is_streaming = True
    assert len(streams) == 1


def test_a_stream_that_is_long_overdue_loses_its_place_to_another():
    clock = SetClock()
    streams = OpenStreams(clock)
    for _ in range(MAX_STREAMS_PER_SESSION):
        streams.open("CODE", HERE)
    clock.ms += OVERDUE_MS - 1
    with pytest.raises(TooManyStreams):
        streams.open("CODE", HERE)
    clock.ms += 1
    streams.open("CODE", HERE)
    assert len(streams) == 1


def test_a_client_that_reads_slowly_keeps_its_place():
    clock = SetClock()
    streams = OpenStreams(clock)
    slow = streams.open("CODE", HERE)
    slow.hold()
    for _ in range(MAX_STREAMS_PER_SESSION - 1):
        streams.open("CODE", HERE)
    clock.ms += OVERDUE_MS + MAX_UNREAD_MS - 1
    streams.open("CODE", HERE)
    assert len(streams) == 2


async def opened(client: Client, code: str, count: int, ip: str = HERE) -> list[Listener]:
    return [await listen(client, f"/api/stream?code={code}", ip=ip) for _ in range(count)]


async def refused(client: Client, method: str, url: str, body: Any = None, **options: Any) -> bool:
    reply = await client.call(method, url, body, **options)
    if reply.status == 429:
        assert reply.json()["code"] == "too_many_streams"
        assert reply.headers["Retry-After"] == "5"
    return reply.status == 429


async def test_streams_and_waits_share_the_places_of_a_session():
    client = make_client()
    session = await client.open_session()
    listeners = await opened(client, session.code, MAX_STREAMS_PER_SESSION)
    call = {"code": session.code, "tool": "t", "id": "r1"}
    ndjson = {"Accept": "application/x-ndjson"}
    assert await refused(client, "GET", f"/api/stream?code={session.code}", headers=ndjson)
    assert await refused(client, "GET", f"/api/poll?code={session.code}&wait=5")
    assert await refused(client, "POST", "/api/request?wait=5", call)
    assert (await client.poll(session.code, session.host))["messages"] == []
    assert not await refused(client, "GET", f"/api/poll?code={session.code}")
    assert not await refused(client, "POST", "/api/request", call)
    await listeners[0].stop()
    assert not await refused(client, "GET", f"/api/poll?code={session.code}&wait=1")
    assert not await refused(client, "POST", "/api/request?wait=1", call)
    for listener in listeners[1:]:
        await listener.stop()
    assert len(client.app.isolate.streams) == 0


@pytest.mark.parametrize("is_modern", [False, True])
async def test_mcp_calls_and_streams_have_their_places_too(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    await put_tools(mcp, {"name": "t"})
    code = mcp.session.code
    before = len(mcp.client.app.isolate.streams)
    listeners = await opened(mcp.client, code, MAX_STREAMS_PER_SESSION - before)
    message = mcp.request("tools/call", {"name": "t", "arguments": {}})
    reply = await mcp.send(message, mcp.mirrored(message))
    assert (reply.status, reply.headers["Retry-After"]) == (429, "5")
    assert reply.json()["error"]["data"]["code"] == "too_many_streams"
    for listener in listeners:
        await listener.stop()


async def test_a_stream_that_is_closed_before_its_first_byte_frees_its_place():
    client = make_client()
    session = await client.open_session()
    assert (await client.open("HEAD", f"/api/stream?code={session.code}")).status == 200
    assert len(client.app.isolate.streams) == 0


async def test_a_stream_that_is_never_read_keeps_its_place_no_longer_than_a_lost_one():
    client = make_client()
    session = await client.open_session()
    for _ in range(MAX_STREAMS_PER_SESSION):
        assert (await client.open("GET", f"/api/stream?code={session.code}")).status == 200
    assert await refused(client, "GET", f"/api/stream?code={session.code}")
    await asyncio.sleep(OVERDUE_MS / 1000)
    response = await client.open("GET", f"/api/stream?code={session.code}")
    assert response.status == 200
    assert isinstance(response.body, AsyncGenerator)
    with pytest.raises(ConnectionError):
        await response.body.athrow(ConnectionError())
    await response.body.aclose()
    assert len(client.app.isolate.streams) == 0


async def test_a_refused_question_takes_no_place():
    client = make_client()
    body = {"threadId": "t1", "message": "hello", "agent": "nobody"}
    for _ in range(3):
        await client.call("POST", "/api/chat", body)
        await client.call("GET", "/api/chat/t1/stream")
    assert len(client.app.isolate.streams) == 0
