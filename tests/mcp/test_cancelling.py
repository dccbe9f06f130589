"""A legacy client cancels its call by its JSON-RPC id, in a session or without one, and never another client's."""

import asyncio
import json
from typing import Any

import pytest

from simulation.client import KEY, make_client
from tests.support.mcp_client import Mcp, connected, taken
from waypost_worker.http.messages import Response
from waypost_worker.mcp.cancelling import LATE_NOTICE_SECONDS
from waypost_worker.settings import Settings


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
