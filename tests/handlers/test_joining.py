"""`REQUIRE_TOKEN=once`: a code lets one guest join, and nothing else."""

from typing import Any

import pytest

from simulation.client import KEY, Client, Opened, Reply, make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.limiters import Budget
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.security.rate_limits import Limit
from waypost_worker.settings import Settings

ONCE = Settings(signing_keys=(KEY,), require_token=True, code_joins_once=True)
BY_CODE_ALONE: list[tuple[str, str, Any]] = [
    ("GET", "/api/sessions/{code}", None),
    ("POST", "/api/request", {"code": "{code}", "tool": "echo"}),
    ("POST", "/api/request/r/cancel", {"code": "{code}"}),
    ("POST", "/api/ack", {"code": "{code}", "cursors": ["c"]}),
    ("GET", "/api/poll?code={code}", None),
    ("GET", "/api/stream?code={code}", None),
]


async def join(client: Client, session: Opened, **body: Any) -> Reply:
    return await client.call("POST", f"/api/sessions/{session.code}/join", body or None)


async def joined() -> tuple[Client, Opened, str]:
    client = make_client(ONCE)
    session = await client.open_session()
    return client, session, (await join(client, session, id="ada")).json()["guestToken"]


@pytest.mark.parametrize("second", [{}, {"id": "bob"}, {"id": "Ada"}])
async def test_the_first_guest_closes_the_code(second: dict[str, str]):
    client, session, _ = await joined()
    reply = await join(client, session, **second)
    assert (reply.status, reply.json()["code"]) == (403, "code_closed")
    assert reply.json()["detail"] == "The code was used; ask for a new session."


async def test_who_did_not_get_the_reply_joins_again_with_the_same_id():
    client, session, token = await joined()
    assert (await join(client, session, id="ada")).json()["guestToken"] == token


async def test_who_joined_without_an_id_closes_the_code_behind_itself_too():
    client = make_client(ONCE)
    session = await client.open_session()
    assert (await join(client, session)).status == 200
    assert (await join(client, session)).status == 403


async def test_another_isolate_knows_it_once_the_store_shows_it():
    kv = MemoryKv(VirtualClock())
    here, there = make_client(ONCE, kv), make_client(ONCE, kv, seed=1)
    session = await here.open_session()
    token = (await join(here, session, id="ada")).json()["guestToken"]
    assert (await join(there, session, id="bob")).status == 403
    assert (await join(there, session, id="ada")).json()["guestToken"] == token


@pytest.mark.parametrize("route", BY_CODE_ALONE)
async def test_a_code_alone_does_nothing_but_join_before_and_after(route: tuple[str, str, Any]):
    client = make_client(ONCE)
    session = await client.open_session()
    method, url, body = route
    filled = None if body is None else {**body, "code": session.code}
    for _ in range(2):
        reply = await client.call(method, url.replace("{code}", session.code), filled)
        assert (reply.status, reply.json()["code"]) == (401, "token_required")
        await join(client, session)


async def test_every_token_of_the_session_reads_it_and_no_other_token():
    client, session, guest = await joined()
    other = await client.open_session()
    path = f"/api/sessions/{session.code}"
    for token in (session.host, guest):
        assert (await client.call("GET", path, token=token)).json()["code"] == session.code
    for token, code in (
        (other.host, "wrong_session"),
        ((await join(client, other)).json()["guestToken"], "wrong_session"),
        (session.host[:-1], "invalid_token"),
    ):
        assert (await client.call("GET", path, token=token)).json()["code"] == code


async def test_a_guest_that_joined_asks_and_is_answered():
    client, session, guest = await joined()
    body = {"code": session.code, "tool": "echo", "id": "r"}
    assert (await client.call("POST", "/api/request", body, token=guest)).status == 202
    await client.answer(session, "r", "done")
    assert (await client.call("POST", "/api/request", body, token=guest)).json()["result"] == "done"


async def test_whoever_guesses_a_code_to_join_pays_for_the_misses():
    client = make_client(ONCE, limiters={Limit.MISS: Budget(1)})
    assert [(await join(client, Opened(f"0000000{n}", ""))).status for n in range(3)] == [404, 429, 429]


@pytest.mark.parametrize("body", [{"id": ""}, {"id": "a b"}, {"id": "x" * 65}, {"id": 1}, {"name": "ada"}])
async def test_what_is_no_id_is_refused_and_closes_nothing(body: dict[str, Any]):
    for client in (make_client(ONCE), make_client()):
        session = await client.open_session()
        assert (await join(client, session, **body)).status == 400
        assert (await join(client, session, id="ada")).status == 200


@pytest.mark.parametrize("settings", [{}, {"require_token": True}])
async def test_elsewhere_everybody_joins_and_it_costs_nothing_more(settings: dict[str, bool]):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(Settings(signing_keys=(KEY,), **settings), kv)
    session = await client.open_session()
    kv.asked.clear()
    for id_ in ("ada", "bob", "ada"):
        assert (await join(client, session, id=id_)).status == 200
    assert kv.asked == []
    assert (await client.call("GET", f"/api/sessions/{session.code}")).status == 200


async def test_codes_have_the_length_that_is_set_and_every_length_is_read():
    kv = MemoryKv(VirtualClock())
    sessions = []
    for length in (8, 12, 16):
        client = make_client(Settings(signing_keys=(KEY,), code_length=length), kv, seed=length)
        sessions.append(await client.open_session())
        assert len(sessions[-1].code) == length
        for session in sessions:
            typed = "-".join(session.code[i : i + 4] for i in range(0, len(session.code), 4)).lower()
            assert (await client.call("GET", f"/api/sessions/{typed}")).json()["code"] == session.code
            assert (await client.poll(session.code, session.host))["messages"] == []


async def test_a_session_is_not_found_by_the_beginning_of_its_code():
    kv = MemoryKv(VirtualClock())
    clients = [make_client(Settings(signing_keys=(KEY,), code_length=16), kv, seed=seed) for seed in (1, 2)]
    session = await clients[0].open_session()
    for length in range(8, 16):
        for client in clients:
            assert (await client.call("GET", f"/api/sessions/{session.code[:length]}")).status == 404
