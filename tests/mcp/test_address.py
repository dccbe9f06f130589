"""MCP clients at an address that stays: one configuration, one session of the tab after the other."""

import asyncio

import pytest

from simulation.client import KEY, Client, Opened, make_client
from tests.support.addresses import ADDRESS, OTHER_SECRET, SECRET, open_with, take, withdraw
from tests.support.limiters import Budget
from tests.support.mcp_client import Mcp, answered, put_tools
from tests.support.namespace import Isolates
from waypost_worker.security.rate_limits import Limit
from waypost_worker.sessions.mcp_address import address_of
from waypost_worker.settings import Settings

HOST = {"Host": "waypost.example"}
generations = pytest.mark.parametrize("is_modern", [False, True])


async def at_address(client: Client, session: Opened, *, is_modern: bool = False) -> Mcp:
    """A client configured with the address; a legacy one past its handshake."""
    mcp = Mcp(client, session, is_modern, path=f"/mcp/{ADDRESS}")
    if not is_modern:
        await mcp.initialize()
    return mcp


async def names(mcp: Mcp) -> list[str]:
    return [tool["name"] for tool in (await mcp.result("tools/list"))["tools"]]


@generations
async def test_a_client_configured_once_uses_each_new_session_of_its_tab(is_modern: bool):
    client = make_client()
    mcp = await at_address(client, await open_with(client), is_modern=is_modern)
    first_session_id = mcp.session_id
    for number in range(3):
        mcp.session = await open_with(client)
        await put_tools(mcp, {"name": f"tool{number}"})
        assert await names(mcp) == [f"tool{number}"]
        call = asyncio.ensure_future(mcp.result("tools/call", {"name": f"tool{number}"}))
        await answered(mcp, {"n": number})
        assert (await call)["structuredContent"] == {"n": number}
        await client.call("DELETE", f"/api/sessions/{mcp.session.code}", token=mcp.session.host)
    # The handshake of the first session holds: most clients can't begin another one.
    assert mcp.session_id == first_session_id


async def test_a_session_s_mcp_session_is_of_its_address_alone():
    client = make_client()
    session = await open_with(client)
    mcp = await at_address(client, session)
    by_code = Mcp(client, session)
    await by_code.initialize()
    assert (await mcp.ask("ping"))["status"] == 200
    mcp.session_id, by_code.session_id = by_code.session_id, mcp.session_id
    for one in (mcp, by_code):
        assert (await one.ask("ping"))["status"] == 404
    await open_with(client, OTHER_SECRET)
    other = Mcp(client, session, path=f"/mcp/{address_of(OTHER_SECRET)}", session_id=by_code.session_id)
    assert (await other.ask("ping"))["status"] == 404


async def test_a_call_by_address_costs_one_operation_more_at_most_and_none_where_it_is_cached():
    at = Isolates()
    session = await open_with(at.client)
    costs = {}
    for path in ("", f"/mcp/{ADDRESS}"):
        mcp = Mcp(at.isolate(1), session, path=path)
        at.operations()
        await mcp.result("ping")
        costs[path] = at.operations()
        await mcp.result("ping")
        assert at.operations() == []
    assert costs[f"/mcp/{ADDRESS}"] == ["get_many", *costs[""]]


@generations
async def test_a_client_that_starts_before_its_tab_connects_and_hears_what_to_open(is_modern: bool):
    client = make_client()
    session = await open_with(client, data={"url": "https://app.example/room"})
    mcp = await at_address(client, session, is_modern=is_modern)
    await put_tools(mcp, {"name": "greet"})
    await client.poll(session.code, session.host)
    await client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)
    mcp = await at_address(client, session, is_modern=is_modern)
    listed = await mcp.result("tools/list")
    assert [tool["name"] for tool in listed["tools"]] == ["greet"]
    assert listed["_meta"]["waypost/host"] == {
        "online": False,
        "seenAt": None,
        "open": "https://app.example/room",
    }
    began = asyncio.get_running_loop().time()
    error = await mcp.error("tools/call", {"name": "greet"})
    assert (error["code"], error["data"]["code"]) == (-31001, "tab_away")
    assert error["message"] == (
        "The tab is away since 2026-01-01T00:00:00.000Z. Open https://app.example/room and connect it again, then call "
        "the tool again."
    )
    assert asyncio.get_running_loop().time() == began
    assert (await mcp.result("resources/list"))["resources"] == []
    assert (await mcp.error("resources/read", {"uri": "waypost://pages/p"}))["data"]["code"] == "tab_away"


async def test_long_after_the_last_session_a_client_still_connects_and_hears_what_to_open():
    client = make_client()
    session = await open_with(client, data={"url": "https://app.example/room"})
    await asyncio.sleep(29 * 24 * 3600)
    mcp = Mcp(client, session, path=f"/mcp/{ADDRESS}")
    began = await mcp.initialize()
    assert (
        "If there are no tools, the tab is closed: ask the user to open https://app.example/room"
        in (began["instructions"])
    )
    assert ADDRESS not in began["instructions"]
    assert await names(mcp) == []
    error = await mcp.error("tools/call", {"name": "greet"})
    assert error["message"].startswith("The tab is closed. Open https://app.example/room and connect it again")
    await asyncio.sleep(24 * 3600)
    reply = await mcp.send(mcp.request("ping"))
    assert (reply.status, reply.json()["error"]["data"]) == (410, {"code": "address_not_found"})


async def test_nothing_of_a_session_that_is_over_is_queued_and_polling_it_stays_cheap():
    at = Isolates()
    session = await open_with(at.client)
    mcp = await at_address(at.client, session)
    await asyncio.sleep(700)
    at.operations()
    await mcp.error("tools/call", {"name": "t"})
    # The address, then whether the session is over, then since when its host is away.
    assert at.operations() == ["get_many", "get_many", "list", "list"]
    await mcp.result("ping")
    assert at.operations() == []
    assert await at.keys(f"req:{session.code}") == []


async def test_a_new_session_elsewhere_is_used_after_half_a_minute():
    at = Isolates()
    elsewhere = at.isolate(1)
    mcp = await at_address(elsewhere, await open_with(at.client))
    await put_tools(Mcp(at.client, await open_with(at.client)), {"name": "new"})
    await asyncio.sleep(29.9)
    assert await names(mcp) == []
    await asyncio.sleep(0.1)
    assert await names(mcp) == ["new"]


async def test_and_immediately_where_the_old_one_is_seen_to_be_over():
    at = Isolates()
    elsewhere = at.isolate(1)
    old = await open_with(at.client)
    mcp = await at_address(elsewhere, old)
    await asyncio.sleep(1)
    await put_tools(Mcp(at.client, await open_with(at.client)), {"name": "new"})
    await elsewhere.call("DELETE", f"/api/sessions/{old.code}", token=old.host)
    assert await names(mcp) == ["new"]


async def test_the_record_of_the_address_vouches_for_a_session_that_is_not_visible_here_yet():
    at = Isolates()
    session = await open_with(at.client)
    await at.store.delete(f"session:{session.code}")
    mcp = await at_address(at.isolate(1), session)
    # It would say that the tab is away.
    assert "_meta" not in await mcp.result("tools/list")


async def test_an_unknown_address_and_a_withdrawn_one_are_410_without_a_challenge():
    client = make_client()
    mcp = Mcp(client, await open_with(client), path=f"/mcp/{address_of(OTHER_SECRET)}")
    replies = [await mcp.send(mcp.request("initialize"))]
    mcp.path = f"/mcp/{ADDRESS}"
    await withdraw(client)
    replies.append(await mcp.send(mcp.request("initialize")))
    assert [(reply.status, reply.json()["error"]["data"]["code"]) for reply in replies] == [
        (410, "address_not_found"),
        (410, "address_withdrawn"),
    ]
    assert all("WWW-Authenticate" not in reply.headers for reply in replies)
    assert all("Open the page" in reply.json()["error"]["message"] for reply in replies)


async def test_unknown_addresses_lock_nobody_out():
    budget = Budget(10)
    client = make_client(limiters={Limit.MISS: budget})
    session = await open_with(client)
    for number in range(30):
        mcp = Mcp(client, session, path=f"/mcp/{address_of(f'{number:043}')}")
        assert (await mcp.ask("ping"))["status"] == 410
    assert (await Mcp(client, session).ask("ping"))["status"] == 200
    for _ in range(30):
        await client.call("GET", "/api/sessions/00000000")
        await client.call("GET", "/api/sessions/00000001")
    # Nor is an address refused where codes are.
    assert (await Mcp(client, session, path=f"/mcp/{ADDRESS}").ask("ping"))["status"] == 200


async def test_where_a_code_is_not_enough_the_address_is():
    client = make_client(Settings(signing_keys=(KEY,), require_token=True))
    mcp = await at_address(client, await open_with(client))
    assert (await mcp.ask("ping"))["status"] == 200


async def test_a_token_beside_the_address_must_be_of_the_same_session():
    client = make_client()
    session, other = await open_with(client), await client.open_session()
    mcp = Mcp(client, session, path=f"/mcp/{ADDRESS}")
    expected = [
        (await client.join(session.code), 200, None),
        (await client.join(other.code), 403, "wrong_session"),
        (session.host, 403, "wrong_role"),
        ("nonsense", 401, "invalid_token"),
    ]
    for token, status, code in expected:
        mcp.token = token
        found = await mcp.ask("ping")
        assert (found["status"], found.get("error", {}).get("data", {}).get("code")) == (status, code)


async def test_the_older_of_two_tabs_gets_its_calls_again_when_it_claims_the_address():
    client = make_client()
    older = await open_with(client)
    mcp = await at_address(client, older)
    await put_tools(mcp, {"name": "older"})
    await asyncio.sleep(5)
    newer = await open_with(client)
    assert await names(mcp) == []
    await client.call("DELETE", f"/api/sessions/{newer.code}", token=newer.host)
    assert (await take(client, older, SECRET, claim=True)).status == 200
    assert await names(mcp) == ["older"]
