"""`/api/sessions`: opened, read, extended, ended, joined, and given tools."""

import asyncio
from typing import Any

import pytest

from simulation.client import KEY, make_client
from simulation.virtual_time import VirtualClock, run
from tests.support.faulty_kv import FaultyKv
from tests.support.listener import listen
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_SESSION_DATA_BYTES, MAX_TOOLS
from waypost_worker.security.tokens import Role, Signer, owner_id
from waypost_worker.settings import Settings

START = "2026-01-01T00:00:00.000Z"


async def test_a_session_is_opened_with_a_code_and_a_hosts_token():
    client = make_client()
    reply = await client.call("POST", "/api/sessions", {"ttl": 60, "label": "l", "data": {"n": 1.0}}, ip="192.0.2.9")
    opened = reply.json()
    token = opened.pop("hostToken")
    code = opened.pop("code")
    assert opened.pop("sessionId") == owner_id(KEY, code)
    assert reply.status == 201
    assert reply.headers["Location"] == f"/api/sessions/{code}"
    assert opened == {
        "createdAt": START,
        "expiresAt": "2026-01-01T00:01:00.000Z",
        "active": True,
        "label": "l",
        "data": {"n": 1.0},
        "ip": "192.0.2.9",
    }
    claims = Signer((KEY,)).unsign(token, 0)
    assert (claims.role, claims.subject) == (Role.HOST, code)
    assert claims.expires_seconds * 1000 == VirtualClock().now_ms() + 86_400_000


async def test_a_session_needs_no_body_and_lives_for_ten_minutes():
    reply = await make_client().call("POST", "/api/sessions")
    assert reply.status == 201
    assert reply.json()["expiresAt"] == "2026-01-01T00:10:00.000Z"


def test_a_deployment_sets_how_long_a_session_lives():
    settings = Settings(signing_keys=(KEY,), session_ttl_seconds=90)
    assert run(make_client(settings).call("POST", "/api/sessions")).json()["expiresAt"] == "2026-01-01T00:01:30.000Z"


async def test_two_sessions_have_two_codes():
    client = make_client()
    assert (await client.open_session()).code != (await client.open_session()).code


async def test_a_code_is_read_as_a_person_writes_it():
    client = make_client()
    code = (await client.open_session()).code
    reply = await client.call("GET", f"/api/sessions/{code[:4].lower()}-{code[4:]}")
    assert reply.json()["code"] == code


async def test_a_session_is_shown_without_its_token_or_address():
    client = make_client()
    code = (await client.open_session(label="l", data=[1])).code
    assert (await client.call("GET", f"/api/sessions/{code}")).json() == {
        "code": code,
        "createdAt": START,
        "expiresAt": "2026-01-01T00:10:00.000Z",
        "active": True,
        "label": "l",
        "data": [1],
        "hostOnline": False,
        "hostSeenAt": None,
        "tools": [],
        "guests": "shared",
    }


async def test_a_host_with_an_open_stream_is_online_and_later_was_seen():
    client = make_client()
    session = await client.open_session(ttl=86_400)
    await asyncio.sleep(5)
    stream = await listen(client, f"/api/stream?code={session.code}", token=session.host)
    await asyncio.sleep(1)
    await stream.stop()
    shown = (await client.call("GET", f"/api/sessions/{session.code}")).json()
    assert (shown["hostOnline"], shown["hostSeenAt"]) == (True, "2026-01-01T00:00:05.000Z")
    await asyncio.sleep(200)
    assert (await client.call("GET", f"/api/sessions/{session.code}")).json()["hostOnline"] is False


@pytest.mark.parametrize(("query", "body"), [("", None), ("&instance=some-host", {"instance": "some-host"})])
async def test_a_host_that_says_goodbye_is_offline_from_then_on_and_its_requests_wait(query: str, body: object):
    client = make_client()
    session = await client.open_session()
    stream = await listen(client, f"/api/stream?code={session.code}{query}", token=session.host)
    await asyncio.sleep(5)
    reply = await client.call("POST", f"/api/sessions/{session.code}/leave", body, token=session.host)
    assert (reply.status, reply.body) == (204, b"")
    await client.ask(session.code, id="r")
    shown = (await client.call("GET", f"/api/sessions/{session.code}")).json()
    assert (shown["hostOnline"], shown["hostSeenAt"], shown["active"]) == (False, "2026-01-01T00:00:05.000Z", True)
    await stream.stop()
    again = await client.poll(session.code, session.host)
    assert [message["data"]["id"] for message in again["messages"]] == ["r"]


async def test_a_host_that_polls_again_after_its_goodbye_is_online_again():
    client = make_client()
    session = await client.open_session()
    await client.poll(session.code, session.host)
    await asyncio.sleep(5)
    await client.call("POST", f"/api/sessions/{session.code}/leave", token=session.host)
    await asyncio.sleep(1)
    await client.poll(session.code, session.host)
    assert (await client.call("GET", f"/api/sessions/{session.code}")).json()["hostOnline"] is True


async def test_a_goodbye_costs_one_operation_besides_the_session():
    client = make_client()
    session = await client.open_session()
    reply = await client.call("POST", f"/api/sessions/{session.code}/leave", token=session.host)
    assert reply.headers["Server-Timing"].startswith('kv;desc="1 operations"')


async def test_a_host_that_polls_is_online_too_and_says_so_once_a_minute():
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(kv=kv)
    session = await client.open_session()
    for _ in range(61):
        await client.poll(session.code, session.host)
        await asyncio.sleep(1)
    assert (await client.call("GET", f"/api/sessions/{session.code}")).json()["hostOnline"] is True
    assert kv.asked.count(("put", f"host:{session.code}")) == 2


async def test_a_guest_that_polls_is_no_host():
    client = make_client()
    session = await client.open_session()
    await client.poll(session.code)
    assert (await client.call("GET", f"/api/sessions/{session.code}")).json()["hostOnline"] is False


async def test_the_hosts_that_polled_are_remembered_up_to_a_bound():
    client = make_client()
    session = await client.open_session()
    announced = client.app.isolate.announced_ms
    for number in range(4096):
        announced.put(str(number), 0, client.app.clock.now_ms())
    await client.poll(session.code, session.host)
    await client.settle()
    assert (len(announced), session.code in announced, "0" in announced) == (4096, True, False)


@pytest.mark.parametrize("code", ["00000000", "zzzz-zzzz"])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/join")])
async def test_an_unknown_session_is_404(method: str, path: str, code: str):
    reply = await make_client().call(method, f"/api/sessions/{code}{path}")
    assert (reply.status, reply.json()["code"]) == (404, "session_not_found")


async def test_a_session_that_ran_out_is_as_one_that_never_was():
    client = make_client()
    session = await client.open_session(ttl=60)
    await asyncio.sleep(60)
    assert (await client.call("GET", f"/api/sessions/{session.code}")).status == 404
    assert (await client.call("DELETE", f"/api/sessions/{session.code}", token=session.host)).status == 404


async def test_an_ended_session_is_410_for_everybody():
    client = make_client()
    session = await client.open_session()
    guest = await client.join(session.code)
    path = f"/api/sessions/{session.code}"
    assert (await client.call("DELETE", path, token=session.host)).status == 204
    replies = [
        await client.call("GET", path),
        await client.call("DELETE", path, token=session.host),
        await client.call("POST", f"{path}/extend", token=session.host),
        await client.call("POST", f"{path}/join"),
        await client.ask(session.code),
        await client.answer(session, "r"),
        await client.call("GET", f"/api/poll?code={session.code}", token=guest),
        await client.call("GET", f"/api/stream?code={session.code}", token=session.host),
    ]
    assert [(reply.status, reply.json()["code"]) for reply in replies] == [(410, "session_ended")] * 8


async def test_extending_gives_a_full_new_time():
    client = make_client()
    session = await client.open_session()
    await asyncio.sleep(300)
    reply = await client.call("POST", f"/api/sessions/{session.code}/extend", token=session.host)
    assert reply.status == 200
    assert reply.json()["expiresAt"] == "2026-01-01T00:15:00.000Z"
    assert set(reply.json()) == {"code", "createdAt", "expiresAt", "active", "label", "data"}


async def test_a_session_of_a_day_can_not_be_extended():
    client = make_client()
    session = await client.open_session(ttl=86_400)
    reply = await client.call("POST", f"/api/sessions/{session.code}/extend", token=session.host)
    assert (reply.status, reply.json()["code"]) == (409, "session_too_old")


async def test_a_guest_joins_with_the_code_and_gets_a_token():
    client = make_client()
    session = await client.open_session()
    joined = (await client.call("POST", f"/api/sessions/{session.code}/join")).json()
    claims = Signer((KEY,)).unsign(joined["guestToken"], 0)
    assert (joined["code"], joined["expiresAt"]) == (session.code, "2026-01-02T00:00:00.000Z")
    assert (claims.role, claims.subject) == (Role.GUEST, session.code)


async def test_tools_are_kept_with_all_their_fields():
    client = make_client()
    session = await client.open_session()
    tools: list[dict[str, Any]] = [
        {"name": "a/b.c", "description": "", "inputSchema": {"type": "object"}, "annotations": {"x": [1.0, None]}},
        {
            "name": "b",
            "title": "T",
            "inputSchema": {"type": "object"},
            "outputSchema": {"type": "string"},
            "mine": None,
        },
    ]
    path = f"/api/sessions/{session.code}"
    reply = await client.call("PUT", f"{path}/tools", {"tools": tools}, token=session.host)
    assert (reply.status, reply.json()) == (200, {"tools": tools})
    assert (await client.call("GET", path)).json()["tools"] == tools
    await client.call("PUT", f"{path}/tools", {"tools": []}, token=session.host)
    assert (await client.call("GET", path)).json()["tools"] == []


async def test_tools_are_kept_normalised():
    client = make_client()
    session = await client.open_session()
    path = f"/api/sessions/{session.code}"
    sent = {"tools": [{"name": "a", "title": None, "inputSchema": {"properties": {"x": True}, "required": None}}]}
    kept = {"tools": [{"name": "a", "inputSchema": {"type": "object", "properties": {"x": {}}}}]}
    assert (await client.call("PUT", f"{path}/tools", sent, token=session.host)).json() == kept
    assert (await client.call("GET", path)).json()["tools"] == kept["tools"]


async def test_a_list_with_a_bad_tool_is_refused_whole_with_the_tool_and_the_place_and_the_one_before_stays():
    client = make_client()
    session = await client.open_session()
    path = f"/api/sessions/{session.code}"
    good = {"name": "good", "inputSchema": {"type": "object"}}
    await client.call("PUT", f"{path}/tools", {"tools": [good]}, token=session.host)
    bad = {"name": "bad", "outputSchema": {"type": "object", "properties": {"x": {"$ref": "#/$defs/x"}}}}
    reply = await client.call("PUT", f"{path}/tools", {"tools": [good, bad]}, token=session.host)
    problem = reply.json()
    assert (reply.status, problem["code"]) == (400, "invalid_tool")
    assert [(tool["tool"], tool["index"], tool["pointer"]) for tool in problem["tools"]] == [
        ("bad", 1, "/outputSchema/properties/x/$ref")
    ]
    assert problem["detail"] == problem["tools"][0]["detail"]
    assert problem["detail"].startswith('The tool "bad": /outputSchema/properties/x/$ref must be the place of a schema')
    assert (await client.call("GET", path)).json()["tools"] == [good]
    assert (await client.call("POST", f"{path}/extend", token=session.host)).status == 200


async def test_a_session_says_whether_mapped_names_may_clash():
    client = make_client()
    tools = {"tools": [{"name": "cart.add"}, {"name": "cart/add"}]}
    for body, status in (({}, 400), ({"mapToolNames": True}, 400), ({"mapToolNames": False}, 200)):
        opened = (await client.call("POST", "/api/sessions", body)).json()
        reply = await client.call("PUT", f"/api/sessions/{opened['code']}/tools", tools, token=opened["hostToken"])
        assert reply.status == status


async def test_a_session_offers_at_most_128_tools():
    client = make_client()
    session = await client.open_session()
    for count, status in ((MAX_TOOLS, 200), (MAX_TOOLS + 1, 400)):
        tools = [{"name": f"t{number}"} for number in range(count)]
        reply = await client.call("PUT", f"/api/sessions/{session.code}/tools", {"tools": tools}, token=session.host)
        assert reply.status == status


@pytest.mark.parametrize(("size", "status"), [(MAX_SESSION_DATA_BYTES, 201), (MAX_SESSION_DATA_BYTES + 1, 400)])
async def test_the_data_of_a_session_has_at_most_4_kib(size: int, status: int):
    data = "x" * (size - 2)
    reply = await make_client().call("POST", "/api/sessions", {"data": data})
    assert reply.status == status
    if status == 201:
        assert reply.json()["data"] == data
    else:
        assert reply.json()["code"] == "invalid_body"
        assert "4096 bytes" in reply.json()["detail"]


async def test_white_space_in_the_data_of_a_session_does_not_count():
    body = b'{"data":[' + b" " * MAX_SESSION_DATA_BYTES + b"1]}"
    reply = await make_client().call("POST", "/api/sessions", body=body)
    assert (reply.status, reply.json()["data"]) == (201, [1])


async def test_no_cache_and_no_channel_holds_the_data_of_a_session_and_a_renewal_keeps_it():
    client = make_client()
    data = {"url": "https://app.example/", "secret": "held by KV alone"}
    session = await client.open_session(data=data, label="l")
    isolate = client.app.isolate

    def kept() -> list[object]:
        cached = isolate.sessions.get(session.code, client.app.clock.now_ms())
        return [cached and cached.data, *(change.data for change in isolate.changes.since(session.code, 0))]

    assert kept() == [{"url": "https://app.example/"}] * 2
    path = f"/api/sessions/{session.code}"
    assert (await client.call("GET", path)).json()["data"] == data
    for _ in range(2):
        assert (await client.call("POST", f"{path}/extend", token=session.host)).json()["data"] == data
    await client.call("PUT", f"{path}/tools", {"tools": []}, token=session.host)
    assert (await client.call("GET", path)).json()["data"] == data
    await client.call("DELETE", path, token=session.host)
    assert set(map(str, kept())) == {str({"url": "https://app.example/"})}


@pytest.mark.parametrize("data", ["text", [1], {"url": 7}, {"url": "javascript:x"}, {"url": "https://" + "x" * 2048}])
async def test_data_without_a_page_to_open_leaves_nothing_in_the_cache(data: object):
    client = make_client()
    session = await client.open_session(data=data)
    cached = client.app.isolate.sessions.get(session.code, client.app.clock.now_ms())
    assert cached is not None
    assert cached.data is None
