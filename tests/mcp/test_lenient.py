"""An empty object, an absent member and a whole number are read as meant, however a library writes them."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.mcp_client import META, Mcp, answered, connected, put_tools

EMPTY = (None, [], "")
"""The ways of PHP and of serializers that write what is not set."""

generations = pytest.mark.parametrize("is_modern", [False, True])


async def reply_to(mcp: Mcp, message: dict[str, Any], **headers: str) -> Any:
    reply = await mcp.send(message, mcp.mirrored(message) | headers)
    return reply.json()


@pytest.mark.parametrize("params", EMPTY)
@pytest.mark.parametrize("method", ["ping", "tools/list", "resources/list"])
async def test_parameters_that_are_nothing_are_none(method: str, params: Any):
    mcp = await connected()
    assert "result" in await reply_to(mcp, mcp.request(method) | {"params": params})


@pytest.mark.parametrize("params", EMPTY)
async def test_a_notification_may_have_them_too_and_an_id_that_is_null(params: Any):
    mcp = await connected()
    for id in ({}, {"id": None}):
        reply = await mcp.send({"jsonrpc": "2.0", "method": "notifications/initialized", "params": params} | id)
        assert reply.status == 202


@generations
@pytest.mark.parametrize("arguments", EMPTY)
async def test_arguments_that_are_nothing_are_an_empty_object_for_the_tool(is_modern: bool, arguments: Any):
    mcp = await connected(is_modern=is_modern)
    answering = asyncio.ensure_future(answered(mcp, "done"))
    await mcp.result("tools/call", {"name": "t", "arguments": arguments})
    assert (await answering)["args"] == {}


@generations
async def test_an_empty_cursor_is_none(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    await put_tools(mcp, {"name": "add"})
    for cursor in (None, ""):
        assert [tool["name"] for tool in (await mcp.result("tools/list", {"cursor": cursor}))["tools"]] == ["add"]


@generations
@pytest.mark.parametrize(
    ("sent", "returned"), [(1.0, b'"id":1,'), (0.0, b'"id":0,'), (-7.0, b'"id":-7,'), (2e3, b":2000,")]
)
async def test_a_whole_number_is_an_id_however_it_is_written(is_modern: bool, sent: float, returned: bytes):
    mcp = await connected(is_modern=is_modern)
    message = mcp.request("tools/list", id=sent)
    assert b".0" in json.dumps(message).encode()
    reply = await mcp.send(message, mcp.mirrored(message))
    assert (reply.status, returned in reply.body) == (200, True)


@generations
async def test_a_whole_number_is_a_progress_token_however_it_is_written(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    asking = asyncio.ensure_future(mcp.stream("tools/call", {"name": "t", "_meta": {"progressToken": 3.0}}))
    await answered(mcp, "half", final=False)
    stream = await asking
    await asyncio.sleep(0.1)
    assert stream.messages[0]["params"] == {"progressToken": 3, "progress": 1, "message": "half"}
    await stream.stop()
    await asyncio.gather(*mcp.client.background)


@pytest.mark.parametrize("absent", [{"error": None}, {"result": None}, {"error": None, "result": None}])
async def test_an_outcome_that_is_null_is_none_beside_a_method(absent: dict[str, None]):
    mcp = await connected()
    assert (await reply_to(mcp, mcp.request("ping") | absent))["result"] == {}


@pytest.mark.parametrize(
    "reply",
    [{"result": {}, "error": None}, {"error": {"code": 1, "message": "no"}, "result": None}, {"result": None}]
    + [{"result": {}, "method": None}],
)
async def test_a_reply_may_name_what_it_does_not_have(reply: dict[str, Any]):
    mcp = await connected()
    assert (await mcp.send({"jsonrpc": "2.0", "id": 3} | reply)).status == 202


@generations
async def test_a_byte_order_mark_is_ignored(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    message = mcp.request("tools/list")
    headers = {"Content-Type": "application/json"} | mcp.headers(mcp.mirrored(message))
    body = b"\xef\xbb\xbf" + json.dumps(message).encode()
    reply = await mcp.client.call("POST", mcp.url, body=body, headers=headers)
    assert "tools" in reply.json()["result"]


@pytest.mark.parametrize("nothing", EMPTY)
async def test_capabilities_may_be_empty_in_any_way(nothing: Any):
    mcp = await connected(is_modern=True)
    for capabilities in (nothing, {"extensions": nothing}):
        message = mcp.request("tools/list")
        message["params"]["_meta"][f"{META}clientCapabilities"] = capabilities
        assert "result" in await reply_to(mcp, message)
