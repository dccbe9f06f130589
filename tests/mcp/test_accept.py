"""The form of the reply to a call: by what the client accepts, never by how fast the tool is."""

import asyncio
from typing import Any

import pytest

from tests.support.mcp_client import Mcp, connected, staying, taken

PLAIN_CLIENTS = {
    "axios": "application/json, text/plain, */*",
    "requests, httpx, curl, fetch": "*/*",
    "none": "",
    "JSON": "application/json",
    "a weight": "application/json;q=0.9, */*;q=0.8",
    "text beside everything": "text/*, */*",
    "superagent": "application/json, text/*",
    "a stream that is excluded": "application/json, text/event-stream;q=0",
}
NAMES_STREAMS = {
    "an SDK": "application/json, text/event-stream",
    "another order": "text/event-stream, application/json",
    "a browser's": "text/event-stream, */*",
    "capitals": "Application/JSON, Text/Event-Stream",
    "weights": "text/event-stream;q=0.1, application/json",
    "only streams": "text/event-stream",
    "text, and no JSON": "text/*",
}

generations = pytest.mark.parametrize("is_modern", [False, True])


async def slow_call(mcp: Mcp, accept: str, seconds: float, result: Any = "there") -> Any:
    """The reply to a call whose tool takes so long."""
    message = mcp.request("tools/call", {"name": "slow", "_meta": {"progressToken": "p"}})
    asking = asyncio.ensure_future(mcp.send(message, mcp.mirrored(message) | {"Accept": accept}))
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], "half", final=False)
    await asyncio.sleep(seconds)
    await mcp.client.answer(mcp.session, request["id"], result)
    return await asking


@generations
@pytest.mark.parametrize("seconds", [0.2, 3, 45])
@pytest.mark.parametrize("accept", PLAIN_CLIENTS.values(), ids=PLAIN_CLIENTS)
async def test_a_client_that_does_not_name_streams_gets_json_however_slow_the_tool_is(
    is_modern: bool, accept: str, seconds: float
):
    mcp = await connected(is_modern=is_modern)
    reply = await slow_call(mcp, accept, seconds)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json()["result"]["content"][0]["text"] == "there"


@generations
@pytest.mark.parametrize("accept", NAMES_STREAMS.values(), ids=NAMES_STREAMS)
async def test_a_client_that_names_streams_or_takes_nothing_else_gets_one(is_modern: bool, accept: str):
    mcp = await connected(is_modern=is_modern)
    reply = await slow_call(mcp, accept, 3)
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    assert b'"text":"there"' in reply.body


@generations
@pytest.mark.parametrize("accept", ["*/*", ""])
async def test_a_client_without_streams_is_told_after_a_minute_that_it_was_too_long(is_modern: bool, accept: str):
    mcp = await connected(is_modern=is_modern)
    listening = asyncio.ensure_future(staying(mcp))
    message = mcp.request("tools/call", {"name": "slow"})
    reply = await mcp.send(message, mcp.mirrored(message) | {"Accept": accept})
    error = reply.json()["error"]
    assert (error["code"], error["data"]) == (-31002, {"code": "timed_out"})
    assert error["message"] == (
        "The tab has not answered for 60 s, so the call is cancelled. "
        "Clients that accept text/event-stream by name can wait longer."
    )
    assert asyncio.get_running_loop().time() == pytest.approx(60, abs=1)
    listening.cancel()


@pytest.mark.parametrize("accept", ["*/*", ""])
async def test_where_the_only_form_is_a_stream_a_wildcard_accepts_it(accept: str):
    mcp = await connected()
    response = await mcp.client.open("GET", mcp.url, headers=mcp.headers({"Accept": accept}))
    assert response.headers["Content-Type"].startswith("text/event-stream")
    await response.body.aclose()  # type: ignore[union-attr]
