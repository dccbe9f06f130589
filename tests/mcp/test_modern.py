"""2026-07-28: requests that stand by themselves, headers that repeat them, streams that end with their reader."""

import asyncio
import base64
from typing import Any

import pytest

from simulation.client import KEY, make_client
from tests.support.mcp_client import META, Mcp, answered, connected, put_tools, staying, taken
from waypost_worker.context.isolate import CachedTools
from waypost_worker.polling.plans import FREE
from waypost_worker.settings import Settings

SERVER = {"name": "waypost", "title": "Waypost"}


async def test_discovery_says_what_is_served():
    mcp = await connected(is_modern=True)
    result = await mcp.result("server/discover")
    assert result["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]
    assert result["capabilities"] == {
        "tools": {"listChanged": True},
        "resources": {},
        "extensions": {"io.modelcontextprotocol/tasks": {}},
    }
    assert result["_meta"][f"{META}serverInfo"].items() >= SERVER.items()


@pytest.mark.parametrize("method", ["server/discover", "tools/list", "resources/list", "resources/templates/list"])
async def test_what_can_be_kept_says_for_how_long_and_for_whom(method: str):
    mcp = await connected(is_modern=True)
    result = await mcp.result(method)
    assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 30_000, "private")


async def test_get_and_delete_are_not_for_this_generation():
    mcp = await connected(is_modern=True)
    for method in ("GET", "DELETE"):
        reply = await mcp.client.call(method, mcp.url, headers=mcp.headers())
        assert (reply.status, reply.headers["Allow"]) == (405, "POST")


async def test_a_session_s_id_means_nothing_and_none_is_given():
    mcp = await connected(is_modern=True)
    mcp.session_id = "nobody's"
    message = mcp.request("tools/list")
    reply = await mcp.send(message, mcp.mirrored(message))
    assert (reply.status, "Mcp-Session-Id" in reply.headers) == (200, False)


async def test_a_call_is_answered_with_any_json_as_structure():
    mcp = await connected(is_modern=True)
    for value, text in (([1, 2], "[1,2]"), ("words", "words"), (None, "null"), ({"a": 1.0}, '{"a":1.0}')):
        asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "t"}))
        await answered(mcp, value)
        result = await asking
        assert result.pop("_meta")[f"{META}serverInfo"]["name"] == "waypost"
        assert result == {
            "resultType": "complete",
            "content": [{"type": "text", "text": text}],
            "structuredContent": value,
        }


async def test_a_result_that_is_mcp_s_keeps_what_it_says():
    mcp = await connected(is_modern=True)
    own = {"content": [], "_meta": {"a/b": 1}, "isError": True, "structuredContent": 3}
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "t"}))
    await answered(mcp, own)
    result = await asking
    assert result["_meta"].pop("a/b") == 1
    assert {name: result[name] for name in ("content", "isError", "structuredContent")} == {
        "content": [],
        "isError": True,
        "structuredContent": 3,
    }


async def test_an_unknown_tool_is_an_error_of_the_request():
    mcp = await connected(is_modern=True)
    asking = asyncio.ensure_future(mcp.ask("tools/call", {"name": "t"}))
    await answered(mcp, error={"code": "unknown_tool", "message": "no such tool"})
    reply = await asking
    assert (reply["status"], reply["error"]) == (400, {"code": -32602, "message": "no such tool"})


async def test_a_call_that_is_answered_in_the_same_isolate_ends_immediately():
    mcp = await connected(is_modern=True)
    asking = asyncio.ensure_future(mcp.ask("tools/call", {"name": "t"}))
    request = await taken(mcp)
    # The store is asked after 0.75 s, and then after 1.75.
    await asyncio.sleep(0.8)
    answered_at = asyncio.get_running_loop().time()
    await mcp.client.answer(mcp.session, request["id"], "there")
    await asking
    assert asyncio.get_running_loop().time() - answered_at < 0.1


async def test_a_call_that_takes_longer_becomes_a_stream_without_ids():
    mcp = await connected(is_modern=True)
    params = {"name": "t", "_meta": {"progressToken": 7}}
    opening = asyncio.ensure_future(mcp.stream("tools/call", params, id="x"))
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], {"progress": 1}, final=False)
    stream = await opening
    await asyncio.sleep(12)
    await mcp.client.answer(mcp.session, request["id"], "there")
    progress, *signs, reply = await stream.until_over()
    assert progress["params"] == {"progressToken": 7, "progress": 1}
    assert [sign["params"]["message"] for sign in signs] == ["Running."] * 2
    assert (reply["id"], reply["result"]["resultType"]) == ("x", "complete")
    assert {event.id for event in stream.events} == {""}
    assert stream.comments == ["waypost"]


async def test_progress_without_a_token_is_not_sent_to_a_modern_client():
    mcp = await connected(is_modern=True)
    stream = await mcp.stream("tools/call", {"name": "t"})
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], {"progress": 1}, final=False)
    await mcp.client.answer(mcp.session, request["id"], "there")
    assert [message["id"] for message in await stream.until_over()] == [1]


async def test_closing_the_stream_cancels_the_call():
    mcp = await connected(is_modern=True)
    stream = await mcp.stream("tools/call", {"name": "t"})
    await taken(mcp)
    await asyncio.sleep(2)
    await stream.stop()
    await asyncio.sleep(0.1)
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    assert [message["event"] for message in polled["messages"]] == ["cancel"]


async def test_a_call_that_has_ended_is_not_cancelled():
    mcp = await connected(is_modern=True)
    stream = await mcp.stream("tools/call", {"name": "t"})
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], 1)
    await stream.until_over()
    await asyncio.sleep(2)
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    assert polled["messages"] == []


async def test_a_stream_whose_budget_is_spent_ends_with_a_time_out():
    client = make_client(Settings(signing_keys=(KEY,), plan=FREE, mcp_host_grace_seconds=60))
    mcp = await connected(is_modern=True, client=client)
    stream = await mcp.stream("tools/call", {"name": "t"})

    stay = asyncio.ensure_future(staying(mcp))
    messages = await stream.until_over()
    stay.cancel()
    assert messages[-1]["error"]["data"] == {"code": "timed_out"}


async def test_a_client_that_accepts_only_json_waits_for_a_minute():
    mcp = await connected(is_modern=True)
    await mcp.client.poll(mcp.session.code, mcp.session.host)
    message = mcp.request("tools/call", {"name": "t"})
    reply = await mcp.send(message, mcp.mirrored(message) | {"Accept": "application/json"})
    assert reply.json()["error"]["code"] == -31002


async def test_a_modern_client_that_accepts_only_streams_gets_one():
    mcp = await connected(is_modern=True)
    message = mcp.request("tools/call", {"name": "t"})
    asking = asyncio.ensure_future(mcp.send(message, mcp.mirrored(message) | {"Accept": "text/event-stream"}))
    await answered(mcp, 1)
    assert b'"structuredContent":1' in (await asking).body


MISMATCHES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("tools/list", {}, {"Mcp-Method": ""}),
    ("tools/list", {}, {"Mcp-Method": "tools/call"}),
    ("tools/list", {}, {"Mcp-Method": "Tools/List"}),
    ("tools/list", {}, {"MCP-Protocol-Version": ""}),
    ("tools/list", {}, {"MCP-Protocol-Version": "2025-11-25"}),
    ("tools/call", {"name": "t"}, {"Mcp-Name": ""}),
    ("tools/call", {"name": "t"}, {"Mcp-Name": "T"}),
    ("tools/call", {"name": "t"}, {"Mcp-Name": "=?base64?dA=?="}),
    ("tools/call", {"name": "t"}, {"Mcp-Name": "=?base64?dB==?="}),
    ("tools/call", {"name": "t"}, {"Mcp-Name": "=?base64?/w==?="}),
    ("tools/call", {"name": "t"}, {"Mcp-Name": "\u00e4"}),
    ("tools/list", {}, {"Mcp-Method": "tools/list, tools/list"}),
    ("resources/read", {"uri": "waypost://pages/a"}, {"Mcp-Name": "waypost://pages/b"}),
    ("tasks/get", {"taskId": "a"}, {"Mcp-Name": "b"}),
    ("tools/call", {}, {"Mcp-Name": "t"}),
]


@pytest.mark.parametrize(("method", "params", "headers"), MISMATCHES, ids=range(len(MISMATCHES)))
async def test_headers_say_what_the_body_says(method: str, params: dict[str, Any], headers: dict[str, str]):
    mcp = await connected(is_modern=True)
    message = mcp.request(method, params)
    reply = await mcp.send(message, mcp.mirrored(message) | headers)
    assert (reply.status, reply.json()["error"]["code"]) == (400, -32020), reply


async def test_a_name_may_be_written_in_base64():
    mcp = await connected(is_modern=True)
    name = f"=?base64?{base64.b64encode(b'waypost://pages/a').decode()}?="
    message = mcp.request("resources/read", {"uri": "waypost://pages/a"})
    reply = await mcp.send(message, mcp.mirrored(message) | {"Mcp-Name": name})
    assert reply.json()["error"] == {
        "code": -32602,
        "message": "Resource not found",
        "data": {"uri": "waypost://pages/a"},
    }


MARKED = {
    "name": "t",
    "inputSchema": {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "count": {"type": "integer", "x-mcp-header": "Count"},
            "fast": {"type": "boolean", "x-mcp-header": "Fast"},
            "plain": {"type": "string"},
            "share": {"type": "number", "x-mcp-header": "Share"},
            "inner": {"type": "object", "properties": {"deep": {"type": "string", "x-mcp-header": "Deep"}}},
            "odd": {"type": "string", "x-mcp-header": "no token"},
            "true": True,
        },
    },
}


@pytest.mark.parametrize(
    ("args", "headers", "fits"),
    [
        ({}, {}, True),
        ({"region": "eu"}, {"Region": "eu"}, True),
        ({"region": "eu"}, {}, False),
        ({"region": "eu"}, {"Region": "us"}, False),
        ({}, {"Region": "eu"}, False),
        ({"region": None}, {}, True),
        ({"region": "\u00e4 "}, {"Region": "=?base64?w6Qg?="}, True),
        ({"region": "\u00e4 "}, {"Region": "=?base64?w6Q=?="}, False),
        ({"region": ["eu"]}, {}, True),
        ({"region": ["eu"]}, {"Region": "eu"}, False),
        ({"count": 42}, {"Count": "42"}, True),
        ({"count": 42}, {"Count": "42.0"}, True),
        ({"count": 42.0}, {"Count": "42"}, True),
        ({"count": 4.5}, {}, True),
        ({"count": 42}, {"Count": "4.2e1"}, False),
        ({"count": 42}, {"Count": "43"}, False),
        ({"fast": True}, {"Fast": "true"}, True),
        ({"fast": False}, {"Fast": "false"}, True),
        ({"fast": True}, {"Fast": "1"}, False),
        ({"inner": {"deep": "x"}}, {"Deep": "x"}, True),
        ({"inner": {"deep": "x"}}, {}, False),
        ({"inner": 3}, {}, True),
        ({"plain": "x", "share": 0.5, "odd": "x"}, {}, True),
    ],
)
async def test_arguments_that_the_tool_wants_in_headers_are_there(args: dict, headers: dict[str, str], fits: bool):
    mcp = await connected(is_modern=True)
    await put_tools(mcp, MARKED)
    message = mcp.request("tools/call", {"name": "t", "arguments": args})
    fields = mcp.mirrored(message) | {f"Mcp-Param-{name}": value for name, value in headers.items()}
    asking = asyncio.ensure_future(mcp.send(message, fields))
    await asyncio.sleep(0.1)
    if fits:
        await answered(mcp, 1)
        assert (await asking).status == 200
    else:
        assert asking.done()
        assert (await asking).json()["error"]["code"] == -32020


@pytest.mark.parametrize(
    ("args", "headers", "fits"),
    [
        ({"region": "eu", "count": 42}, {}, True),
        ({"region": "eu", "count": 42}, {"Region": "eu"}, True),
        ({"region": "eu"}, {"Region": "us"}, False),
        ({}, {"Region": "eu"}, False),
    ],
)
async def test_a_page_may_leave_such_headers_out_and_what_it_sends_must_agree(
    args: dict[str, Any], headers: dict[str, str], fits: bool
):
    page = "https://page.example"
    client = make_client(Settings(signing_keys=(KEY,), allowed_origins=frozenset({page})))
    mcp = await connected(is_modern=True, client=client)
    await put_tools(mcp, MARKED)
    message = mcp.request("tools/call", {"name": "t", "arguments": args})
    fields = mcp.mirrored(message) | {f"Mcp-Param-{name}": value for name, value in headers.items()}
    asking = asyncio.ensure_future(mcp.send(message, fields | {"Origin": page}))
    await asyncio.sleep(0.1)
    if fits:
        await answered(mcp, 1)
    assert (await asking).status == (200 if fits else 400)


async def test_what_the_tools_want_is_read_once_and_again_after_a_while_or_a_change():
    mcp = await connected(is_modern=True)
    await put_tools(mcp, MARKED)

    async def cost() -> int:
        message = mcp.request("tools/call", {"name": "t", "arguments": {}})
        asking = asyncio.ensure_future(mcp.send(message, mcp.mirrored(message)))
        await answered(mcp, 1)
        return int((await asking).headers["Server-Timing"].split('"')[1].split()[0])

    first, second = await cost(), await cost()
    assert (first, second) == (2, 1)
    await put_tools(mcp, MARKED)
    assert await cost() == 2
    await asyncio.sleep(40)
    assert await cost() == 2


async def test_the_tools_of_a_bounded_number_of_tabs_are_known():
    mcp = await connected(is_modern=True)
    mcp_tools = mcp.client.app.isolate.mcp_tools
    for number in range(256):
        mcp_tools.put(f"C{number}", CachedTools("v", {}, {}), mcp.client.app.clock.now_ms())
    await put_tools(mcp, MARKED)
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "t"}))
    await answered(mcp, 1)
    await asking
    assert (len(mcp_tools), "C0" in mcp_tools, mcp.session.code in mcp_tools) == (256, False, True)


async def subscribe(mcp: Mcp, **wanted: Any):
    stream = await mcp.stream("subscriptions/listen", {"notifications": wanted}, id="l")
    await asyncio.sleep(1)
    return stream


async def test_a_subscription_is_acknowledged_with_what_it_will_hear():
    mcp = await connected(is_modern=True)
    stream = await subscribe(mcp, toolsListChanged=True, promptsListChanged=True, resourceSubscriptions=["a"])
    [acknowledged] = stream.messages
    assert acknowledged == {
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": {"_meta": {f"{META}subscriptionId": "l"}, "notifications": {"toolsListChanged": True}},
    }
    await put_tools(mcp, {"name": "new"})
    await asyncio.sleep(1)
    assert stream.messages[1:] == [
        {
            "jsonrpc": "2.0",
            "method": "notifications/tools/list_changed",
            "params": {"_meta": {f"{META}subscriptionId": "l"}},
        }
    ]
    await stream.stop()


async def test_a_subscription_hears_nothing_that_it_did_not_ask_for():
    mcp = await connected(is_modern=True)
    stream = await subscribe(mcp, toolsListChanged=False)
    await put_tools(mcp, {"name": "new"})
    await asyncio.sleep(20)
    assert [message["params"]["notifications"] for message in stream.messages] == [{}]
    assert stream.comments
    await stream.stop()


async def test_a_subscription_ends_with_a_reply_when_the_session_does():
    mcp = await connected(is_modern=True)
    stream = await subscribe(mcp, toolsListChanged=True)
    await mcp.client.call("DELETE", f"/api/sessions/{mcp.session.code}", token=mcp.session.host)
    [_, reply] = await stream.until_over(10)
    assert (reply["id"], reply["result"]["resultType"]) == ("l", "complete")
    assert reply["result"]["_meta"][f"{META}subscriptionId"] == "l"
