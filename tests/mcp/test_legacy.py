"""2025-11-25, 2025-06-18 and 2025-03-26: the handshake, the session, and what is asked in it."""

import asyncio

import pytest

from simulation.client import KEY, Client, make_client
from tests.support.mcp_client import Mcp, answered, connected, put_tools, taken
from waypost_worker.settings import Settings


@pytest.mark.parametrize(
    ("wanted", "agreed"),
    [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ],
)
async def test_the_handshake_agrees_on_a_revision(wanted: str, agreed: str):
    client = make_client()
    mcp = Mcp(client, await client.open_session(), version=wanted)
    result = await mcp.initialize()
    assert result["protocolVersion"] == agreed
    assert result["capabilities"] == {"tools": {"listChanged": True}, "resources": {}}
    assert result["serverInfo"]["name"] == "waypost"
    assert mcp.session.code not in result["instructions"]


async def test_a_ping_is_answered_with_and_without_a_session():
    mcp = await connected()
    assert await mcp.result("ping") == {}
    mcp.session_id = None
    assert await mcp.result("ping", id="text") == {}


async def test_a_request_without_version_has_the_session_s_or_an_old_one():
    mcp = await connected()
    mcp.version = ""
    assert await mcp.result("ping") == {}
    mcp.session_id = None
    assert await mcp.result("ping") == {}


async def test_a_session_of_another_tab_or_of_nobody_is_to_be_begun_again():
    mcp = await connected()
    other = await connected(client=mcp.client)
    for session_id in (other.session_id, "made up", "20251125.AAAA.BBBB", "\u00e4.\u00e4", mcp.session.host):
        mcp.session_id = session_id
        reply = await mcp.send(mcp.request("ping"))
        assert (reply.status, reply.json()["error"]["code"]) == (404, -32600)


async def test_a_session_is_good_in_every_isolate_and_with_the_key_before():
    mcp = await connected()
    kv, old = mcp.client.app._kv, KEY
    elsewhere = make_client(Settings(signing_keys=(b"another key, and as long as that", old)), kv=kv, seed=1)
    assert await Mcp(elsewhere, mcp.session, session_id=mcp.session_id).result("ping") == {}
    stranger = make_client(Settings(signing_keys=(b"another key, and as long as that",)), kv=kv, seed=2)
    assert (await Mcp(stranger, mcp.session, session_id=mcp.session_id).send({})).status == 400
    assert (await Mcp(stranger, mcp.session, session_id=mcp.session_id).ask("ping"))["status"] == 404


async def test_a_session_can_not_be_ended_before_its_tab():
    mcp = await connected()
    reply = await mcp.client.call("DELETE", mcp.url, headers=mcp.headers())
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, POST")
    assert await mcp.result("ping") == {}


async def test_a_call_that_is_answered_soon_is_one_json_object():
    mcp = await connected()
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "echo", "arguments": {"n": 1.0}}))
    result = {"content": [{"type": "text", "text": "1"}], "isError": False, "_meta": {"more": [2**60]}}
    request = await answered(mcp, result)
    assert (request["tool"], request["args"]) == ("echo", {"n": 1.0})
    assert set(request) == {"id", "cursor", "tool", "args", "timestamp"}
    assert await asking == result


async def test_a_tools_call_without_arguments_gives_the_host_an_empty_object():
    mcp = await connected()
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "echo"}))
    assert (await answered(mcp))["args"] == {}
    await asking


async def test_an_answer_whose_body_is_large_arrives_whole():
    mcp = await connected()
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "echo", "arguments": {"long": "x" * 5000}}))
    request = await answered(mcp, "y" * 5000)
    assert request["args"]["long"] == "x" * 5000
    assert (await asking)["content"][0]["text"] == "y" * 5000


async def test_the_same_id_used_twice_is_two_calls():
    mcp = await connected()
    for number in (1, 2):
        asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "echo"}, id=5))
        await answered(mcp, number)
        assert (await asking)["structuredContent"] == {"result": number}


async def test_a_client_that_accepts_only_json_waits_a_minute_and_gets_a_time_out():
    mcp = await connected()
    await mcp.client.poll(mcp.session.code, mcp.session.host)
    reply = await mcp.send(mcp.request("tools/call", {"name": "slow"}), {"Accept": "application/json"})
    error = reply.json()["error"]
    assert (reply.status, error["code"], error["data"]) == (200, -31002, {"code": "timed_out"})
    assert asyncio.get_running_loop().time() == pytest.approx(60, abs=1)
    # It was cancelled: the host will not run it.
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    assert [message["event"] for message in polled["messages"]] == ["cancel"]


async def test_progress_does_not_end_a_wait_for_json():
    mcp = await connected()
    params = {"name": "slow", "_meta": {"progressToken": 1}}
    asking = asyncio.ensure_future(mcp.send(mcp.request("tools/call", params), {"Accept": "application/json"}))
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], "half", final=False)
    await asyncio.sleep(3)
    await mcp.client.answer(mcp.session, request["id"], "whole")
    assert (await asking).json()["result"]["content"][0]["text"] == "whole"


async def test_a_call_without_a_session_is_a_call_like_any_other():
    client = make_client()
    mcp = Mcp(client, await client.open_session())
    asking = asyncio.ensure_future(mcp.result("tools/call", {"name": "echo"}))
    await answered(mcp, {"n": 1})
    assert await asking == {
        "content": [{"type": "text", "text": '{"n":1}'}],
        "structuredContent": {"n": 1},
    }


async def test_a_call_costs_no_more_than_one_over_the_api():
    mcp = await connected()
    await put_tools(mcp, {"name": "echo"})

    async def operations(asking: asyncio.Future) -> str:
        await answered(mcp, 1)
        return (await asking).headers["Server-Timing"].split('"')[1]

    plain = asyncio.ensure_future(mcp.client.ask(mcp.session.code, wait=5))
    cost = await operations(plain)
    assert await operations(asyncio.ensure_future(mcp.send(mcp.request("tools/call", {"name": "echo"})))) == cost


async def test_templates_and_prompts_there_are_none():
    mcp = await connected()
    assert await mcp.result("resources/templates/list") == {"resourceTemplates": []}
    assert (await mcp.error("prompts/list"))["code"] == -32601


async def test_the_budget_of_requests_is_the_session_s():
    class None_:
        async def allows(self, key: str) -> bool:
            seen.append(key)
            return False

    seen: list[str] = []

    from waypost_worker.security.rate_limits import Limit

    client: Client = make_client(limiters={Limit.REQUEST: None_()})
    mcp = Mcp(client, await client.open_session())
    reply = await mcp.send(mcp.request("ping"))
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")
    error = reply.json()["error"]
    assert (error["code"], error["data"], reply.json()["id"]) == (-31004, {"code": "rate_limited"}, 1)
    assert seen == [f"guest:{mcp.session.code}"]
