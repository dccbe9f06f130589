"""2025-11-25, 2025-06-18 and 2025-03-26: the handshake, the session, and what is asked in it."""

import asyncio
import json
from typing import Any

import pytest

from simulation.client import KEY, Client, make_client
from tests.support.mcp_client import Mcp, answered, connected, put_tools, taken
from waypost_worker.http.messages import Response
from waypost_worker.mcp.tool_call import LATE_NOTICE_SECONDS
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


async def cancelled(mcp: Mcp, **params: object) -> list[str]:
    assert (await mcp.notify("notifications/cancelled", params)).status == 202
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    return [message["event"] for message in polled["messages"]]


async def test_a_notice_of_cancelling_reaches_the_host_and_ends_the_call():
    mcp = await connected()
    asking = asyncio.ensure_future(mcp.error("tools/call", {"name": "slow"}, id="mine"))
    await taken(mcp)
    assert await cancelled(mcp, requestId="mine", reason="why not") == ["cancel"]
    assert (await asking)["data"] == {"code": "cancelled"}


async def test_only_the_client_that_sent_a_call_can_cancel_it():
    mcp = await connected()
    stranger = Mcp(mcp.client, mcp.session)
    await stranger.initialize()
    without = Mcp(mcp.client, mcp.session)
    stream = await mcp.stream("tools/call", {"name": "slow"}, id=1)
    await taken(mcp)
    for client, id in ((stranger, 1), (without, 1), (mcp, 2), (mcp, "1"), (mcp, None)):
        assert await cancelled(client, requestId=id) == ["request"]
    assert await cancelled(mcp, requestId=1) == ["cancel"]
    assert (await stream.until_over())[-1]["error"]["data"] == {"code": "cancelled"}


ALIKE = {"User-Agent": "hosted/1.0"}
"""What a client without a session is known by, besides its address and its credential."""


async def called(mcp: Mcp, id: int | str = 1, ip: str = "192.0.2.1", **headers: str) -> asyncio.Task[Response]:
    """A call without a session that the tab has been sent."""
    body = json.dumps(mcp.request("tools/call", {"name": "slow"}, id)).encode()
    fields = {"Content-Type": "application/json"} | mcp.headers(ALIKE | headers)
    calling = asyncio.ensure_future(mcp.client.open("POST", mcp.url, body=body, headers=fields, token=mcp.token, ip=ip))
    await asyncio.sleep(0.1)
    return calling


async def takes_back(mcp: Mcp, id: int | str = 1, ip: str = "192.0.2.1", **headers: str) -> bool:
    """Whether the notice of a client without a session cancels the call that is open in the tab."""
    notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}
    options = {"headers": mcp.headers(ALIKE | headers), "token": mcp.token, "ip": ip}
    assert (await mcp.client.call("POST", mcp.url, notice, **options)).status == 202
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    return "cancel" in [message["event"] for message in polled["messages"]]


async def sessionless(**settings: Any) -> Mcp:
    client = make_client(Settings(signing_keys=(KEY,), **settings))
    return Mcp(client, await client.open_session())


@pytest.mark.parametrize("id", [0, 1, "1", "a-uuid"])
@pytest.mark.parametrize("ip", ["192.0.2.1", "192.0.2.99"])
async def test_a_client_without_a_session_can_cancel_its_call_from_another_address_of_its_network(
    id: int | str, ip: str
):
    mcp = await sessionless()
    calling = await called(mcp, id)
    assert await takes_back(mcp, id, ip)
    reply = await calling
    assert isinstance(reply.body, bytes)
    assert b'"code":"cancelled"' in reply.body


async def test_a_client_without_a_session_cancels_the_call_of_no_other_client():
    mcp = await sessionless(allowed_origins=frozenset({"https://app.example"}))
    guest = await mcp.client.join(mcp.session.code)
    calling = await called(mcp)
    assert not await takes_back(mcp, 2)
    assert not await takes_back(mcp, "1")
    assert not await takes_back(mcp, ip="198.51.100.1")
    assert not await takes_back(mcp, ip="2001:db8::1")
    assert not await takes_back(mcp, **{"User-Agent": "another/1.0"})
    assert not await takes_back(mcp, Origin="https://app.example")
    mcp.token = guest
    assert not await takes_back(mcp)
    mcp.token = None
    with_session = Mcp(mcp.client, mcp.session)
    await with_session.initialize()
    assert not await takes_back(with_session)
    assert await takes_back(mcp)
    await calling


async def test_a_client_in_a_session_and_one_without_never_cancel_each_other_s_calls():
    mcp = await sessionless()
    with_session = Mcp(mcp.client, mcp.session)
    await with_session.initialize()
    calling = await called(with_session)
    assert not await takes_back(mcp)
    assert await takes_back(with_session)
    await calling


async def test_of_two_clients_that_can_not_be_told_apart_neither_cancels_a_call():
    mcp = await sessionless()
    first, second = await called(mcp), await called(mcp)
    assert not await takes_back(mcp)
    assert "several clients" in mcp.client.log[-1]
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], "done")
    # One is left. The notice may be of the client that has its answer by now, and did not when it gave up.
    assert not await takes_back(mcp)
    await asyncio.sleep(LATE_NOTICE_SECONDS)
    assert await takes_back(mcp)
    for calling in (first, second):
        await calling


async def test_an_id_that_was_cancelled_or_answered_before_can_be_cancelled_again():
    mcp = await sessionless()
    for _ in range(3):
        calling = await called(mcp)
        assert await takes_back(mcp)
        await calling
        await asyncio.sleep(LATE_NOTICE_SECONDS)


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
