"""The tab that is not there: since when, what to open, and what its tools were."""

import asyncio

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.mcp_client import Mcp, answered, connected, put_tools, taken
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings

HOST = {"Host": "waypost.example"}


async def failed(mcp: Mcp, **headers: str) -> dict:
    message = mcp.request("tools/call", {"name": "t"})
    sent = mcp.mirrored(message) | {"Accept": "application/json"} | headers
    reply = await mcp.send(message, sent)
    return reply.json()["error"] | {"status": reply.status}


@pytest.mark.parametrize("is_modern", [False, True])
async def test_a_call_to_a_tab_that_was_never_there_waits_a_while_and_says_what_to_open(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    error = await failed(mcp, **HOST)
    assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.2)
    assert (error["code"], error["status"]) == (-31001, 200)
    assert error["data"] == {"code": "tab_away", "seenAt": None, "open": "https://waypost.example/"}
    assert error["message"] == (
        "The tab has not been there yet. Open https://waypost.example/ and connect it again, then call the tool again."
    )


async def test_it_is_said_since_when_the_tab_is_away_also_long_after_it_left():
    mcp = await connected()
    await mcp.client.poll(mcp.session.code, mcp.session.host)
    await asyncio.sleep(400)
    error = await failed(mcp)
    assert error["data"]["seenAt"] == "2026-01-01T00:00:00.000Z"
    assert "is away since 2026-01-01T00:00:00.000Z. Open it again." in error["message"]


@pytest.mark.parametrize(
    ("data", "host", "link"),
    [
        ({"url": "https://app.example/room"}, "waypost.example", "https://app.example/room"),
        ({"url": "javascript:alert(1)"}, "waypost.example", "https://waypost.example/"),
        ({"url": 3}, "localhost:8787", "http://localhost:8787/"),
        (["url"], "127.0.0.1:8787", "http://127.0.0.1:8787/"),
        (None, "[::1]:8787", "http://[::1]:8787/"),
        (None, "localhost", "http://localhost/"),
        (None, "", None),
    ],
)
async def test_what_to_open_is_what_the_host_said_or_this_deployment(data: object, host: str, link: str | None):
    client = make_client(Settings(signing_keys=(KEY,), mcp_host_grace_seconds=0))
    mcp = Mcp(client, await client.open_session(data=data))
    await mcp.initialize()
    assert (await failed(mcp, Host=host))["data"]["open"] == link


async def test_a_call_that_failed_so_is_cancelled():
    mcp = await connected()
    await failed(mcp)
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    assert [message["event"] for message in polled["messages"]] == ["cancel"]


async def test_a_call_that_can_not_be_cancelled_fails_and_is_logged():
    failing: set[str] = set()
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda operation, _key: operation in failing)
    mcp = await connected(client=make_client(kv=kv))
    asking = asyncio.ensure_future(failed(mcp))
    await asyncio.sleep(1)
    failing.add("delete")
    assert (await asking)["code"] == -31001
    assert "a call was not cancelled: storage_unavailable" in mcp.client.log[-1]


async def test_a_tab_that_comes_in_time_answers():
    mcp = await connected()
    asking = asyncio.ensure_future(mcp.stream("tools/call", {"name": "t"}))
    await asyncio.sleep(9)
    await answered(mcp, "here")
    [reply] = await (await asking).until_over()
    assert reply["result"]["content"][0]["text"] == "here"


async def test_a_tab_that_leaves_in_the_middle_of_a_call_is_noticed():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "t", "_meta": {"progressToken": 1}})
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], "half", final=False)
    [*_, reply] = await stream.until_over(300)
    assert reply["error"]["data"]["code"] == "tab_away"
    assert 120 <= asyncio.get_running_loop().time() <= 170


async def test_a_tab_that_was_closed_is_away_since_it_said_goodbye():
    mcp = await connected()
    code, token = mcp.session.code, mcp.session.host
    await put_tools(mcp, {"name": "t"})
    await mcp.client.poll(code, token)
    await asyncio.sleep(5)
    assert (await mcp.client.call("POST", f"/api/sessions/{code}/leave", token=token)).status == 204
    listed = await mcp.result("tools/list")
    assert listed["_meta"]["waypost/host"]["seenAt"] == "2026-01-01T00:00:05.000Z"
    began = asyncio.get_running_loop().time()
    error = await failed(mcp)
    assert asyncio.get_running_loop().time() - began == pytest.approx(10, abs=0.2)
    assert "is away since 2026-01-01T00:00:05.000Z" in error["message"]


async def test_a_tab_that_is_closed_in_the_middle_of_a_call_is_noticed_at_the_next_check():
    mcp = await connected()
    stream = await mcp.stream("tools/call", {"name": "t", "_meta": {"progressToken": 1}})
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], "half", final=False)
    await mcp.client.call("POST", f"/api/sessions/{mcp.session.code}/leave", token=mcp.session.host)
    [*_, reply] = await stream.until_over(300)
    assert reply["error"]["data"]["code"] == "tab_away"
    assert asyncio.get_running_loop().time() <= 45


async def test_an_answer_that_came_since_the_last_look_is_the_answer():
    # From another isolate, and from a host without a sign of presence.
    kv = MemoryKv(VirtualClock())
    mcp = await connected(client=make_client(kv=kv))
    there = make_client(kv=kv, seed=5)
    message = mcp.request("tools/call", {"name": "t"})
    asking = asyncio.ensure_future(mcp.send(message, {"Accept": "application/json"}))
    await asyncio.sleep(9.999)
    [key] = [key.name for key in (await kv.list("req:")).keys]
    await there.answer(mcp.session, key.rpartition(":")[2], "just so")
    assert (await asking).json()["result"]["content"][0]["text"] == "just so"


async def test_tools_of_a_tab_that_is_away_are_the_last_that_were_known_and_marked():
    for is_modern in (False, True):
        mcp = await connected(is_modern=is_modern)
        await mcp.client.poll(mcp.session.code, mcp.session.host)
        await put_tools(mcp, {"name": "t"})
        here = await mcp.result("tools/list")
        assert "waypost/host" not in here.get("_meta", {})
        await asyncio.sleep(300)
        away = await mcp.result("tools/list")
        assert away["tools"] == here["tools"] == [{"name": "t", "inputSchema": {"type": "object"}}]
        seen = f"2026-01-01T00:0{0 if not is_modern else 5}:00.000Z"
        assert away["_meta"]["waypost/host"] == {"online": False, "seenAt": seen, "open": None}


async def test_a_host_that_was_never_there_is_marked_too():
    mcp = await connected()
    await put_tools(mcp, {"name": "t"})
    marked = (await mcp.result("tools/list"))["_meta"]["waypost/host"]
    assert marked == {"online": False, "seenAt": None, "open": None}


async def test_a_store_that_does_not_answer_is_no_absence():
    failing = set()
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda operation, _key: operation in failing)
    mcp = await connected(client=make_client(kv=kv))
    asking = asyncio.ensure_future(mcp.stream("tools/call", {"name": "t"}))
    stream = await asking
    failing.add("list")
    await asyncio.sleep(20)
    failing.clear()
    await answered(mcp, "here")
    [reply] = await stream.until_over()
    assert reply["result"]["content"][0]["text"] == "here"
    assert any("a tab's presence could not be read: storage_unavailable" in line for line in mcp.client.log)
