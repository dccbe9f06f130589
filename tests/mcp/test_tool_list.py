"""The tools as they are listed: the host's own, in its order, page by page, for one operation."""

from typing import Any

import msgspec

from simulation.client import make_client
from tests.support.mcp_client import Mcp, connected, put_tools

SCHEMA = {"type": "object", "properties": {"z": {"type": "number", "minimum": 1.0}, "a": {}}, "$defs": {"x": True}}


async def seen(mcp: Mcp) -> None:
    await mcp.client.poll(mcp.session.code, mcp.session.host)


async def names(mcp: Mcp) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        result = await mcp.result("tools/list", {} if cursor is None else {"cursor": cursor})
        pages.append([tool["name"] for tool in result["tools"]])
        cursor = result.get("nextCursor")
        if cursor is None:
            return pages


async def test_tools_are_listed_unchanged_in_the_host_s_order():
    mcp = await connected()
    tools: list[dict[str, Any]] = [
        {"name": "z", "description": "\u2028", "inputSchema": SCHEMA, "annotations": {"readOnlyHint": True}},
        {"name": "a", "inputSchema": {"type": "object"}, "mine": [1.0, 2**70, None]},
    ]
    await put_tools(mcp, *tools)
    await seen(mcp)
    reply = await mcp.send(mcp.request("tools/list"))
    assert reply.json()["result"] == {"tools": tools}
    assert b'"minimum":1.0' in reply.body
    assert b"1180591620717411303424" in reply.body


async def test_a_tool_without_a_schema_takes_any_object():
    mcp = await connected()
    await put_tools(mcp, {"name": "t", "description": 'it has no "inputSchema"'})
    [tool] = (await mcp.result("tools/list"))["tools"]
    assert tool["inputSchema"] == {"type": "object"}


async def test_a_tab_without_tools_has_an_empty_list():
    mcp = await connected()
    assert await mcp.result("tools/list") == {"tools": []}
    await put_tools(mcp)
    await seen(mcp)
    assert await mcp.result("tools/list") == {"tools": []}


async def test_a_list_costs_one_operation_with_the_presence_of_the_tab():
    for is_modern in (False, True):
        mcp = await connected(is_modern=is_modern)
        message = mcp.request("tools/list")
        for _ in range(2):
            reply = await mcp.send(message, mcp.mirrored(message))
            assert reply.headers["Server-Timing"].startswith('kv;desc="1 operations"')
            await put_tools(mcp, {"name": "t"})


async def test_a_record_that_is_older_than_the_tools_does_not_hide_them():
    mcp = await connected()
    await put_tools(mcp, {"name": "t"})
    elsewhere = Mcp(make_client(kv=mcp.client.app._kv, seed=4), mcp.session)
    cache = elsewhere.client.app.isolate.sessions
    await elsewhere.result("tools/list")
    now = mcp.client.app.clock.now_ms()
    session = cache.get(mcp.session.code, now)
    assert session is not None
    cache.put(mcp.session.code, msgspec.structs.replace(session, tools_version=None), now)
    assert [tool["name"] for tool in (await elsewhere.result("tools/list"))["tools"]] == ["t"]


async def test_more_tools_than_a_page_holds_come_in_pages():
    mcp = await connected()
    all_names = [f"t{number}" for number in range(128)]
    await put_tools(mcp, *({"name": name} for name in all_names))
    assert await names(mcp) == [all_names[:64], all_names[64:]]
    await put_tools(mcp, *({"name": name} for name in all_names[:64]))
    assert await names(mcp) == [all_names[:64]]


async def test_a_cursor_stays_good_while_its_tool_is_there():
    mcp = await connected()
    tools = [{"name": f"t{number}"} for number in range(100)]
    await put_tools(mcp, *tools)
    cursor = (await mcp.result("tools/list"))["nextCursor"]
    await put_tools(mcp, {"name": "first"}, *tools[10:])
    assert (await mcp.result("tools/list", {"cursor": cursor}))["tools"][0]["name"] == "t64"
    await put_tools(mcp, *tools[:63])
    assert (await mcp.error("tools/list", {"cursor": cursor}))["code"] == -32602
