"""The life of a session over HTTP: opened, read, joined, renewed, ended; and the events about that on its streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import pytest

from tests.support.documents_api import place, put
from tests.support.http_api import Api
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project, drop_binding
from waypost_worker.app import ROUTES, Handler
from waypost_worker.http.routing import Route

ORIGIN = "https://app.example"

TOOL = {
    "name": "page/set-title_1.0",
    "title": "Set the title",
    "description": "Sets the page's title.\u2028 \U0001f680",
    "inputSchema": {"type": "object", "properties": {"title": {"type": "string", "maxLength": 2**63}}, "minimum": 1.0},
    "annotations": {"readOnlyHint": False},
}


@dataclass(frozen=True)
class Others:
    """`guarded`: a code alone is not enough, and pages of one other origin may call. `keyless`: without SIGNING_KEY.
    `forgetful`: without a KV namespace."""

    guarded: LocalWorker
    keyless: LocalWorker
    forgetful: LocalWorker


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Others]:
    """Workers with other settings, started side by side."""
    project = copy_project(tmp_path_factory.mktemp("memory") / "project")
    drop_binding(project, "kv_namespaces")
    others = Others(
        LocalWorker(REQUIRE_TOKEN="1", ALLOWED_ORIGINS=ORIGIN), LocalWorker(signing_key=None), ProjectWorker(project)
    )
    started = (others.guarded, others.keyless, others.forgetful)
    try:
        for worker in started:
            worker.start()
        for worker in started:
            worker.wait_ready()
        yield others
    finally:
        for worker in started:
            worker.stop()


def test_a_session_is_opened_with_nothing_but_a_post(api: Api) -> None:
    reply = api.http.post("/api/sessions")
    opened = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == f"/api/sessions/{opened['code']}"
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{8}", opened["code"])
    assert opened["active"] is True
    assert (opened["label"], opened["data"], opened["ip"]) == (None, None, api.address)
    lives = moment(opened["expiresAt"]) - moment(opened["createdAt"])
    # createdAt is cut to a whole second, which the token carries.
    assert timedelta(minutes=10) <= lives < timedelta(minutes=10, seconds=2)


def test_what_a_host_says_of_its_session_is_what_a_guest_reads(api: Api) -> None:
    data = {"n": [1.0, -0.0, 2**63, None], "text": "\u2028\x00\r\n", "": {}}
    session = api.open_session(ttl=3600, label="A label — with \U0001f600", data=data)
    reply = session.read()
    assert reply.status_code == 200
    assert reply.json() == {
        "code": session.code,
        "createdAt": session.opened["createdAt"],
        "expiresAt": session.opened["expiresAt"],
        "active": True,
        "label": "A label — with \U0001f600",
        "data": data,
        "hostOnline": False,
        "hostSeenAt": None,
        "tools": [],
        "guests": "shared",
    }
    assert json.dumps(reply.json()["data"]) == json.dumps(data)
    assert session.host_token not in reply.text


def test_a_code_is_read_with_l_for_1_and_o_for_0(api: Api) -> None:
    session = api.open_session()
    spelling = session.code.replace("1", "l").replace("0", "o").lower()
    reply = api.call("GET", f"/api/sessions/{spelling[:4]}-{spelling[4:]}")
    assert (reply.status_code, reply.json()["code"]) == (200, session.code)


def test_tools_come_back_as_they_were_put(api: Api) -> None:
    session = api.open_session()
    other = {"name": "b", "inputSchema": {"type": "object"}}
    assert session.put_tools(TOOL, {"name": "b", "title": None}).json() == {"tools": [TOOL, other]}
    assert json.dumps(session.read().json()["tools"]) == json.dumps([TOOL, other])
    assert session.put_tools({"name": "c", "title": 5}).json()["tools"][0]["pointer"] == "/title"
    assert session.read().json()["tools"] == [TOOL, other]
    session.put_tools()
    assert session.read().json()["tools"] == []


def test_readers_are_told_that_the_tools_changed(api: Api) -> None:
    session = api.open_session(label="x")
    streams = session.host_stream(), session.guest_stream(), session.guest_stream(ndjson=True)
    session.put_tools(TOOL)
    for stream in streams:
        change = stream.next("session").data
        assert (change["code"], change["toolsChanged"], change["active"]) == (session.code, True, True)


def test_a_host_is_online_while_its_stream_is_open(api: Api) -> None:
    session = api.open_session()
    session.host_stream()
    seen = eventually(lambda: (read := session.read().json())["hostOnline"] and read)
    assert abs(moment(seen["hostSeenAt"]) - moment(session.opened["createdAt"])) < timedelta(minutes=1)


def test_a_host_that_polls_is_online_too(api: Api) -> None:
    session = api.open_session()
    session.poll(session.host_token)
    assert session.read().json()["hostOnline"] is True


def test_a_host_that_says_goodbye_is_offline_and_its_stream_over_and_a_late_goodbye_does_not_hide_the_next_one(
    api: Api,
) -> None:
    session = api.open_session()
    leave = f"{session.path}/leave"
    first = api.stream(session.code, session.host_token, instance="the-first-page")
    instance = first.next("ready").data["instance"]
    eventually(lambda: session.read().json()["hostOnline"])
    assert api.call("POST", leave, {"instance": instance}, session.host_token).status_code == 204
    first.wait_over()
    shown = session.read().json()
    assert (shown["hostOnline"], shown["active"]) == (False, True)
    assert shown["hostSeenAt"]
    second = api.stream(session.code, session.host_token, instance="the-second-page")
    second.next("ready")
    eventually(lambda: session.read().json()["hostOnline"])
    assert api.call("POST", leave, {"instance": instance}, session.host_token).status_code == 204
    assert session.read().json()["hostOnline"] is True


def test_a_newer_host_supersedes_the_older_one_and_gets_its_unanswered_calls_once_that_one_has_left(api: Api) -> None:
    session = api.open_session()
    older = api.stream(session.code, session.host_token, instance="the-older-host")
    instance = older.next("ready").data["instance"]
    for number in range(3):
        session.ask(id=f"call-{number}")
        assert older.next("request").data["id"] == f"call-{number}"
    newer = api.stream(session.code, session.host_token, instance="the-newer-host")
    assert newer.next("ready").data["tookOver"] is True
    assert older.next("superseded").data["since"]
    older.wait_over()
    session.answer("call-0", "from the older one")
    session.ask(id="fresh")
    assert newer.next("request").data["id"] == "fresh"
    # The two that it will not answer, not the one that it has answered.
    api.call("POST", f"{session.path}/leave", {"instance": instance}, session.host_token)
    rest = [newer.next("request").data for _ in range(2)]
    assert [(request["id"], request["replay"]) for request in rest] == [("call-1", True), ("call-2", True)]
    # An older one that reconnects is refused again.
    again = api.stream(session.code, session.host_token, instance=instance)
    assert again.next("superseded")
    assert not newer.has_next


def test_a_guest_that_listens_makes_no_host(api: Api) -> None:
    session = api.open_session()
    session.guest_stream()
    session.poll(session.join())
    assert session.read().json()["hostOnline"] is False


def test_an_extension_is_a_new_full_time_and_everybody_hears_of_it(api: Api) -> None:
    session = api.open_session(ttl=60)
    host, guest = session.host_stream(), session.guest_stream(ndjson=True)
    extended = session.extend()
    assert extended.status_code == 200
    assert moment(extended.json()["expiresAt"]) > moment(session.opened["expiresAt"])
    assert session.read().json()["expiresAt"] == extended.json()["expiresAt"]
    for stream in (host, guest):
        assert stream.next("session").data["expiresAt"] == extended.json()["expiresAt"]


def test_a_deleted_session_ends_every_stream_and_is_gone_for_everybody(api: Api) -> None:
    session = api.open_session()
    guest_token = session.join()
    streams = [
        session.host_stream(),
        session.host_stream(ndjson=True),
        session.guest_stream(),
        session.guest_stream(guest_token, ndjson=True),
    ]
    assert session.delete().status_code == 204
    for stream in streams:
        assert stream.next("end").data == {"reason": "ended"}
        stream.wait_over()
        assert stream.events[-1].name == "end"
    replies = [
        session.read(),
        session.delete(),
        session.extend(),
        session.put_tools(),
        session.ask(),
        session.ask(token=guest_token),
        session.answer("a"),
        session.cancel("a"),
        api.call("POST", f"{session.path}/join"),
        api.call("GET", "/api/poll", params={"code": session.code}),
        api.call("GET", "/api/stream", params={"code": session.code}, token=session.host_token),
    ]
    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(410, "session_ended")] * len(replies)


def test_the_token_in_the_query_is_for_streams_only(api: Api) -> None:
    session = api.open_session()
    with_query = {"code": session.code, "token": session.host_token}
    with api.http.stream("GET", "/api/stream", params=with_query) as reply:
        assert next(reply.iter_text()).count('"role":"host"') == 1
    refused = api.http.delete(session.path, params={"token": session.host_token})
    assert (refused.status_code, refused.json()["code"]) == (401, "token_required")
    session.ask()
    # A poll with it is the poll of a guest, who sees no requests.
    assert api.http.get("/api/poll", params=with_query).json()["messages"] == []


def test_health_says_what_is_in_force(api: Api) -> None:
    reply = api.http.get("/health")
    health = reply.json()
    assert reply.status_code == 200
    assert (health["status"], health["storage"], health["plan"], health["rateLimit"]) == ("ok", "kv", "paid", True)
    assert re.fullmatch(r"\d+\.\d+\.\d+", health["version"])
    assert "waypost-storage" not in reply.headers


def test_every_reply_says_how_many_store_operations_it_took(api: Api) -> None:
    session = api.open_session()
    asked = session.ask()
    with api.http.stream("GET", "/api/stream", params={"code": session.code}) as stream:
        streamed = stream
    replies = [
        api.http.post("/api/sessions"),
        session.read(),
        session.put_tools(),
        session.extend(),
        asked,
        session.answer(asked.json()["id"]),
        api.http.get("/api/poll", params={"code": session.code}),
        streamed,
        api.http.get("/health"),
        api.http.head("/health"),
        api.http.get("/nope"),
        api.http.put("/health"),
        api.http.post("/api/request", content=b"{", headers={"Content-Type": "application/json"}),
        session.cancel(asked.json()["id"]),
        session.delete(),
        session.read(),
    ]
    for reply in replies:
        timing = reply.headers["server-timing"]
        assert re.fullmatch(r'kv;desc="\d+ operations";dur=\d+', timing), f"{reply.request.url}: {timing}"
    assert asked.headers["server-timing"].startswith('kv;desc="1 operations"')


def test_a_head_request_has_the_headers_and_no_body(api: Api) -> None:
    session = api.open_session()
    for path in ("/health", session.path, f"/api/stream?code={session.code}"):
        reply = api.http.head(path)
        assert (reply.status_code, reply.content) == (200, b""), path


@pytest.mark.verify
def test_with_require_token_a_code_only_lets_one_join(others: Others) -> None:
    with Api(others.guarded.url) as api:
        session = api.open_session()
        refused = [
            session.ask(),
            session.cancel("a"),
            api.call("GET", "/api/poll", params={"code": session.code}),
            api.call("GET", "/api/stream", params={"code": session.code}),
        ]
        assert [(reply.status_code, reply.json()["code"]) for reply in refused] == [(401, "token_required")] * 4
        token = session.join()
        guest, host = session.guest_stream(token), session.host_stream()
        asked = session.ask({"a": 1}, token=token)
        assert asked.status_code == 202
        session.answer(host.next("request").data["id"], "done")
        assert guest.next("response").data["result"] == "done"


def test_pages_of_an_allowed_origin_may_read_replies_and_others_may_not(others: Others) -> None:
    with Api(others.guarded.url) as api:
        allowed = api.http.get("/health", headers={"Origin": ORIGIN})
        other = api.http.get("/health", headers={"Origin": "https://other.example"})
        preflight = api.http.options(
            "/api/request", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        )
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in other.headers
    assert allowed.headers["vary"] == other.headers["vary"] == "Origin"
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, ORIGIN)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_without_a_signing_key_every_route_says_unconfigured(route: Route[Handler], others: Others) -> None:
    path = route.template.replace("{code}", "K7Q2M9XA").replace("{id}", "a")
    reply = httpx.request(route.method, others.keyless.url + path)
    assert (reply.status_code, reply.json()["code"]) == (503, "unconfigured")
    assert "SIGNING_KEY" in reply.json()["detail"]


def test_a_worker_without_a_namespace_keeps_all_in_memory_and_says_so(others: Others) -> None:
    with Api(others.forgetful.url) as api:
        health = api.http.get("/health")
        assert (health.status_code, health.json()["status"], health.json()["storage"]) == (200, "ok", "memory")
        session = api.open_session()
        host, guest = session.host_stream(), session.guest_stream()
        asked = session.ask({"text": "x" * 200_000})
        request = host.next("request").data
        assert request["args"] == {"text": "x" * 200_000}
        session.answer(request["id"], request["args"])
        answered = session.ask(request["args"], id=request["id"])
        assert guest.next("response").data["result"] == request["args"]
        assert (asked.status_code, answered.status_code) == (202, 200)
        for reply in (health, asked, answered, session.read(), api.http.get("/nope")):
            assert reply.headers["waypost-storage"] == "memory"
        assert host.headers["waypost-storage"] == "memory"


def test_a_worker_without_a_namespace_keeps_documents_and_pages_in_memory_too(others: Others) -> None:
    with Api(others.forgetful.url) as api:
        path = place()
        etag = put(api, path, b"[1.0]").headers["etag"]
        page = {"html": "<p>", "sessionId": "s"}
        stored = api.call("PUT", "/api/pages/hut", page)
        replies = [api.http.get(path), api.http.get("/pages/hut"), api.http.get("/api/sessions/s/pages"), stored]
        assert [reply.headers["waypost-storage"] for reply in replies] == ["memory"] * 4
        assert [reply.content for reply in replies[:2]] == [b"[1.0]", b"<p>"]
        assert api.http.get(path, headers={"If-None-Match": etag}).status_code == 304
        assert put(api, path, b"2", If_Match='"x"').status_code == 412


def moment(text: str) -> datetime:
    """A time of the API: ISO 8601, UTC, milliseconds."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), text
    return datetime.fromisoformat(text)
