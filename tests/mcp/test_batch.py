"""Batches, of the one revision that has them: each message is answered as if it had been sent alone."""

import asyncio
from typing import Any

import pytest

from simulation.client import make_client
from tests.support.limiters import Budget
from tests.support.mcp_client import Mcp, answered, connected, put_tools, staying, taken
from waypost_worker.limits import MAX_BATCH_MESSAGES
from waypost_worker.security.rate_limits import Limit

REVISION = "2025-03-26"
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def ping(id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": "ping"}


def pong(id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "result": {}}


async def older(**options: Any) -> Mcp:
    return await connected(version=REVISION, **options)


async def test_each_request_has_its_reply_in_order_and_notifications_have_none():
    mcp = await older()
    await put_tools(mcp, {"name": "add"})
    reply = await mcp.send([ping("a"), INITIALIZED, mcp.request("tools/list", id=2), ping(3)])
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    first, second, third = reply.json()
    assert (first, third) == (pong("a"), pong(3))
    assert second["result"]["tools"][0]["name"] == "add"


@pytest.mark.parametrize("version", [REVISION, ""])
async def test_a_client_that_names_no_session_and_no_revision_may_send_one_too(version: str):
    mcp = await older()
    mcp.session_id, mcp.version = None, version
    assert (await mcp.send([ping(1)])).json() == [pong(1)]


async def test_a_batch_without_requests_is_accepted():
    mcp = await older()
    reply = await mcp.send([INITIALIZED, {"jsonrpc": "2.0", "id": 1, "result": {}}])
    assert (reply.status, reply.body) == (202, b"")


async def test_its_calls_run_concurrently_and_a_stream_is_never_their_reply():
    mcp = await older()
    calls = [mcp.request("tools/call", {"name": "slow", "arguments": {"n": n}}, id=n) for n in range(3)]
    asking = asyncio.ensure_future(mcp.send(calls))
    await asyncio.sleep(10)
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    requests = [message["data"] for message in polled["messages"]]
    for request in reversed(requests):
        await mcp.client.answer(mcp.session, request["id"], request["args"]["n"])
    reply = await asking
    texts = [(item["id"], item["result"]["content"][0]["text"]) for item in reply.json()]
    assert texts == [(n, str(n)) for n in range(3)]


async def test_a_call_of_a_batch_that_takes_too_long_fails_by_itself():
    mcp = await older()
    listening = asyncio.ensure_future(staying(mcp))
    reply = await mcp.send([ping(1), mcp.request("tools/call", {"name": "slow"}, id=2)])
    first, second = reply.json()
    assert (first, second["error"]["code"]) == (pong(1), -31002)
    listening.cancel()


async def test_a_call_of_a_batch_can_be_cancelled():
    mcp = await older()
    asking = asyncio.ensure_future(mcp.send([ping(1), mcp.request("tools/call", {"name": "slow"}, id=2)]))
    await taken(mcp)
    cancelling = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
    assert (await mcp.send([cancelling])).status == 202
    assert (await asking).json()[1]["error"]["data"] == {"code": "cancelled"}


async def test_what_is_wrong_with_one_message_is_its_own_error():
    mcp = await older()
    wrong = [3, {"jsonrpc": "2.0", "id": 4}, mcp.request("initialize", id=5), mcp.request("no/such", id=6), [ping(7)]]
    *errors, last = (await mcp.send([*wrong, ping(8)])).json()
    assert [(item.get("id"), item["error"]["code"]) for item in errors] == [
        (None, -32600),
        (4, -32600),
        (5, -32600),
        (6, -32601),
        (None, -32600),
    ]
    assert last == pong(8)


async def test_each_request_of_a_batch_is_paid_for():
    client = make_client(limiters={Limit.REQUEST: Budget(3)})
    mcp = Mcp(client, await client.open_session(), version=REVISION)
    replies = (await mcp.send([ping(n) for n in range(4)])).json()
    assert replies[:3] == [pong(n) for n in range(3)]
    assert (replies[3]["id"], replies[3]["error"]["data"]) == (3, {"code": "rate_limited"})


async def test_the_longest_batch_is_taken_and_one_more_is_not():
    mcp = await older()
    assert len((await mcp.send([ping(n) for n in range(MAX_BATCH_MESSAGES)])).json()) == MAX_BATCH_MESSAGES
    for batch in ([ping(n) for n in range(MAX_BATCH_MESSAGES + 1)], []):
        reply = await mcp.send(batch)
        assert (reply.status, reply.json()["error"]["code"]) == (400, -32600)


async def test_a_client_that_takes_no_json_gets_no_batch():
    mcp = await older()
    reply = await mcp.send([ping(1)], {"Accept": "text/event-stream"})
    assert (reply.status, reply.json()["error"]["code"]) == (406, -32600)


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2026-07-28"])
async def test_later_revisions_have_no_batches(version: str):
    mcp = await connected(is_modern=version == "2026-07-28")
    mcp.version = version
    reply = await mcp.send([ping(1)])
    assert (reply.status, reply.json()["error"]["code"]) == (400, -32600)
    assert reply.json()["error"]["message"] == "This revision has no batches: send one message in each request."


async def test_a_session_that_is_not_of_this_tab_is_404_for_a_batch_too():
    mcp = await older()
    mcp.session_id = (mcp.session_id or "") + "x"
    assert (await mcp.send([ping(1)])).status == 404


async def test_a_call_without_a_batch_is_a_call_as_in_later_revisions():
    mcp = await older()
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "echo"}))
    await answered(mcp, "done")
    assert (await asking)["content"] == [{"type": "text", "text": "done"}]
