"""Tokens over HTTP: made, used, never repeated, by what is recorded of requests either; and codes that let one guest
join."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http_api import Api, new_address
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from waypost_worker.app import ROUTES

APP_KEY = "3Jc-the-only-key-of-this-app"
KEY = "a key that is made up for these tests only"
ADA, BOB = "user:ada@example.org", "user:bob@example.org"
ISSUED = {
    "POST /api/sessions": "hostToken",
    "POST /api/sessions/{code}/join": "guestToken",
    "POST /api/tokens": "token",
}

BY_CODE = ("/api/stream", "/api/poll")


@pytest.fixture(scope="module")
def guarded() -> Iterator[LocalWorker]:
    """A Worker with an app, whose codes have 16 characters and let one guest join. Each request has its line."""
    settings = {"APP_KEYS": APP_KEY, "REQUIRE_TOKEN": "once", "CODE_LENGTH": "16", "LOG_LEVEL": "request"}
    with LocalWorker(KEY, **settings) as worker:
        yield worker


@pytest.fixture
def api(guarded: LocalWorker) -> Iterator[Api]:
    with Api(guarded.url) as caller:
        yield caller


def mint(api: Api, resource: str = ADA) -> str:
    reply = api.call("POST", "/api/tokens", {"resourceId": resource}, APP_KEY)
    assert (reply.status_code, reply.headers["cache-control"]) == (201, "no-store"), reply.text
    token: str = reply.json()["token"]
    return token


def test_a_browser_with_an_apps_token_asks_and_lists_and_reaches_nobody_else(api: Api) -> None:
    token = mint(api)
    said = [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}]
    asked = api.call("POST", "/api/chat", {"id": "t", "messages": said, "trigger": "submit-message"}, token)
    assert asked.status_code == 200, asked.text
    threads = api.call("GET", "/api/sessions", token=token).json()["sessions"]
    assert [(thread["resourceId"], thread["threadId"]) for thread in threads] == [(ADA, "t")]
    refused = api.call("GET", "/api/sessions", token=token, params={"resourceId": BOB})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_resource")
    assert api.call("GET", "/api/sessions", token=mint(api, BOB)).json()["sessions"] == []
    assert api.call("GET", "/api/sessions").json()["code"] == "token_required"


def test_a_code_of_16_characters_lets_one_guest_join(api: Api) -> None:
    session = api.open_session()
    assert len(session.code) == 16
    typed = "-".join(session.code[i : i + 4] for i in range(0, 16, 4)).lower()
    path = f"/api/sessions/{typed}/join"
    joined = api.call("POST", path, {"id": "ada"})
    assert joined.status_code == 200, joined.text
    second = api.call("POST", path, {"id": "bob"})
    assert (second.status_code, second.json()["code"]) == (403, "code_closed")
    assert api.call("POST", path, {"id": "ada"}).json() == joined.json()
    guest = joined.json()["guestToken"]
    assert session.read().json()["code"] == "token_required"
    assert api.call("GET", session.path, token=guest).status_code == 200
    assert session.ask(id="r", token=guest).status_code == 202
    assert api.call("GET", f"/api/sessions/{session.code[:8]}", token=guest).json()["code"] == "wrong_session"


def tell(
    api: Api, method: str, path: str, query: dict[str, str], body: Any = None, shown: str = ""
) -> tuple[int, str, bytes]:
    """Status, headers and body of a reply; of a stream, which may not end, its first bytes."""
    # From an address of its own each time: what is wrong is counted.
    headers = {"Content-Type": "application/json", "CF-Connecting-IP": new_address()}
    headers |= {"Authorization": f"Bearer {shown}"} if shown else {}
    content = None if body is None else json.dumps(body).encode()
    with api.http.stream(method, path, params=query, headers=headers, content=content) as reply:
        pieces = reply.iter_bytes()
        is_stream = "event-stream" in reply.headers.get("content-type", "")
        return reply.status_code, str(reply.headers), next(pieces, b"") if is_stream else b"".join(pieces)


def test_no_reply_and_no_line_of_the_log_repeats_what_is_secret(guarded: LocalWorker, api: Api) -> None:
    session = api.open_session()
    secrets = [session.host_token, session.join(), mint(api), APP_KEY]
    secrets += [secrets[0][:-1], secrets[2][:-1], KEY]
    # The one that ends the session comes last.
    routes = sorted(ROUTES, key=lambda route: (route.method, route.template) == ("DELETE", "/api/sessions/{code}"))
    for route in routes:
        name = f"{route.method} {route.template}"
        path = route.template.replace("{code}", session.code).replace("{", "").replace("}", "")
        for secret in secrets:
            known = {"code": session.code} if route.template in BY_CODE else {"resourceId": ADA}
            replies = [tell(api, route.method, path, known, shown=secret)]
            replies.append(tell(api, route.method, path, {**known, "token": secret}))
            if route.method != "GET":
                replies.append(tell(api, route.method, path, known, {"token": secret}, APP_KEY))
            for status, headers, text in replies:
                assert status < 500, (name, text)
                if status < 300 and name in ISSUED:
                    text = json.dumps({**json.loads(text), ISSUED[name]: None}).encode()
                assert secret not in headers + text.decode(), name
    metrics = api.call("GET", "/metrics", token=APP_KEY).text
    assert "waypost_requests_total{" in metrics
    log = guarded.log_text()
    assert "POST /api/sessions" in log
    assert not [secret for secret in secrets if secret in log + metrics]
    # wrangler writes whole paths. What the Worker records has no code either.
    lines = [line for line in log.splitlines() if line.startswith('{"message":')]
    recorded = {json.loads(line)["route"] for line in lines}
    # A stream has its line when it ends.
    assert {route.template for route in ROUTES} - recorded <= {"/api/stream"}
    assert not [line for line in lines if session.code in line]


def test_behind_cloudflare_a_line_is_an_object_whose_fields_are_indexed(guarded: LocalWorker, api: Api) -> None:
    ray = "8f1c2d3e4b5a6978-FRA"
    health = api.call("GET", "/health", headers={"CF-Ray": ray})
    assert health.json()["workerVersion"]["id"]
    # As the runtime shows an object, over several lines.
    eventually(lambda: f"requestId: '{ray}'" in guarded.log_text())
    assert f'"requestId":"{ray}"' not in guarded.log_text()
