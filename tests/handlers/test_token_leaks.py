"""A secret goes only to the caller that it was made for: no reply and no log line repeats a secret that was sent."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from simulation.client import KEY, Client, make_client
from simulation.virtual_time import VirtualClock
from tests.support.sinks import ListSinks
from waypost_worker.app import ROUTES, Handler
from waypost_worker.http.messages import Response
from waypost_worker.http.routing import Route
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import ListPage
from waypost_worker.security.tokens import Claims, Role, Signer
from waypost_worker.sessions.session import session_cache
from waypost_worker.settings import Settings

APP_KEY = "3Jc-the-only-key-of-this-app"
SETTINGS = Settings(signing_keys=(KEY,), app_keys=(APP_KEY,))
END_SECONDS = VirtualClock().now_ms() // 1000 + 3600
THREAD = {"threadId": "t", "resourceId": "ada"}
BODIES: dict[str, Any] = {
    "PUT /api/sessions/{code}/tools": {"tools": []},
    "POST /api/tokens": {"resourceId": "ada"},
    "DELETE /api/sessions": THREAD,
    "POST /api/sessions/metadata": THREAD,
    "POST /api/request": {"code": "{code}", "tool": "echo"},
    "POST /api/request/{id}/cancel": {"code": "{code}"},
    "POST /api/response": {"code": "{code}", "id": "r", "result": 1},
    "POST /api/ack": {"code": "{code}", "cursors": ["c"]},
    "PUT /api/conversations/{sessionId}": {"messages": []},
    "POST /api/conversations/{sessionId}/messages": {"messages": [{"id": "m", "role": "user", "content": "Hi"}]},
    "POST /api/voice-agent/chat": {"question": "Hi", "sessionId": "s"},
    "POST /api/chat": {"message": "Hi", **THREAD},
    "POST /api/chat/fork": {"forkFromThreadId": "t", "threadId": "fork", "resourceId": "ada"},
    "POST /api/chat/{threadId}/stop": {"resourceId": "ada"},
    "PUT /api/pages/{intentId}": {"html": "<p>", "title": "", "sessionId": "s"},
}
QUERIES = {
    "GET /api/sessions": "resourceId=ada",
    "GET /api/stream": "code={code}",
    "GET /api/poll": "code={code}",
    "GET /api/chat/{threadId}/stream": "resourceId=ada",
    "DELETE /api/pages/{intentId}": "sessionId=s",
}
ISSUED = {
    "POST /api/sessions": "hostToken",
    "POST /api/sessions/{code}/join": "guestToken",
    "POST /api/tokens": "token",
}
"""The only replies that have a token in them, and where."""

SECRETS = 10

every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")


class BrokenKv(MemoryKv):
    """Works until `is_broken` is set, then fails with an unexpected error."""

    is_broken = False

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if self.is_broken:
            raise RuntimeError("the store is gone")
        return await super().list(prefix, cursor=cursor, limit=limit)

    async def get_many(self, keys: Any) -> dict[str, str]:
        if self.is_broken:
            raise RuntimeError("the store is gone")
        return await super().get_many(keys)


def name_of(route: Route[Handler]) -> str:
    return f"{route.method} {route.template}"


class Scene:
    """A session and a thread, and everything that is secret about them; with what is nearly so, or was."""

    def __init__(self) -> None:
        self.kv = BrokenKv(VirtualClock())
        self.sinks = ListSinks()
        self.client: Client = make_client(SETTINGS, self.kv, sinks=self.sinks)

    async def begin(self) -> None:
        session = await self.client.open_session()
        self.code = session.code
        guest = await self.client.join(session.code)
        reply = await self.client.call("POST", "/api/tokens", {"resourceId": "ada"}, token=APP_KEY)
        app: str = reply.json()["token"]
        self.right = (session.host, guest, app, APP_KEY)
        await self.client.call("POST", "/api/chat", {"message": "Hi", **THREAD}, token=APP_KEY)
        claims = [Claims(role, session.code if role is not Role.APP else "ada", END_SECONDS) for role in Role]
        forged = [Signer((KEY[::-1],)).sign(claim) for claim in claims]
        over = [Signer((KEY,)).sign(Claims(claim.role, claim.subject, 1)) for claim in claims]
        other = (await self.client.open_session()).host
        self.wrong = (forged[2], over[0], over[1], other, session.host[:-1], APP_KEY[:-1])
        assert len(self.right + self.wrong) == SECRETS

    async def send(
        self, route: Route[Handler], query: str = "", body: bytes | None = None, **headers: str
    ) -> tuple[Response, bytes]:
        """The reply, and of its stream the beginning."""
        name = name_of(route)
        path = route.template
        for part in path.split("/"):
            if part.startswith("{"):
                path = path.replace(part, {"{code}": self.code, "{threadId}": "t"}.get(part, "s"))
        url = f"{path}?{'&'.join(filter(None, [QUERIES.get(name, ''), query]))}".replace("{code}", self.code)
        if body is None:
            body = b"" if route.method == "GET" else json.dumps(BODIES.get(name, {})).encode()
            body = body.replace(b"{code}", self.code.encode())
        sent = {"Content-Type": "application/json", **headers} if body else headers
        response = await self.client.open(route.method, url, body=body, headers=sent)
        text = b""
        if isinstance(response.body, AsyncGenerator):
            async for chunk in response.body:
                text += chunk
                break
            await response.body.aclose()
        return response, text or (response.body if isinstance(response.body, bytes) else b"")

    def told(self, route: Route[Handler], reply: tuple[Response, bytes]) -> str:
        """All that the reply, the log and the data points say, but for the token that was made."""
        response, body = reply
        issued = ISSUED.get(name_of(route))
        if issued and response.status < 300:
            view = json.loads(body)
            assert view.pop(issued).startswith("wp1.")
            body = json.dumps(view).encode()
        return f"{response.headers} {body.decode('latin-1')} {self.client.log} {self.sinks.texts}"


def outcome(reply: tuple[Response, bytes]) -> tuple[int, str]:
    response, body = reply
    return response.status, json.loads(body or b"{}").get("code", "") if response.status >= 400 else ""


@every_route
async def test_what_is_shown_in_a_header_is_never_repeated(route: Route[Handler]):
    for number in range(SECRETS):
        scene = Scene()
        await scene.begin()
        secret = (scene.right + scene.wrong)[number]
        for header in (f"Bearer {secret}", secret, f"Basic {secret}", f"Bearer {secret} {secret}"):
            told = scene.told(route, await scene.send(route, Authorization=header))
            assert secret not in told


@every_route
async def test_what_is_shown_in_the_url_is_never_repeated_and_is_no_credential_but_of_a_stream(route: Route[Handler]):
    for number in range(SECRETS):
        bare, scene = Scene(), Scene()
        await bare.begin()
        await scene.begin()
        secret = (scene.right + scene.wrong)[number]
        reply = await scene.send(route, f"token={secret}")
        assert secret not in scene.told(route, reply)
        if name_of(route) != "GET /api/stream":
            assert outcome(reply) == outcome(await bare.send(route))


async def test_a_stream_takes_the_token_from_the_url():
    scene = Scene()
    await scene.begin()
    [route] = [route for route in ROUTES if name_of(route) == "GET /api/stream"]
    roles = [(await scene.send(route, f"token={token}"))[1] for token in scene.right[:2]]
    assert [role.count(b'"role":"host"') for role in roles] == [1, 0]
    replies = [outcome(await scene.send(route, f"token={secret}")) for secret in scene.right[2:] + scene.wrong]
    refusals = [
        "wrong_role",
        *["invalid_token"] * 2,
        *["token_expired"] * 2,
        "wrong_session",
        *["invalid_token"] * 2,
    ]
    assert [code for _, code in replies] == refusals


@every_route
async def test_what_stands_in_a_body_where_it_does_not_belong_is_never_repeated(route: Route[Handler]):
    for number in range(SECRETS):
        scene = Scene()
        await scene.begin()
        secret = (scene.right + scene.wrong)[number]
        # A document may be any JSON, and the reply to a PUT does not repeat it.
        for text in ('"%s"', '{"code": "%s"', '{"code": "%s"}', '{"token": "%s"}', '["%s"]', "%s"):
            body = (text % secret).encode()
            for headers in ({}, {"Authorization": f"Bearer {APP_KEY}"}, {"Content-Type": "text/plain"}):
                told = scene.told(route, await scene.send(route, body=body, **headers))
                assert secret not in told


@every_route
async def test_what_is_shown_is_not_in_the_log_of_a_failure_either(route: Route[Handler]):
    for number in range(SECRETS):
        scene = Scene()
        await scene.begin()
        secret = (scene.right + scene.wrong)[number]
        scene.kv.is_broken = True
        scene.client.app.isolate.sessions = session_cache()
        query = f"token={secret}"
        told = scene.told(route, await scene.send(route, query, Authorization=f"Bearer {secret}"))
        assert secret not in told


async def test_failures_are_logged_in_that_test():
    scene = Scene()
    await scene.begin()
    scene.kv.is_broken = True
    [route] = [route for route in ROUTES if name_of(route) == "GET /api/sessions"]
    assert outcome(await scene.send(route, Authorization=f"Bearer {APP_KEY}")) == (500, "internal")
    assert "RuntimeError" in scene.client.log[0]


@every_route
async def test_no_line_and_no_data_point_has_a_code_or_an_id_that_a_request_names(route: Route[Handler]):
    scene = Scene()
    await scene.begin()
    scene.sinks.texts.clear()
    await scene.send(route, "after=named-by-the-request", Authorization=f"Bearer {APP_KEY}")
    # The line of a request that goes on in the background comes when that has ended.
    await asyncio.gather(*scene.client.background)
    [line, point] = scene.sinks.texts
    assert f'"route":"{route.template}"' in line
    assert route.template in point
    assert not [named for named in (scene.code, "named-by", '"s"', '"t"', '"ada"') if named in line + point]
