"""Who may do what; and a code or token of one session opens nothing of another."""

import asyncio
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from simulation.client import KEY, Client, Opened, make_client
from simulation.virtual_time import VirtualClock, run
from tests.support.faulty_kv import FaultyKv
from tests.support.limiters import Budget
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import TOKEN_VOUCHES_SECONDS
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import Claims, Role, Signer
from waypost_worker.settings import Settings

HOST_ONLY: list[tuple[str, str, Any]] = [
    ("DELETE", "/api/sessions/{code}", None),
    ("POST", "/api/sessions/{code}/extend", None),
    ("PUT", "/api/sessions/{code}/tools", {"tools": []}),
    ("POST", "/api/response", {"code": "{code}", "id": "mine", "result": 1}),
]
GUESTS_ONLY: list[tuple[str, str, Any]] = [
    ("POST", "/api/request", {"code": "{code}", "tool": "echo"}),
    ("POST", "/api/request/mine/cancel", {"code": "{code}"}),
]
EITHER: list[tuple[str, str, Any]] = [
    ("GET", "/api/poll?code={code}", None),
    ("GET", "/api/stream?code={code}", None),
    ("POST", "/api/ack", {"code": "{code}", "cursors": ["{cursor}"]}),
]
APPS_ONLY: list[tuple[str, str, Any]] = [
    ("GET", "/api/sessions?resourceId=a", None),
    ("DELETE", "/api/sessions", {"threadId": "t", "resourceId": "a"}),
    ("POST", "/api/sessions/metadata", {"threadId": "t", "resourceId": "a"}),
]
APP_KEYS = ("key-of-the-first-app", "key-of-the-second-app")


async def refusal(client: Client, route: tuple[str, str, Any], code: str, **options: Any) -> tuple[int, str]:
    method, url, body = route
    filled = None if body is None else {**body, **({"code": code} if "code" in body else {})}
    reply = await client.call(method, url.replace("{code}", code), filled, **options)
    return reply.status, reply.json().get("code", "")


async def two_sessions(**settings: Any) -> tuple[Client, Opened, Opened]:
    client = make_client(Settings(signing_keys=(KEY,), **settings))
    return client, await client.open_session(), await client.open_session()


@pytest.mark.parametrize("route", HOST_ONLY)
async def test_what_is_the_hosts_needs_a_token_and_not_a_guests(route: tuple[str, str, Any]):
    client, session, _ = await two_sessions()
    guest = await client.join(session.code)
    assert await refusal(client, route, session.code) == (401, "token_required")
    assert await refusal(client, route, session.code, token=guest) == (403, "wrong_role")


@pytest.mark.parametrize("route", GUESTS_ONLY)
async def test_what_is_the_guests_is_not_the_hosts(route: tuple[str, str, Any]):
    client, session, _ = await two_sessions()
    assert await refusal(client, route, session.code, token=session.host) == (403, "wrong_role")


@pytest.mark.parametrize("route", GUESTS_ONLY + EITHER)
async def test_where_tokens_are_required_a_code_alone_is_refused(route: tuple[str, str, Any]):
    client, session, _ = await two_sessions(require_token=True)
    assert await refusal(client, route, session.code) == (401, "token_required")


@pytest.mark.parametrize("route", HOST_ONLY + GUESTS_ONLY + EITHER)
async def test_a_token_of_another_session_opens_nothing(route: tuple[str, str, Any]):
    client, session, other = await two_sessions()
    guest = await client.join(other.code)
    for token in (other.host, guest):
        assert await refusal(client, route, session.code, token=token) == (403, "wrong_session")


@pytest.mark.parametrize("route", HOST_ONLY + GUESTS_ONLY + EITHER)
async def test_a_token_that_was_changed_or_is_over_opens_nothing(route: tuple[str, str, Any]):
    client, session, _ = await two_sessions()
    now = VirtualClock().now_ms() // 1000
    over = Signer((KEY,)).sign(Claims(Role.HOST, session.code, now))
    forged = Signer((KEY[::-1],)).sign(Claims(Role.HOST, session.code, now + 1000))
    assert await refusal(client, route, session.code, token=over) == (401, "token_expired")
    for token in (forged, "nonsense", session.host[:-1]):
        assert await refusal(client, route, session.code, token=token) == (401, "invalid_token")


@pytest.mark.parametrize("role", [Role.HOST, Role.GUEST])
async def test_a_cursor_of_another_session_or_role_acknowledges_nothing(role: Role):
    client, session, other = await two_sessions()
    asked = (await client.ask(other.code)).json()["cursor"]
    answered = (await client.answer(other, "r")).json()["cursor"]
    own = (await (client.answer(session, "r") if role is Role.HOST else client.ask(session.code))).json()["cursor"]
    token = session.host if role is Role.HOST else None
    for cursor in (asked, answered, own):
        body = {"code": session.code, "cursors": [cursor]}
        reply = await client.call("POST", "/api/ack", body, token=token)
        assert (reply.status, reply.json()["code"]) == (400, "invalid_cursor")
    assert len((await client.poll(other.code, other.host))["messages"]) == 1


async def test_the_messages_of_one_session_are_never_seen_in_another():
    client, session, other = await two_sessions()
    await client.ask(session.code, id="mine")
    await client.answer(session, "mine", "secret")
    await client.ask(session.code)
    assert (await client.poll(other.code, other.host))["messages"] == []
    assert (await client.poll(other.code))["messages"] == []
    assert (await client.ask(other.code, id="mine")).status == 202


async def test_a_token_counts_in_any_case_of_its_scheme_and_other_schemes_are_none():
    client, session, _ = await two_sessions()
    route = HOST_ONLY[1]
    for header in (f"bearer {session.host}", f"BEARER  {session.host} "):
        assert (await refusal(client, route, session.code, headers={"Authorization": header}))[0] == 200
    for header in (f"Basic {session.host}", "Bearer", "Bearer ", session.host):
        headers = {"Authorization": header}
        assert await refusal(client, route, session.code, headers=headers) == (401, "token_required")


async def test_only_a_stream_takes_the_token_from_the_url():
    client, session, _ = await two_sessions()
    path = f"/api/sessions/{session.code}/extend?token={session.host}"
    assert (await client.call("POST", path)).status == 401
    forged = await client.call("GET", f"/api/stream?code={session.code}&token=nonsense")
    assert (forged.status, forged.json()["code"]) == (401, "invalid_token")


async def test_a_token_signed_with_the_key_before_still_opens():
    kv = MemoryKv(VirtualClock())
    session = await make_client(Settings(signing_keys=(KEY,)), kv).open_session()
    rotated = make_client(Settings(signing_keys=(b"n" * 32, KEY)), kv, seed=1)
    assert (await refusal(rotated, HOST_ONLY[1], session.code, token=session.host))[0] == 200


async def test_a_token_vouches_for_a_session_that_another_location_does_not_see_yet():
    here, there = make_client(), make_client(seed=1)
    session = await here.open_session()
    guest = await here.join(session.code)
    assert (await there.poll(session.code, session.host))["messages"] == []
    assert (await there.poll(session.code, guest))["messages"] == []
    assert (await there.ask(session.code)).status == 404
    await asyncio.sleep(TOKEN_VOUCHES_SECONDS)
    reply = await there.call("GET", f"/api/poll?code={session.code}", token=session.host)
    assert (reply.status, reply.json()["code"]) == (404, "session_not_found")


async def test_a_vouched_session_is_never_written_back():
    session = await make_client().open_session()
    there = make_client(seed=1)
    for route in HOST_ONLY[:3]:
        assert (await refusal(there, route, session.code, token=session.host))[0] == 404


async def test_whoever_guesses_codes_is_blocked_and_learns_nothing_from_hits():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(kv=kv, limiters={Limit.MISS: Budget(10)})
    session = await client.open_session()
    for number in range(10):
        assert (await client.call("GET", f"/api/sessions/0000000{number}")).status == 404
    over = await client.call("GET", "/api/sessions/ZZZZZZZZ")
    assert (over.status, over.json()["code"], over.headers["Retry-After"]) == (429, "rate_limited", "60")
    kv.asked.clear()
    routes = [("GET", f"/api/sessions/{session.code}"), ("POST", f"/api/sessions/{session.code}/join")]
    replies = [await client.call(*route) for route in [*routes, ("GET", f"/api/poll?code={session.code}")]]
    replies.append(await client.ask(session.code))
    assert [reply.status for reply in replies] == [429] * 4
    assert kv.asked == []
    assert (await client.call("GET", f"/api/sessions/{session.code}", ip="192.0.2.2")).status == 200
    await asyncio.sleep(60)
    assert (await client.call("GET", f"/api/sessions/{session.code}")).status == 200


async def test_one_dead_code_locks_nobody_out_however_often_it_is_asked_for():
    client = make_client(limiters={Limit.MISS: Budget(10)})
    session = await client.open_session()
    for _ in range(100):
        assert (await client.call("GET", "/api/sessions/ZZZZZZZZ")).status == 404
    assert (await client.call("GET", f"/api/sessions/{session.code}")).status == 200


async def test_one_dead_token_locks_nobody_out_either():
    client = make_client(Settings(signing_keys=(KEY,), app_keys=APP_KEYS), limiters={Limit.MISS: Budget(10)})
    session = await client.open_session()
    for number in range(100):
        dead = ("the key before the last", FORGED)[number % 2]
        assert await refusal(client, APPS_ONLY[0], "", token=dead) == (401, "invalid_token")
    assert (await client.call("GET", f"/api/sessions/{session.code}")).status == 200


async def test_who_was_served_with_a_code_keeps_it_while_others_at_the_address_are_blocked():
    client = make_client(limiters={Limit.MISS: Budget(10)})
    known, unknown = await client.open_session(), await client.open_session()
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    assert (await client.call("POST", f"/mcp/{known.code}", initialize, headers=headers)).status == 200
    for number in range(14):
        await client.call("GET", f"/api/sessions/000000{number:02}")
    assert (await client.call("POST", f"/mcp/{known.code}", initialize, headers=headers)).status == 200
    assert (await client.ask(known.code)).status == 202
    # The address learns nothing of another code, live or not, and another address learns nothing of this one.
    assert (await client.ask(unknown.code)).status == 429
    assert (await client.call("GET", "/api/sessions/ZZZZZZZZ")).status == 429
    assert (await client.call("GET", "/api/sessions/00000099", ip="192.0.2.2")).status == 404


async def test_a_blocked_address_with_a_token_is_still_served():
    client = make_client(limiters={Limit.MISS: Budget(0)})
    session = await client.open_session()
    assert (await client.call("GET", "/api/sessions/ZZZZZZZZ")).status == 429
    assert (await client.poll(session.code, session.host))["messages"] == []


@pytest.mark.parametrize("route", APPS_ONLY)
async def test_what_is_an_apps_needs_its_key_once_there_are_keys(route: tuple[str, str, Any]):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(Settings(signing_keys=(KEY,), app_keys=APP_KEYS), kv)
    session = await client.open_session()
    kv.asked.clear()
    assert await refusal(client, route, "") == (401, "token_required")
    for wrong in ("nonsense", APP_KEYS[0][:-1], APP_KEYS[0] + "x", ",".join(APP_KEYS), KEY.decode()):
        assert await refusal(client, route, "", token=wrong) == (401, "invalid_token")
    headers = {"Authorization": f"Basic {APP_KEYS[0]}"}
    assert await refusal(client, route, "", headers=headers) == (401, "token_required")
    assert await refusal(client, route, "", token=session.host) == (403, "wrong_role")
    assert kv.asked == []
    for key in APP_KEYS:
        assert (await refusal(client, route, "", token=key))[1] in ("", "thread_not_found")


@pytest.mark.parametrize("route", APPS_ONLY)
async def test_an_apps_key_is_asked_for_before_anything_else_is_told(route: tuple[str, str, Any]):
    client = make_client(Settings(signing_keys=(KEY,), app_keys=APP_KEYS))
    method, url, _ = route
    reply = await client.call(method, url.partition("?")[0], body=b"{")
    assert (reply.status, reply.json()["code"]) == (401, "token_required")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", APPS_ONLY)
def test_without_app_keys_threads_are_open_to_all(route: tuple[str, str, Any]):
    for token in (None, "nonsense"):
        assert run(refusal(make_client(), route, "", token=token))[1] in ("", "thread_not_found")


FORGED = "wp1.host.K7Q2M9XA.9999999999." + "A" * 43


@pytest.mark.parametrize("wrong", [FORGED, FORGED.replace("host", "guest"), "wp1.app.YQ" + FORGED[17:], "nonsense"])
@pytest.mark.parametrize("ip", ["192.0.2.1", None])
async def test_whoever_makes_up_tokens_is_blocked(wrong: str, ip: str | None):
    budget = Budget(10)
    client = make_client(Settings(signing_keys=(KEY,), app_keys=APP_KEYS), limiters={Limit.MISS: budget})
    session = await client.open_session()
    numbers = count()

    async def guess(route: tuple[str, str, Any]) -> tuple[int, str]:
        return await refusal(client, route, session.code, token=f"{wrong[:-2]}{next(numbers):02}", ip=ip)

    for route in (HOST_ONLY[1], GUESTS_ONLY[0], EITHER[0], EITHER[1], APPS_ONLY[0]) * 2:
        assert await guess(route) == (401, "invalid_token")
    for route in (HOST_ONLY[1], EITHER[1], APPS_ONLY[0], ("POST", "/api/tokens", {"resourceId": "a"})):
        assert await guess(route) == (429, "rate_limited")
    assert sum(budget.counts.values()) == 11
    # To guess codes is of the same budget.
    assert (await client.call("GET", f"/api/sessions/{session.code}", ip=ip)).status == 429
    assert (await client.call("GET", f"/api/sessions/{session.code}", ip="192.0.2.2")).status == 200


async def test_whoever_guesses_app_keys_is_blocked_and_the_app_at_the_same_address_is_served():
    client = make_client(Settings(signing_keys=(KEY,), app_keys=APP_KEYS), limiters={Limit.MISS: Budget(10)})
    minting = ("POST", "/api/tokens", {"resourceId": "a"})
    for number, route in enumerate((APPS_ONLY[0], minting) * 5):
        assert await refusal(client, route, "", token=f"guess {number}") == (401, "invalid_token")
    assert await refusal(client, minting, "", token="a guess") == (429, "rate_limited")
    for route in (*APPS_ONLY, minting):
        assert await refusal(client, route, "", token="another guess") == (429, "rate_limited")
        assert (await refusal(client, route, "", token=APP_KEYS[0]))[0] not in (401, 429)


async def test_a_token_that_is_over_costs_no_budget():
    client = make_client(limiters={Limit.MISS: Budget(0)})
    session = await client.open_session()
    over = Signer((KEY,)).sign(Claims(Role.HOST, session.code, VirtualClock().now_ms() // 1000))
    for _ in range(3):
        assert await refusal(client, HOST_ONLY[1], session.code, token=over) == (401, "token_expired")
    assert (await client.call("GET", f"/api/sessions/{session.code}")).status == 200


async def test_an_apps_key_opens_no_session():
    client = make_client(Settings(signing_keys=(KEY,), app_keys=APP_KEYS))
    session = await client.open_session()
    for route in HOST_ONLY + GUESTS_ONLY + EITHER:
        assert await refusal(client, route, session.code, token=APP_KEYS[0]) == (401, "invalid_token")


async def test_each_spelling_of_a_code_is_the_same_guess():
    client = make_client(limiters={Limit.MISS: Budget(1)})
    for spelling in (
        "ZZZZ0000",
        "zzzz-oooo",
        "zzzz%20OOOO",
        "ZZZZ%E2%80%930000",
        "z-z-z-z-0-0-0-0",
        "%C2%A0ZZZZ%0A0000",
    ):
        assert (await client.call("GET", f"/api/sessions/{spelling}")).status == 404
    assert (await client.call("GET", "/api/sessions/ZZZZ0001")).status == 429


@pytest.mark.parametrize("between", [" ", "-", "\u2011", "\u2013", "\u00a0", "\t"])
async def test_a_code_may_be_spelled_as_it_was_typed_wherever_one_is_taken(between: str):
    client = make_client()
    session = await client.open_session()
    typed = f"{session.code[:4]}{between}{session.code[4:]}".lower()
    encoded = quote(typed)
    assert (await client.call("GET", f"/api/sessions/{encoded}")).status == 200
    assert (await client.call("POST", f"/api/sessions/{encoded}/join")).json()["code"] == session.code
    assert (await client.ask(typed)).status == 202
    [request] = (await client.poll(encoded, session.host))["messages"]
    assert (await client.answer(Opened(typed, session.host), request["data"]["id"], 1)).status == 202
    assert len((await client.poll(encoded))["messages"]) == 1
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert (await client.call("POST", f"/mcp/{encoded}", ping)).json()["result"] == {}
    assert (await client.call("DELETE", f"/api/sessions/{encoded}", token=session.host)).status == 204
