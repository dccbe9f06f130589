"""The version that was released last and this one on one KV, as while a deployment is rolled out.

Each test runs both ways: what one version stores, the other reads and continues. KV is strongly consistent here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.chat_client import ENDLESS, Chat, first_answer, next_answer
from tests.support.documents_api import place, put
from tests.support.http_api import Api, Session
from tests.support.mcp_caller import McpCaller, waiting
from tests.support.waiting import eventually
from tools.local.harness.two_isolates import TwoVersions

APP_KEY = "the-only-key-of-this-app"
TOOL = {"name": "add", "inputSchema": {"type": "object"}}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
MCP = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
LARGE = "x" * 2500
"""More than fits into the metadata of a key."""


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoVersions]:
    with TwoVersions(tmp_path_factory.mktemp("versions"), APP_KEY) as worker:
        yield worker


@pytest.fixture(params=["old to new", "new to old"])
def versions(rollout: TwoVersions, request: pytest.FixtureRequest) -> Iterator[tuple[Api, Api]]:
    """A caller of the version that stores, and one of the other."""
    with Api(rollout.url) as one, Api(rollout.url) as other:
        one.http.headers["X-Isolate"], other.http.headers["X-Isolate"] = "a", "b"
        yield (one, other) if request.param == "old to new" else (other, one)


@pytest.fixture
def chats(versions: tuple[Api, Api]) -> tuple[Chat, Chat]:
    """The same thread, in either."""
    here, there = versions
    chat = Chat(here, key=APP_KEY)
    return chat, Chat(there, chat.thread_id, chat.resource_id, APP_KEY)


def seen_from(there: Api, session: Session) -> Session:
    return Session(there, session.opened)


def mcp(api: Api, path: str, method: str, params: dict[str, Any], **headers: str) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return api.call("POST", path, message, headers={**MCP, **headers})


def test_a_session_is_read_joined_extended_and_ended_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    session = here.open_session(label="a label", data={"n": [1, "é"]})
    assert session.put_tools(TOOL).status_code == 200
    other = seen_from(there, session)
    seen = other.read().json()
    assert (seen["label"], seen["data"], seen["tools"][0]["name"]) == ("a label", {"n": [1, "é"]}, "add")

    guest = other.join()
    assert session.ask({"n": 1}, token=guest, id="from-a-guest").status_code == 202
    assert other.extend().status_code == 200
    assert session.read().json()["label"] == "a label"
    assert other.delete().status_code == 204
    assert other.read().json()["code"] == "session_ended"


@pytest.mark.parametrize("args", [{"n": 1}, {"text": LARGE}], ids=["small", "large"])
def test_a_call_and_its_answer_cross_from_one_version_to_the_other(versions: tuple[Api, Api], args: Any) -> None:
    here, there = versions
    session = here.open_session()
    host, guest = session.host_stream(), seen_from(there, session)
    results = guest.guest_stream()
    sent = guest.ask(args, id="one", producer="p", seq=1)
    assert sent.status_code == 202, sent.text
    request = host.next("request").data
    assert (request["id"], request["args"], request.get("replay", False)) == ("one", args, False)

    assert session.answer("one", {"half": True}, final=False).status_code == 202
    assert session.answer("one", args).status_code == 202
    progress, result = results.take(2, "response")
    assert (progress.data["final"], result.data["final"], result.data["result"]) == (False, True, args)
    # Sent again in either version, it is the same request.
    for asker in (guest, session):
        assert asker.ask(args, id="one", producer="p", seq=1, wait=10).json()["result"] == args


def test_a_stream_goes_on_in_the_other_version_where_it_was(versions: tuple[Api, Api]) -> None:
    here, there = versions
    session = here.open_session()
    other = seen_from(there, session)
    stream = session.host_stream(instance="a-host-that-moves")
    for id in ("answered", "waiting"):
        assert session.ask(id=id).status_code == 202
    first, second = stream.take(2, "request")
    assert session.answer("answered", 1).status_code == 202
    stream.close()
    assert session.ask(id="later").status_code == 202

    instance = stream.events[0].data["instance"]
    again = there.stream(session.code, session.host_token, last_event_id=second.id, instance=instance)
    assert again.status == 200, again.body
    came = []
    while not came or came[-1][0] != "later":
        [event] = again.take(1, "request")
        came.append((event.data["id"], event.data.get("replay", False)))
    # An answered request is removed a second later. Hosts of a version that does not know that may be sent it again.
    assert [one for one in came if one != ("answered", True)] == [("waiting", True), ("later", False)]
    # A guest that polls misses nothing either; what has come already may come again.
    polled = session.poll(wait=5)
    assert [message["data"]["id"] for message in polled["messages"]] == ["answered"]
    assert other.answer("waiting", 2).status_code == 202
    rest = other.poll(cursor=polled["cursor"], wait=5)
    assert {message["data"]["id"] for message in rest["messages"]} - {"answered"} == {"waiting"}


def test_a_call_is_cancelled_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    session = here.open_session()
    host = session.host_stream()
    assert session.ask(id="slow").status_code == 202
    host.next("request")
    assert seen_from(there, session).cancel("slow").status_code in (200, 202)
    assert host.next("cancel").data["id"] == "slow"
    assert seen_from(there, session).ask(id="slow", wait=5).json()["error"]["code"] == "cancelled"


def test_an_mcp_client_goes_on_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    session = here.open_session()
    assert session.put_tools(TOOL).status_code == 200
    begun = mcp(here, f"/mcp/{session.code}", "initialize", INITIALIZE)
    id = begun.headers["mcp-session-id"]
    listed = mcp(there, f"/mcp/{session.code}", "tools/list", {}, **{"Mcp-Session-Id": id})
    assert [tool["name"] for tool in listed.json()["result"]["tools"]] == ["add"]
    assert mcp(here, "/mcp", "ping", {}, Authorization=f"Bearer {session.join()}").json()["result"] == {}


def test_an_mcp_call_is_taken_up_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    session = here.open_session()
    caller = McpCaller(here, session.code)
    event_id, _ = caller.call(3)
    other = seen_from(there, session)
    id = waiting(other)
    stream = caller.resumed(event_id, there)
    assert stream.status == 200, stream.body
    assert other.answer(id, {"n": 1}).status_code == 202
    reply = next(event.data for event in stream.take(2, "message") if event.text)
    assert (reply["id"], reply["result"]["structuredContent"]) == (3, {"n": 1})


def test_an_mcp_address_leads_to_a_session_of_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    secret = secrets.token_urlsafe(32)
    older = here.open_session(addressSecret=secret)
    assert older.put_tools(TOOL).status_code == 200
    path = f"/mcp/{older.opened['address']}"
    assert mcp(there, path, "tools/list", {}).json()["result"]["tools"][0]["name"] == "add"

    newer = there.open_session(addressSecret=secret)
    assert newer.opened["address"] == older.opened["address"]
    assert newer.put_tools({**TOOL, "name": "newer"}).status_code == 200
    assert mcp(there, path, "tools/list", {}).json()["result"]["tools"][0]["name"] == "newer"
    taken = here.call("PUT", f"{older.path}/address", {"secret": secret}, older.host_token)
    assert taken.status_code in (200, 409), taken.text
    withdrawn = here.call("DELETE", f"/api/addresses/{older.opened['address']}", None, secret)
    assert withdrawn.status_code == 204, withdrawn.text


def test_a_chat_goes_on_in_the_other_version(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    assert here.ask("My name is Ada.", messageId="m1").whole() == first_answer("My name is Ada.")
    # Sent again, it is the same question.
    assert there.ask("My name is Ada.", messageId="m1").whole() == first_answer("My name is Ada.")
    assert there.ask("Who am I?").whole() == next_answer("Who am I?", "My name is Ada.")
    there.append("a note")
    said = here.said()
    assert [role for role, _ in said] == ["user", "assistant", "user", "assistant", "user"]
    assert said == there.said()


def test_a_running_answer_is_followed_and_stopped_in_the_other_version(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    asked = here.ask(ENDLESS).heard("word3")
    followed = there.follow()
    assert there.ask("and?").problem == (409, "answer_running")
    assert there.stop(generationId=asked.head()["generationId"])["stopped"] is True
    assert asked.end()["finishReason"] == followed.end()["finishReason"] == "stopped"
    assert eventually(there.said)[1] == ("assistant", f"{asked.text}…")


def test_threads_are_listed_forked_exported_and_deleted_in_the_other_version(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    here.ask("Hi").whole()
    url = f"/api/threads/{here.thread_id}"
    body = {"resourceId": here.resource_id, "title": "A title", "metadata": {"a": "1"}}
    assert here.api.call("PATCH", url, body, APP_KEY).status_code == 200

    listed = there.api.call("GET", "/api/sessions", token=APP_KEY, params={"resourceId": here.resource_id}).json()
    assert [(each["threadId"], each["title"], each["metadata"]) for each in listed["sessions"]] == [
        (here.thread_id, "A title", {"a": "1"})
    ]
    more = {"threadId": f"more-{uuid4()}", "resourceId": here.resource_id}
    assert here.api.call("POST", "/api/threads", more, APP_KEY).status_code == 201
    query = {"resourceId": here.resource_id, "limit": "1"}
    first = here.api.call("GET", "/api/sessions", token=APP_KEY, params=query).json()
    rest = there.api.call("GET", "/api/sessions", token=APP_KEY, params={**query, "cursor": first["cursor"]}).json()
    assert [page["sessions"][0]["threadId"] for page in (first, rest)] == [more["threadId"], here.thread_id]

    fork = {"forkFromThreadId": here.thread_id, "resourceId": here.resource_id, "threadId": f"fork-{uuid4()}"}
    forked = there.api.call("POST", "/api/chat/fork", fork, APP_KEY)
    assert forked.status_code in (200, 201), forked.text
    copy = Chat(here.api, fork["threadId"], here.resource_id, APP_KEY)
    assert copy.said() == here.said() == there.said()
    lines = there.api.call("GET", f"/api/resources/{here.resource_id}/export", token=APP_KEY).text
    assert lines.count(first_answer("Hi")[-20:]) == 2

    assert there.api.call("DELETE", "/api/sessions", here.name, APP_KEY).status_code == 200
    assert there.session() is None
    assert len(copy.said()) == 2


def test_messages_are_imported_deleted_and_popped_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    path = f"/api/conversations/{uuid4()}"
    items = [{"id": f"i{number}", "role": "user", "content": f"{number}"} for number in range(4)]
    assert here.call("POST", f"{path}/messages", {"messages": items}).status_code == 201
    assert there.call("DELETE", f"{path}/messages/i1").status_code in (200, 204)
    popped = there.call("POST", f"{path}/pop", {"id": "p"}).json()["message"]
    again = here.call("POST", f"{path}/pop", {"id": "p"}).json()["message"]
    assert (popped["id"], again["id"]) == ("i3", "i3")
    for api in versions:
        assert [message["id"] for message in api.call("GET", path).json()["messages"]] == ["i0", "i2"]
    exported = there.call("GET", path, params={"format": "jsonl"})
    imported = here.call("PUT", path, None, content=exported.content, headers={"Content-Type": "application/x-ndjson"})
    assert imported.status_code in (200, 201), imported.text


def test_an_image_survives_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    path = f"/api/conversations/{uuid4()}"
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 40_000}"}}
    stored = {"id": "i", "role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}
    assert here.call("POST", f"{path}/messages", {"messages": [stored]}).status_code == 201
    [seen] = there.call("GET", path).json()["messages"]
    text, part = seen["content"]
    # A version that knows no images apart from their messages shows where an image is.
    assert (text["text"], part["type"]) == ("What is this?", "image_url")
    assert part == image or part["image_url"]["url"].startswith("waypost:image/")

    assert there.call("POST", f"{path}/messages", {"messages": [{"role": "user", "content": "x"}]}).status_code == 201
    again = here.call("GET", path).json()["messages"]
    assert [message["content"] for message in again] == [stored["content"], "x"]


def test_a_document_keeps_its_etag_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    path = place()
    stored = put(here, path, b'{"a": 1}')
    seen = there.call("GET", path)
    assert (seen.content, seen.headers["ETag"]) == (b'{"a": 1}', stored.headers["ETag"])
    assert there.call("GET", path, headers={"If-None-Match": stored.headers["ETag"]}).status_code == 304
    changed = put(there, path, b'{"a": 2}', If_Match=stored.headers["ETag"])
    assert changed.status_code == 200
    assert put(here, path, b'{"a": 3}', If_Match=stored.headers["ETag"]).status_code == 412
    assert here.call("GET", path).headers["ETag"] == changed.headers["ETag"]
    listed = there.call("GET", path.rsplit("/", 1)[0]).json()["documents"]
    assert [(each["name"], each["etag"]) for each in listed] == [("notes", changed.headers["ETag"])]


def test_a_page_is_shown_and_replaced_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    path = f"/api/pages/{uuid4()}"
    body = {"html": f"<p>{LARGE}</p>", "title": "One", "sessionId": str(uuid4())}
    stored = here.call("PUT", path, body)
    assert stored.status_code == 201, stored.text
    seen = there.call("GET", path)
    assert (seen.json()["html"], seen.headers["ETag"]) == (body["html"], stored.headers["ETag"])
    assert there.call("PUT", path, {**body, "title": "Two"}).status_code == 200
    assert there.call("PUT", path, {**body, "sessionId": str(uuid4())}).status_code == 403
    assert there.call("GET", path).json()["title"] == "Two"


def test_an_apps_token_is_taken_in_the_other_version(versions: tuple[Api, Api]) -> None:
    here, there = versions
    made = here.call("POST", "/api/tokens", {"resourceId": "ada"}, APP_KEY)
    assert made.status_code == 201, made.text
    assert there.call("GET", "/api/sessions", token=made.json()["token"]).json()["sessions"] == []
