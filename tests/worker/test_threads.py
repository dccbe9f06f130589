"""Threads over HTTP, in workerd: begun by a chat, listed, described, deleted, and still there after a restart."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.http_api import Api
from tests.support.sse_client import SseDecoder, StreamEvent
from tools.local.harness.worker_project import ProjectWorker, copy_project

ENTRY = Path(__file__).parent / "threads_project" / "entry.py"
APP_KEY, OTHER_KEY = "the-key-of-one-app", "the-key-of-another-app"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MANY = 1200
"""More than a page of a listing."""


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectWorker]:
    """A Worker whose threads are for apps only."""
    project = copy_project(tmp_path_factory.mktemp("threads") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    with ProjectWorker(project, APP_KEYS=f"{APP_KEY} {OTHER_KEY}") as worker:
        yield worker


class Threads:
    """The threads of one resource, as an app sees them."""

    def __init__(self, api: Api, resource_id: str, key: str | None = APP_KEY) -> None:
        self.api = api
        self.resource_id = resource_id
        self.key = key

    def ask(self, thread_id: str, message: str = "hello", **fields: Any) -> tuple[StreamEvent, StreamEvent]:
        """How the answer to a message starts, and how it ends."""
        body = {"threadId": thread_id, "resourceId": self.resource_id, "message": message, **fields}
        reply = self.api.call("POST", "/api/chat", body, self.key)
        assert reply.status_code == 200, reply.text
        events = list(SseDecoder().feed(reply.content))
        return events[0], events[-1]

    def list(self, **parameters: Any) -> Any:
        reply = self.api.call("GET", "/api/sessions", token=self.key, params=self._name(**parameters))
        assert reply.status_code == 200, reply.text
        return reply.json()

    def delete(self, thread_id: str) -> httpx.Response:
        return self.api.call("DELETE", "/api/sessions", self._name(threadId=thread_id), self.key)

    def describe(self, thread_id: str, **fields: Any) -> httpx.Response:
        return self.api.call("POST", "/api/sessions/metadata", self._name(threadId=thread_id, **fields), self.key)

    def _name(self, **fields: Any) -> dict[str, Any]:
        return {"resourceId": self.resource_id, **fields}


@pytest.fixture
def api(keyed: ProjectWorker) -> Iterator[Api]:
    with Api(keyed.url) as caller:
        yield caller


def test_a_thread_is_begun_by_a_chat_and_listed_in_its_exact_shape(api: Api) -> None:
    ada = Threads(api, "user:ada@example.org/\u00fc")
    start, _ = ada.ask("Holidays 1", metadata={"title": "\u2028 \U0001f680", "n": 1.0})
    [shown] = ada.list()["sessions"]
    assert TIME.fullmatch(shown.pop("createdAt"))
    assert TIME.fullmatch(shown.pop("updatedAt"))
    assert shown == {
        "threadId": "Holidays 1",
        "resourceId": ada.resource_id,
        "sessionId": start.data["session_id"],
        "metadata": {"title": "\u2028 \U0001f680", "n": 1.0},
    }


def test_a_thread_goes_on_where_it_was_and_moves_to_the_front(api: Api) -> None:
    ada = Threads(api, "front")
    first, _ = ada.ask("a")
    ada.ask("b")
    again, done = ada.ask("a")
    assert again.data["session_id"] == first.data["session_id"]
    assert done.data["messageCount"] == 4
    assert [thread["threadId"] for thread in ada.list()["sessions"]] == ["a", "b"]


def test_metadata_is_shown_and_replaced(api: Api) -> None:
    ada = Threads(api, "described")
    ada.ask("t", metadata={"old": 1})
    replaced = ada.describe("t", metadata={"title": "Work", "open": True})
    shown = ada.describe("t")
    assert (replaced.status_code, shown.status_code) == (200, 200)
    assert shown.json() == replaced.json()
    assert shown.json()["session"]["metadata"] == {"title": "Work", "open": True}
    found = [len(ada.list(**{"metadata.open": text})["sessions"]) for text in ("true", "True")]
    assert found == [1, 0]
    missing = ada.describe("other")
    assert (missing.status_code, missing.json()["code"]) == (404, "thread_not_found")
    large = ada.describe("t", metadata={"a": "x" * 512})
    assert (large.status_code, large.json()["code"]) == (400, "invalid_body")


def test_metadata_that_just_fits_is_taken_by_the_store(api: Api) -> None:
    ada = Threads(api, "full")
    ada.ask("t")
    # 512 bytes; two for each letter, and the quotes count twice.
    metadata = {"a": "\u00fc" * 252}
    assert ada.describe("t", metadata=metadata).status_code == 200
    assert ada.list()["sessions"][0]["metadata"] == metadata


def test_a_deleted_thread_is_off_the_list_and_begins_afresh(api: Api) -> None:
    ada = Threads(api, "deleted")
    ada.ask("t", "my name is Ada")
    deleted = ada.delete("t")
    said = deleted.json()
    assert TIME.fullmatch(said.pop("visibleUntil"))
    assert (deleted.status_code, said) == (200, {"success": True, "threadId": "t", "resourceId": "deleted"})
    assert ada.list() == {"sessions": [], "count": 0}
    assert ada.delete("t").json()["success"] is False
    _, done = ada.ask("t")
    assert done.data["messageCount"] == 2


def test_a_fork_lives_on_without_its_parent(api: Api) -> None:
    ada = Threads(api, "forked")
    ada.ask("parent")
    body = {"forkFromThreadId": "parent", "threadId": "fork", "resourceId": "forked"}
    assert api.call("POST", "/api/chat/fork", body, APP_KEY).status_code == 201
    assert ada.delete("parent").json()["success"]
    [shown] = ada.list()["sessions"]
    assert shown["forkedFrom"]["threadId"] == "parent"
    _, done = ada.ask("fork")
    assert done.data["messageCount"] == 4


@pytest.mark.verify
def test_1200_threads_of_one_resource_are_listed_page_by_page(api: Api) -> None:
    for resource_id in ("many", "many2"):
        assert api.call("PUT", f"/threads/{resource_id}/{MANY}").text == str(MANY)
    many = Threads(api, "many")
    found: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"limit": 500}
    while True:
        page = many.list(**parameters)
        assert page["count"] == len(page["sessions"]) <= 500
        found += page["sessions"]
        if "cursor" not in page:
            break
        parameters["cursor"] = page["cursor"]
    assert sorted(thread["metadata"]["n"] for thread in found) == list(range(MANY))
    assert {thread["resourceId"] for thread in found} == {"many"}
    used = [thread["updatedAt"] for thread in found]
    assert used == sorted(used, reverse=True)
    assert many.list(**{"metadata.n": MANY - 1})["sessions"][0]["threadId"] == f"t{MANY - 1:04d}"


@pytest.mark.verify
def test_threads_and_what_was_said_survive_a_kill(keyed: ProjectWorker, api: Api) -> None:
    ada = Threads(api, "survivor")
    start, _ = ada.ask("t", metadata={"title": "before"})
    ada.ask("other")
    listed = ada.list()

    keyed.kill()
    keyed.restart()

    with Api(keyed.url) as reopened:
        ada = Threads(reopened, "survivor")
        assert ada.list() == listed
        again, done = ada.ask("t")
        assert again.data["session_id"] == start.data["session_id"]
        assert done.data["messageCount"] == 4
        assert ada.describe("t").json()["session"]["metadata"] == {"title": "before"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/sessions?resourceId=keyed"),
        ("DELETE", "/api/sessions"),
        ("POST", "/api/sessions/metadata"),
        ("POST", "/api/chat"),
        ("POST", "/api/chat/fork"),
        ("POST", "/api/chat/t/stop"),
        ("GET", "/api/chat/t/stream?resourceId=keyed"),
    ],
)
def test_where_there_are_app_keys_one_is_needed(api: Api, method: str, path: str) -> None:
    without = api.call(method, path)
    wrong = api.call(method, path, token="no-key-of-any-app")
    assert (without.status_code, without.json()["code"]) == (401, "token_required")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")
    assert without.headers["www-authenticate"] == "Bearer"


def test_each_of_the_app_keys_opens_the_same_threads(api: Api) -> None:
    Threads(api, "shared").ask("t")
    assert Threads(api, "shared", OTHER_KEY).list()["count"] == 1


def test_without_app_keys_threads_are_open(worker: Any) -> None:
    with Api(worker.url) as anybody:
        ada = Threads(anybody, "open", None)
        ada.ask("t")
        assert ada.list()["count"] == 1
        assert ada.delete("t").json()["success"]


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


def test_an_agents_memory_is_begun_filled_popped_renamed_exported_and_forgotten(keyed: ProjectWorker) -> None:
    with Api(keyed.url) as api:
        named = {"threadId": FAMILY, "resourceId": PERSIAN}
        begun = api.call("POST", "/api/threads", {**named, "title": "First"}, APP_KEY)
        assert begun.status_code == 201, begun.text
        path = f"/api/conversations/{begun.json()['session']['sessionId']}"
        picture = {"type": "input_image", "image_url": f"data:image/png;base64,{'A' * 1_000_000}"}
        for name, content in (("picture", picture), ("call", {"type": "function_call", "call_id": "c"})):
            added = {"messages": [{"id": name, "role": "assistant", "content": content}]}
            reply = api.call("POST", f"{path}/messages", added, APP_KEY)
            assert (reply.status_code, reply.headers["RateLimit-Policy"]) == (201, '"message";q=600;w=60')
        popped = [api.call("POST", f"{path}/pop", {"id": "p"}, APP_KEY).json()["message"]["id"] for _ in range(2)]
        assert popped == ["call", "call"]
        assert api.call("DELETE", f"{path}/messages/none", token=APP_KEY).status_code == 204
        read = api.call("GET", path, token=APP_KEY).json()
        assert ([message["content"] for message in read["messages"]], read["truncated"]) == ([picture], False)
        renamed = api.call(
            "PATCH",
            f"/api/threads/{quote(FAMILY)}",
            {"resourceId": PERSIAN, "title": "Second", "archived": True},
            APP_KEY,
        )
        assert (renamed.json()["session"]["title"], renamed.json()["session"]["archived"]) == ("Second", True)
        resource = f"/api/resources/{quote(PERSIAN)}"
        lines = [json.loads(line) for line in api.call("GET", f"{resource}/export", token=APP_KEY).text.splitlines()]
        assert [line["kind"] for line in lines] == ["thread", "conversation", "end"]
        assert lines[0]["thread"]["threadId"] == FAMILY
        forgotten = api.call("DELETE", resource, token=APP_KEY).json()
        assert (forgotten["deleted"], forgotten["done"]) == (1, True)
        assert api.call("GET", path, token=APP_KEY).json()["messages"] == []
