"""The routes by which a browser takes, keeps and withdraws its MCP address."""

import asyncio
from typing import Any

import pytest

from simulation.client import KEY, Reply, make_client
from tests.support.addresses import ADDRESS, OTHER_SECRET, SECRET, open_with, take, withdraw
from tests.support.namespace import Isolates
from waypost_worker.settings import Settings


def problem(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json()["code"]


async def test_a_session_that_is_opened_with_a_secret_has_its_address():
    client = make_client()
    opened = (await client.call("POST", "/api/sessions", {"addressSecret": SECRET})).json()
    assert opened["address"] == ADDRESS
    assert "address" not in (await client.call("POST", "/api/sessions")).json()
    # Guests see the code, and never the address.
    assert "address" not in (await client.call("GET", f"/api/sessions/{opened['code']}")).json()


async def test_opening_with_an_address_takes_one_list_and_one_write_more():
    at = Isolates()
    await open_with(at.client)
    assert at.operations() == ["list", "put", "put"]


@pytest.mark.parametrize(
    "secret", ["", "s" * 42, "s" * 44, "s" * 42 + "=", "s" * 42 + "\n", "s" * 42 + "é", 43, ["s" * 43]]
)
async def test_what_is_no_secret_is_refused_and_not_repeated(secret: Any):
    client = make_client()
    session = await client.open_session()
    replies = [
        await client.call("POST", "/api/sessions", {"addressSecret": secret}),
        await take(client, session, secret),
    ]
    for reply in replies:
        assert problem(reply) == (400, "invalid_body")
        assert not isinstance(secret, str) or len(secret) < 2 or secret not in reply.body.decode()


async def test_a_session_takes_an_address_later():
    client = make_client()
    session = await client.open_session()
    reply = await take(client, session)
    assert (reply.status, reply.json()) == (
        200,
        {"address": ADDRESS, "code": session.code, "expiresAt": "2026-01-31T00:00:00.000Z"},
    )


async def test_an_older_session_takes_it_only_with_a_claim():
    client = make_client()
    older = await client.open_session()
    await asyncio.sleep(1)
    await open_with(client)
    assert problem(await take(client, older)) == (409, "newer_session")
    assert (await take(client, older, claim=True)).status == 200


async def test_only_the_session_s_host_lets_an_address_lead_to_it():
    client = make_client()
    session, other = await client.open_session(), await client.open_session()
    url = f"/api/sessions/{session.code}/address"
    assert problem(await client.call("PUT", url, {"secret": SECRET})) == (401, "token_required")
    assert problem(await client.call("PUT", url, {"secret": SECRET}, token=other.host)) == (403, "wrong_session")
    guest = await client.join(session.code)
    assert problem(await client.call("PUT", url, {"secret": SECRET}, token=guest)) == (403, "wrong_role")


async def test_an_address_is_withdrawn_with_its_secret_alone_and_for_good():
    client = make_client()
    session = await open_with(client)
    for secret, refusal in (
        (None, (401, "token_required")),
        (OTHER_SECRET, (403, "wrong_secret")),
        (session.host, (403, "wrong_secret")),
        (ADDRESS, (403, "wrong_secret")),
    ):
        assert problem(await withdraw(client, secret=secret)) == refusal
    assert problem(await withdraw(client, "K7Q2M9XA")) == (400, "invalid_id")
    assert (await withdraw(client)).status == 204
    assert problem(await client.call("POST", "/api/sessions", {"addressSecret": SECRET})) == (410, "address_withdrawn")
    assert problem(await take(client, session, claim=True)) == (410, "address_withdrawn")
    assert (await withdraw(client)).status == 204


async def test_a_session_is_not_opened_whose_address_is_withdrawn():
    at = Isolates()
    await withdraw(at.client)
    at.operations()
    await at.client.call("POST", "/api/sessions", {"addressSecret": SECRET})
    assert at.operations() == ["list"]


async def test_where_a_code_admits_one_guest_there_are_no_addresses():
    client = make_client(Settings(signing_keys=(KEY,), require_token=True, code_joins_once=True))
    refused = (403, "address_not_allowed")
    assert problem(await client.call("POST", "/api/sessions", {"addressSecret": SECRET})) == refused
    session = await client.open_session()
    assert problem(await take(client, session)) == refused
    reply = await client.call("POST", f"/mcp/{ADDRESS}", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (reply.status, reply.json()["error"]["data"]["code"]) == refused
    # What was taken before the setting was changed can still be withdrawn.
    assert (await withdraw(client)).status == 204


async def test_an_address_is_no_code_for_any_other_route():
    client = make_client()
    await open_with(client)
    for method, url, body in (
        ("GET", f"/api/sessions/{ADDRESS}", None),
        ("POST", f"/api/sessions/{ADDRESS}/join", {}),
        ("POST", "/api/request", {"code": ADDRESS, "tool": "t"}),
        ("GET", f"/api/poll?code={ADDRESS}", None),
    ):
        assert problem(await client.call(method, url, body)) == (400, "invalid_code")


async def test_a_secret_is_in_no_reply_and_no_line_of_the_log():
    at = Isolates()
    client = at.client
    session = await open_with(client)
    mcp = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    replies = [
        await client.call("POST", "/api/sessions", {"addressSecret": SECRET}),
        await take(client, session, claim=True),
        await take(client, session, secret=SECRET, spelt=SECRET),
        await client.call("GET", f"/api/sessions/{SECRET}"),
        await client.call("POST", f"/mcp/{SECRET}", mcp),
        await client.call("POST", "/mcp", mcp, token=SECRET),
        await withdraw(client),
        await withdraw(client, secret=f"{SECRET} {SECRET}"),
        await client.call("POST", "/api/sessions", {"addressSecret": SECRET}),
    ]
    at.kv.fails = lambda operation, key: True
    replies += [
        await client.call("POST", "/api/sessions", {"addressSecret": SECRET}),
        await take(client, session),
        await withdraw(client),
    ]
    assert [reply.status for reply in replies[-3:]] == [503] * 3
    for reply in replies:
        assert SECRET not in f"{reply.headers} {reply.body.decode()}"
    assert SECRET not in str(client.log)
    assert SECRET not in str(await at.keys())
