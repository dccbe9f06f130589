"""The streams of MCP clients at an address that stays: they outlive the tab's session, and hear of the next one."""

import asyncio
from base64 import urlsafe_b64decode

import pytest

from simulation.client import Client, Opened, make_client
from tests.support.addresses import ADDRESS, open_with, withdraw
from tests.support.faulty_kv import Fault
from tests.support.mcp_client import Mcp, Stream, put_tools, taken
from tests.support.namespace import Isolates

CHANGED = "notifications/tools/list_changed"


async def at_address(client: Client, session: Opened) -> Mcp:
    mcp = Mcp(client, session, path=f"/mcp/{ADDRESS}")
    await mcp.initialize()
    return mcp


def changes(stream: Stream) -> list[str]:
    return [message["method"] for message in stream.messages if message.get("method") == CHANGED]


async def test_a_stream_hears_of_the_next_session_immediately_in_its_isolate_and_ends():
    client = make_client()
    mcp = await at_address(client, await open_with(client))
    stream = await mcp.get()
    await asyncio.sleep(5)
    assert changes(stream) == []
    await open_with(client)
    await asyncio.sleep(0.1)
    assert changes(stream) == [CHANGED]
    assert stream.is_over


async def test_elsewhere_it_hears_of_it_at_the_next_look():
    at = Isolates()
    mcp = await at_address(at.isolate(1), await open_with(at.client))
    stream = await mcp.get()
    await asyncio.sleep(5)
    await open_with(at.client)
    await asyncio.sleep(50)
    assert not stream.is_over
    await asyncio.sleep(at.settings.plan.session_check_seconds)
    assert changes(stream) == [CHANGED]
    assert stream.is_over


async def test_a_client_that_comes_back_to_another_session_hears_that_the_tools_have_changed():
    client = make_client()
    mcp = await at_address(client, await open_with(client))
    await put_tools(mcp, {"name": "old"})
    stream = await mcp.get()
    await asyncio.sleep(1)
    last = stream.events[-1].id
    await stream.stop()
    mcp.session = await open_with(client)
    await put_tools(mcp, {"name": "new"})
    stream = await mcp.get(last)
    await asyncio.sleep(1)
    assert changes(stream) == [CHANGED]
    assert not stream.is_over
    await stream.stop()


@pytest.mark.parametrize("is_modern", [False, True])
async def test_a_stream_outlives_the_session_and_waits_for_the_next_one(is_modern: bool):
    at = Isolates()
    client = at.client
    session = await open_with(client)
    mcp = await at_address(client, session)
    await put_tools(mcp, {"name": "old"})
    mcp.is_modern = is_modern
    params = {"notifications": {"toolsListChanged": True}}
    stream = await mcp.stream("subscriptions/listen", params) if is_modern else await mcp.get()
    await client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    await asyncio.sleep(100)
    assert (stream.is_over, changes(stream)) == (False, [])
    at.operations()
    await asyncio.sleep(120)
    # It looks only whether the address leads elsewhere, and never at the session again.
    assert set(at.operations()) <= {"get_many"}
    await open_with(client)
    await asyncio.sleep(0.1)
    assert changes(stream) == [CHANGED]
    assert stream.is_over


async def test_a_stream_may_begin_when_the_session_is_over():
    client = make_client()
    session = await open_with(client)
    await client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    stream = await (await at_address(client, session)).get()
    await asyncio.sleep(30)
    assert (stream.is_over, changes(stream)) == (False, [])
    await open_with(client)
    await asyncio.sleep(0.1)
    assert changes(stream) == [CHANGED]


async def test_a_stream_ends_when_its_address_is_withdrawn():
    client = make_client()
    mcp = await at_address(client, await open_with(client))
    stream = await mcp.get()
    await asyncio.sleep(1)
    await withdraw(client)
    await asyncio.sleep(0.1)
    assert stream.is_over


async def test_a_stream_survives_a_store_that_fails():
    at = Isolates()
    mcp = await at_address(at.client, await open_with(at.client))
    stream = await mcp.get()
    await asyncio.sleep(1)
    fails: Fault = lambda operation, key: True  # noqa: E731
    at.kv.fails = fails
    await asyncio.sleep(100)
    at.kv.fails = lambda operation, key: False
    assert not stream.is_over
    await open_with(at.client)
    await asyncio.sleep(0.1)
    assert changes(stream) == [CHANGED]


async def test_a_call_is_resumed_in_its_own_session_and_in_another_one_it_ends_with_an_error():
    client = make_client()
    session = await open_with(client)
    mcp = await at_address(client, session)
    call = await mcp.stream("tools/call", {"name": "slow"}, id=7)
    await taken(mcp)
    await asyncio.sleep(3)
    last = call.events[-1].id
    await call.stop()
    # While the session has the address, the call goes on.
    resumed = await mcp.get(last)
    await asyncio.sleep(1)
    assert not resumed.is_over
    await resumed.stop()
    mcp.session = await open_with(client)
    resumed = await mcp.get(last)
    [message] = await resumed.until_over()
    assert (message["id"], message["error"]["data"]) == (7, {"code": "cancelled"})
    assert "opened a new session" in message["error"]["message"]
    # Who has the address does not learn the code, which would outlive a withdrawal.
    position = urlsafe_b64decode(last.partition(".")[0] + "==").decode()
    assert session.code not in f"{position} {message} {mcp.session_id}"


async def test_a_position_in_a_call_can_t_be_moved_to_another_session():
    client = make_client()
    mcp = await at_address(client, await open_with(client))
    by_code = Mcp(client, mcp.session)
    await by_code.initialize()
    call = await mcp.stream("tools/call", {"name": "slow"})
    await taken(mcp)
    await asyncio.sleep(3)
    reply = await client.call("GET", by_code.url, headers=by_code.headers({"Last-Event-ID": call.events[-1].id}))
    assert reply.status == 400
    await call.stop()
