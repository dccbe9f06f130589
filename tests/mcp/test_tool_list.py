"""The tools as they are listed: the host's own, in its order, page by page, for one operation."""

import asyncio
from typing import Any

import msgspec

from simulation.client import make_client
from tests.support.mcp_client import Mcp, answered, connected, put_tools, store_tools

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


GOOD = {"name": "good", "inputSchema": {"type": "object"}}
LEFT_OUT = "waypost/leftOut"


def named(problems: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(problem["tool"], problem["index"], problem["pointer"]) for problem in problems]


async def test_stored_tools_that_clients_cannot_read_are_normalised_or_left_out_and_said_to_be():
    mcp = await connected()
    plain = {"name": "plain", "title": None, "inputSchema": {"type": None}}
    bad = {"name": "bad", "inputSchema": {"type": "object", "properties": []}}
    await store_tools(mcp, GOOD, plain, bad)
    await seen(mcp)
    result = await mcp.result("tools/list")
    assert result["tools"] == [GOOD, {"name": "plain", "inputSchema": {"type": "object"}}]
    assert named(result["_meta"][LEFT_OUT]) == [("bad", 2, "/inputSchema/properties")]


async def test_what_is_left_out_of_a_later_page_has_its_place_in_the_whole_list():
    mcp = await connected()
    await store_tools(mcp, *({"name": f"t{number}"} for number in range(70)), {"name": "bad", "title": 5})
    cursor = (await mcp.result("tools/list"))["nextCursor"]
    second = await mcp.result("tools/list", {"cursor": cursor})
    assert len(second["tools"]) == 6
    assert named(second["_meta"][LEFT_OUT]) == [("bad", 70, "/title")]


async def test_an_output_that_is_not_always_an_object_is_left_out_for_clients_before_2026_07_28():
    schemas: list[dict[str, Any]] = [{"type": "array"}, {"anyOf": [{}]}, {"type": ["object", "null"]}]
    tools = [{**GOOD, "name": f"t{number}", "outputSchema": schema} for number, schema in enumerate(schemas)]
    kept = {**GOOD, "outputSchema": {"type": "object"}}
    for is_modern in (False, True):
        mcp = await connected(is_modern=is_modern)
        await put_tools(mcp, *tools, kept)
        await seen(mcp)
        result = await mcp.result("tools/list")
        if is_modern:
            assert result["tools"] == [*tools, kept]
        else:
            assert result["tools"] == [*({**GOOD, "name": tool["name"]} for tool in tools), kept]
            assert named(result["_meta"][LEFT_OUT]) == [(f"t{number}", number, "/outputSchema") for number in range(3)]


async def test_names_that_models_refuse_are_mapped_and_the_title_says_the_tools_own():
    mcp = await connected()
    titled = {**GOOD, "name": "b.c", "title": "T"}
    annotated = {**GOOD, "name": "d.e", "annotations": {"title": "A"}}
    await put_tools(mcp, GOOD, {**GOOD, "name": "cart.add"}, titled, annotated)
    await seen(mcp)
    assert (await mcp.result("tools/list"))["tools"] == [
        GOOD,
        {**GOOD, "name": "cart_add", "title": "cart.add"},
        {**titled, "name": "b_c"},
        {**annotated, "name": "d_e"},
    ]
    listed = await mcp.client.call("GET", f"/api/sessions/{mcp.session.code}")
    assert [tool["name"] for tool in listed.json()["tools"]] == ["good", "cart.add", "b.c", "d.e"]


async def test_a_tool_is_called_by_its_mapped_name_and_by_its_own():
    for is_modern in (False, True):
        mcp = await connected(is_modern=is_modern)
        await put_tools(mcp, GOOD, {**GOOD, "name": "cart.add"})
        for name, own in (("cart_add", "cart.add"), ("cart.add", "cart.add"), ("good", "good"), ("unknown", "unknown")):
            asking = asyncio.ensure_future(mcp.result("tools/call", {"name": name}))
            request = await answered(mcp, own)
            assert request["tool"] == own
            assert (await asking)["content"][0]["text"] == own


async def test_a_session_that_maps_no_names_lists_them_as_they_are():
    mcp = await connected()
    opened = (await mcp.client.call("POST", "/api/sessions", {"mapToolNames": False})).json()
    mcp = Mcp(mcp.client, type(mcp.session)(opened["code"], opened["hostToken"]))
    await mcp.initialize()
    await put_tools(mcp, {**GOOD, "name": "cart.add"})
    await seen(mcp)
    assert await mcp.result("tools/list") == {"tools": [{**GOOD, "name": "cart.add"}]}
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "cart_add"}))
    assert (await answered(mcp, 1))["tool"] == "cart_add"
    await asking


async def test_a_list_of_another_version_keeps_its_names_until_it_is_stored_again():
    mcp = await connected()
    await store_tools(mcp, {"name": "good"})
    await store_tools(mcp, {"name": "good"}, {"name": "cart_add"}, {"name": "x"})
    session = mcp.client.app.isolate.sessions.get(mcp.session.code, mcp.client.app.clock.now_ms())
    assert session is not None
    assert not session.has_mapped_names


async def test_a_call_by_a_mapped_name_costs_a_lookup_once_and_others_none():
    mcp = await connected()

    async def cost(name: str) -> int:
        asking = asyncio.ensure_future(mcp.send(mcp.request("tools/call", {"name": name})))
        await answered(mcp, 1)
        return int((await asking).headers["Server-Timing"].split('"')[1].split()[0])

    await put_tools(mcp, GOOD)
    assert await cost("good") == 1
    await put_tools(mcp, GOOD, {**GOOD, "name": "cart.add"})
    assert [await cost("cart_add"), await cost("cart_add"), await cost("good")] == [2, 1, 1]


async def test_a_mapped_name_in_a_record_older_than_the_tools_is_passed_on_as_it_is():
    mcp = await connected()
    await put_tools(mcp, {**GOOD, "name": "cart.add"})
    cache, now = mcp.client.app.isolate.sessions, mcp.client.app.clock.now_ms()
    session = cache.get(mcp.session.code, now)
    assert session is not None
    cache.put(mcp.session.code, msgspec.structs.replace(session, tools_version=None), now)
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "cart_add"}))
    assert (await answered(mcp, 1))["tool"] == "cart_add"
    await asking
