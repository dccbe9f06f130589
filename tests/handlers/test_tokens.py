"""An app's backend gives a browser a token, which reaches the threads of one resource and nothing else."""

import asyncio
from typing import Any

import pytest

from simulation.client import KEY, Client, Reply, make_client
from simulation.virtual_time import START_MS, run
from tests.support.replies import outcome
from waypost_worker.clock import to_iso
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.security.tokens import Claims, Role, Signer
from waypost_worker.settings import Settings

APP_KEY = "key-of-the-only-app"
ADA, BOB = "user:ada@example.org", "user:bob@example.org"
NOW_SECONDS = START_MS // 1000
MESSAGES = [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}]

ON_THREADS: dict[str, tuple[str, str, Any]] = {
    "ask": ("POST", "/api/chat", {"message": "Hi", "threadId": "t"}),
    "ask as the AI SDK does": ("POST", "/api/chat", {"id": "t", "messages": MESSAGES, "trigger": "submit-message"}),
    "fork": ("POST", "/api/chat/fork", {"forkFromThreadId": "t", "threadId": "fork"}),
    "resume": ("GET", "/api/chat/t/stream", None),
    "stop": ("POST", "/api/chat/t/stop", {}),
    "list": ("GET", "/api/sessions", None),
    "describe": ("POST", "/api/sessions/metadata", {"threadId": "t"}),
    "delete": ("DELETE", "/api/sessions", {"threadId": "t"}),
}
on_threads = pytest.mark.parametrize("route", ON_THREADS.values(), ids=ON_THREADS)


def an_app(*app_keys: str, kv: MemoryKv | None = None, signing_keys: tuple[bytes, ...] = (KEY,)) -> Client:
    return make_client(Settings(signing_keys=signing_keys, app_keys=app_keys or (APP_KEY,)), kv)


def app_token(resource: str = ADA, ends_seconds: int = NOW_SECONDS + 3600, key: bytes = KEY) -> str:
    return Signer((key,)).sign(Claims(Role.APP, resource, ends_seconds))


async def mint(client: Client, token: str | None = APP_KEY, **body: Any) -> Reply:
    return await client.call("POST", "/api/tokens", {"resourceId": ADA, **body}, token=token)


async def use(client: Client, route: tuple[str, str, Any], token: str | None, resource: str | None = None) -> Reply:
    method, url, body = route
    named = {} if resource is None else {"resourceId": resource}
    if body is None:
        query = f"?resourceId={resource.replace('@', '%40')}" if resource else ""
        return await client.call(method, url + query, token=token)
    return await client.call(method, url, {**body, **named}, token=token)


async def begin_thread(client: Client, resource: str, thread: str = "t", message: str = "Hi") -> None:
    body = {"message": message, "threadId": thread, "resourceId": resource}
    assert (await client.call("POST", "/api/chat", body, token=APP_KEY)).status == 200


async def test_a_token_is_made_for_one_resource_and_an_hour():
    reply = await mint(an_app())
    assert (reply.status, reply.headers["Cache-Control"]) == (201, "no-store")
    made = reply.json()
    assert made["resourceId"] == ADA
    assert made["expiresAt"] == to_iso((NOW_SECONDS + 3600) * 1000)
    assert Signer((KEY,)).unsign(made["token"], START_MS) == Claims(Role.APP, ADA, NOW_SECONDS + 3600)


@pytest.mark.parametrize("ttl", [60, 86_400])
def test_its_time_is_from_a_minute_to_a_day(ttl: int):
    made = run(mint(an_app(), ttl=ttl)).json()
    assert made["expiresAt"] == to_iso((NOW_SECONDS + ttl) * 1000)


@pytest.mark.parametrize("ttl", [59, 86_401, 0, -60, 60.5, "60", None, True])
def test_another_time_is_refused(ttl: Any):
    assert outcome(run(mint(an_app(), ttl=ttl))) == (400, "invalid_body")


@pytest.mark.parametrize("resource", ["", " a", "a\n", "..", "x" * 129, "\u0001", "\u6771" * 23])
def test_what_is_no_resource_gets_no_token(resource: str):
    assert outcome(run(mint(an_app(), resourceId=resource))) == (400, "invalid_id")


@pytest.mark.parametrize(("body", "code"), [({"resourceId": 1}, "invalid_body"), ({"role": "host"}, "unknown_field")])
def test_what_is_no_order_for_a_token_is_refused(body: Any, code: str):
    assert outcome(run(mint(an_app(), **body))) == (400, code)


async def test_only_an_app_itself_makes_tokens():
    client = an_app()
    session = await client.open_session()
    made = (await mint(client)).json()["token"]
    for token in (session.host, await client.join(session.code), made):
        assert outcome(await mint(client, token)) == (403, "wrong_role")
    assert outcome(await mint(client, None)) == (401, "token_required")
    assert outcome(await mint(client, APP_KEY + "x")) == (401, "invalid_token")
    assert outcome(await mint(client, made[:-1])) == (401, "invalid_token")
    assert outcome(await mint(client, app_token(ends_seconds=NOW_SECONDS))) == (401, "token_expired")


async def test_who_it_is_is_asked_before_anything_else_is_told():
    reply = await an_app().call("POST", "/api/tokens", body=b"{")
    assert outcome(reply) == (401, "token_required")


@pytest.mark.parametrize("token", [None, "nonsense"])
async def test_where_no_app_has_a_key_nobody_makes_tokens_and_is_told_why(token: str | None):
    reply = await mint(make_client(), token)
    assert reply.status == 401
    assert "until APP_KEYS is set" in reply.json()["detail"]


@on_threads
async def test_a_token_reaches_the_threads_of_its_resource(route: tuple[str, str, Any]):
    for resource in (ADA, None):
        client = an_app()
        await begin_thread(client, ADA)
        reply = await use(client, route, app_token(), resource)
        assert reply.status in (200, 201, 204), reply.body


@on_threads
async def test_a_token_reaches_no_other_resource(route: tuple[str, str, Any]):
    client = an_app()
    await begin_thread(client, BOB)
    for resource in (BOB, ADA.upper(), ADA + "x", ADA[:-1]):
        assert outcome(await use(client, route, app_token(), resource)) == (403, "wrong_resource")
    threads = await client.call("GET", f"/api/sessions?resourceId={BOB}", token=APP_KEY)
    assert threads.json()["count"] == 1


@on_threads
async def test_without_a_resource_a_token_means_its_own_and_not_that_of_the_thread(route: tuple[str, str, Any]):
    client = an_app()
    # A thread that was begun without a resource is its own resource; Ada's token must not reach it by its name.
    await begin_thread(client, "t", message="the secret of t")
    reply = await use(client, route, app_token())
    assert b"the secret of t" not in reply.body
    left = await client.call("GET", "/api/sessions?resourceId=t", token=APP_KEY)
    assert [thread["threadId"] for thread in left.json()["sessions"]] == ["t"]


async def test_what_one_says_with_a_token_is_in_the_threads_that_the_app_sees():
    client = an_app()
    await use(client, ON_THREADS["ask as the AI SDK does"], app_token())
    threads = (await client.call("GET", f"/api/sessions?resourceId={ADA}", token=APP_KEY)).json()["sessions"]
    assert [(thread["resourceId"], thread["threadId"]) for thread in threads] == [(ADA, "t")]
    assert (await use(client, ON_THREADS["list"], app_token())).json()["sessions"] == threads


async def test_nobody_forks_another_ones_thread():
    client = an_app()
    await begin_thread(client, BOB)
    assert outcome(await use(client, ON_THREADS["fork"], app_token())) == (404, "thread_not_found")


@on_threads
async def test_a_token_that_is_over_changed_or_of_another_key_reaches_nothing(route: tuple[str, str, Any]):
    for client in (an_app(), make_client()):
        over = app_token(ends_seconds=NOW_SECONDS)
        assert outcome(await use(client, route, over, ADA)) == (401, "token_expired")
        for wrong in (app_token(key=KEY[::-1]), app_token()[:-1], app_token() + "A", "wp1.app"):
            assert outcome(await use(client, route, wrong, ADA)) == (401, "invalid_token")


@on_threads
async def test_a_sessions_token_reaches_no_threads_whether_or_not_there_are_keys(route: tuple[str, str, Any]):
    for client in (an_app(), make_client()):
        session = await client.open_session()
        for token in (session.host, await client.join(session.code)):
            assert outcome(await use(client, route, token, ADA)) == (403, "wrong_role")


@on_threads
async def test_where_threads_are_open_a_token_still_binds(route: tuple[str, str, Any]):
    client = make_client()
    await client.call("POST", "/api/chat", {"message": "Hi", "threadId": "t", "resourceId": BOB})
    assert outcome(await use(client, route, app_token(), BOB)) == (403, "wrong_resource")


def test_where_threads_are_open_what_is_no_token_of_ours_is_passed_over():
    assert run(use(make_client(), ON_THREADS["list"], "somebody else's token", ADA)).status == 200


@pytest.mark.parametrize("route", [ON_THREADS["fork"], ON_THREADS["describe"], ON_THREADS["delete"]])
async def test_only_with_a_token_may_the_resource_be_left_out(route: tuple[str, str, Any]):
    for client, token in ((an_app(), APP_KEY), (make_client(), None)):
        reply = await use(client, route, token)
        assert outcome(reply) == (400, "invalid_body")
        assert "resourceId" in reply.json()["detail"]


@pytest.mark.parametrize("resource", [ADA, "{code}"])
async def test_an_apps_token_opens_no_session(resource: str):
    client = an_app()
    session = await client.open_session()
    token = app_token(resource.replace("{code}", session.code))
    body = {"code": session.code}
    replies = [
        await client.call("DELETE", f"/api/sessions/{session.code}", token=token),
        await client.call("POST", f"/api/sessions/{session.code}/extend", token=token),
        await client.call("PUT", f"/api/sessions/{session.code}/tools", {"tools": []}, token=token),
        await client.call("POST", "/api/request", {**body, "tool": "echo"}, token=token),
        await client.call("POST", "/api/request/r/cancel", body, token=token),
        await client.call("POST", "/api/response", {**body, "id": "r", "result": 1}, token=token),
        await client.call("POST", "/api/ack", {**body, "cursors": ["c"]}, token=token),
        await client.call("GET", f"/api/poll?code={session.code}", token=token),
        await client.call("GET", f"/api/stream?code={session.code}", token=token),
        await client.call("GET", f"/api/stream?code={session.code}&token={token}"),
    ]
    assert {outcome(reply) for reply in replies} == {(403, "wrong_role")}


async def test_a_token_ends_at_exactly_its_second():
    client = an_app()
    token = (await mint(client, ttl=60)).json()["token"]
    await asyncio.sleep(59.99)
    assert (await use(client, ON_THREADS["list"], token)).status == 200
    await asyncio.sleep(0.01)
    assert outcome(await use(client, ON_THREADS["list"], token)) == (401, "token_expired")


def test_tokens_outlive_the_app_key_that_made_them_and_end_with_the_signing_key():
    token = run(mint(an_app())).json()["token"]
    new = b"n" * 32
    for client, status in (
        (an_app("another-key-of-the-app"), 200),
        (an_app(signing_keys=(new, KEY)), 200),
        (an_app(signing_keys=(new,)), 401),
    ):
        assert run(use(client, ON_THREADS["list"], token)).status == status
