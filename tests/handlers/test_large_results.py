"""Results of up to 8 MiB arrive by every route, one after another if there is not room for all of them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from simulation.client import Client, Opened, make_client
from simulation.virtual_time import VirtualClock
from tests.support.mcp_client import answered, connected
from waypost_worker.kv.keys import response_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_ADDRESS_LOADS_BYTES, MAX_RESULT_BYTES

LARGEST = "é" + "x" * (MAX_RESULT_BYTES - 8)
"""Its JSON has as many bytes as a result may have, with the é as an escape."""


async def sent(client: Client, session: Opened, count: int, size: int = 0) -> list[str]:
    """The ids of so many requests that have been answered with large results."""
    ids = [f"r{number}" for number in range(count)]
    for id in ids:
        await client.ask(session.code, id=id)
        assert (await client.answer(session, id, "x" * size if size else LARGEST)).status == 202
    return ids


async def first_responses(client: Client, session: Opened, count: int, **more: str) -> list[Any]:
    """The first `count` responses on a guest's stream."""
    stream = await client.open("GET", f"/api/stream?code={session.code}", **more)
    assert isinstance(stream.body, AsyncGenerator)
    found: list[Any] = []
    async for chunk in stream.body:
        lines = [line for line in chunk.decode().split("\n") if line.startswith("data: ")]
        events = [json.loads(line[6:]) for line in lines]
        found += [event for event in events if "result" in event]
        if len(found) >= count:
            await stream.body.aclose()
    return found


async def test_the_largest_result_arrives_by_every_route():
    client = make_client()
    session = await client.open_session()
    [id] = await sent(client, session, 1)
    again = await client.ask(session.code, id=id)
    assert (again.status, again.json()["result"]) == (200, LARGEST)
    [polled] = (await client.poll(session.code))["messages"]
    assert polled["data"]["result"] == LARGEST
    [streamed] = await first_responses(client, session, 1)
    assert streamed["result"] == LARGEST
    assert client.app.isolate.loads.bytes == 0


async def test_the_largest_result_ends_a_wait():
    client = make_client()
    session = await client.open_session()
    asking = asyncio.ensure_future(client.ask(session.code, wait=30, id="r"))
    await asyncio.sleep(1)
    await client.answer(session, "r", LARGEST)
    assert (await asking).json()["result"] == LARGEST
    assert client.app.isolate.loads.bytes == 0


@pytest.mark.parametrize("is_modern", [False, True])
@pytest.mark.parametrize("is_slow", [False, True])
async def test_the_largest_result_reaches_a_client_of_mcp(is_modern: bool, is_slow: bool):
    mcp = await connected(is_modern=is_modern)
    result = {"content": [{"type": "image", "data": "A" * (MAX_RESULT_BYTES - 66), "mimeType": "image/png"}]}
    params = {"name": "echo", "arguments": {}}
    asking = asyncio.ensure_future(
        mcp.send(mcp.request("tools/call", params), mcp.mirrored(mcp.request("tools/call", params)))
    )
    await asyncio.sleep(5 if is_slow else 0.5)
    await answered(mcp, result)
    reply = await asking
    assert reply.headers["Content-Type"].partition(";")[0] == ("text/event-stream" if is_slow else "application/json")
    lines = reply.body.decode().split("\n")
    message = json.loads(max(lines, key=len).removeprefix("data: "))
    assert message["result"]["content"] == result["content"]
    assert mcp.client.app.isolate.loads.bytes == 0


async def test_a_stream_with_more_than_fits_at_a_time_sends_one_after_another():
    client = make_client()
    session = await client.open_session()
    ids = await sent(client, session, 3)
    assert [event["id"] for event in await first_responses(client, session, 3)] == ids


async def test_a_poll_with_more_than_fits_returns_what_does_and_the_next_one_the_rest():
    client = make_client()
    session = await client.open_session()
    size = MAX_ADDRESS_LOADS_BYTES // 16
    ids = await sent(client, session, 4, size)
    seen: list[str] = []
    after = ""
    while len(seen) < 4:
        reply = await client.poll(session.code, after=after)
        fresh = [each["data"]["id"] for each in reply["messages"] if not each["data"].get("replay")]
        assert 0 < len(fresh) < 4
        seen, after = seen + fresh, reply["cursor"]
    assert seen == ids


async def test_readers_for_which_there_is_no_room_are_asked_to_come_back():
    client = make_client()
    session = await client.open_session()
    [id] = await sent(client, session, 1)
    held = [client.app.isolate.loads.share(f"192.0.2.{number}") for number in (7, 8)]
    for share in held:
        share.take(8 * 1024 * 1024)
    polled = await client.call("GET", f"/api/poll?code={session.code}")
    assert (polled.status, polled.json()["code"], polled.headers["Retry-After"]) == (503, "busy", "1")
    assert (await client.ask(session.code, id=id)).status == 503
    streaming = asyncio.ensure_future(first_responses(client, session, 1))
    await asyncio.sleep(12)
    assert not streaming.done()
    for share in held:
        share.release()
    assert len(await streaming) == 1
    assert (await client.ask(session.code, id=id)).status == 200


async def test_a_large_result_that_an_older_version_has_stored_is_read():
    clock = VirtualClock()
    kv = MemoryKv(clock)
    client = make_client(kv=kv)
    session = await client.open_session()
    queued = (await client.ask(session.code, id="r")).json()
    cursor = (await client.answer(session, "other", 1)).json()["cursor"]
    head = {"kind": "response", "id": "r", "final": True, "size": 5000}
    whole = {"kind": "response", "id": "r", "result": {"text": "x" * 4000, "n": 1.0}, "final": True}
    key = response_key(session.code, "r", cursor)
    await kv.put(key, json.dumps(whole), ttl_seconds=60, metadata=json.dumps(head))
    assert (await client.ask(session.code, id=queued["id"])).json()["result"] == whole["result"]


async def test_what_is_newer_waits_with_what_has_no_room():
    """Sent first, it would move the guest's cursor past the other."""
    client = make_client()
    session = await client.open_session()
    held = [client.app.isolate.loads.share(f"192.0.2.{number}") for number in (7, 8)]
    for share in held:
        share.take(8 * 1024 * 1024)
    streaming = asyncio.ensure_future(first_responses(client, session, 2))
    await asyncio.sleep(1)
    for id, result in (("large", LARGEST), ("small", 1)):
        await client.ask(session.code, id=id)
        await client.answer(session, id, result)
    await asyncio.sleep(20)
    assert not streaming.done()
    for share in held:
        share.release()
    assert [event["id"] for event in await streaming] == ["large", "small"]


async def test_a_poll_returns_what_is_new_although_replays_fill_its_room():
    client = make_client()
    session = await client.open_session()
    old = await sent(client, session, 2)
    seen: list[str] = []
    after = ""
    while len(seen) < 2:
        reply = await client.poll(session.code, after=after)
        seen += [each["data"]["id"] for each in reply["messages"] if not each["data"].get("replay")]
        after = reply["cursor"]
    assert seen == old
    await client.ask(session.code, id="new")
    await client.answer(session, "new", LARGEST)
    replayed: set[str] = set()
    for _ in range(20):
        reply = await client.poll(session.code, after=after)
        for each in reply["messages"]:
            if each["data"].get("replay"):
                replayed.add(each["data"]["id"])
            else:
                seen.append(each["data"]["id"])
        after = reply["cursor"]
        await asyncio.sleep(1)
    assert seen == [*old, "new"]
    # One fits at a time: each has its turn.
    assert replayed == {*old, "new"}
