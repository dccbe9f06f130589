"""The smoke test: it passes on a Waypost, says what does not work on anything else, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.client import KEY, make_client
from simulation.cost import DOLLARS
from simulation.virtual_time import VirtualClock
from tests.support.deploying import InMemory, nowhere
from tools.deploy.failure import DeployFailure
from tools.deploy.report import DOLLARS_AN_OPERATION, closing, mcp_example
from tools.deploy.sending import Reply, Sent, Unreachable
from tools.deploy.smoke import LOOK_SECONDS, PATIENCE_SECONDS, Smoke, Time, wait
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings

URL = "https://waypost.example"
Make = Callable[..., InMemory]
OK = {"status": "ok", "version": "1", "plan": "free"}


def reply(code: int, /, **body: object) -> Reply:
    return Reply(code, {}, json.dumps(body).encode())


def always(answer: Reply) -> Callable[[Reply], Reply]:
    return lambda _: answer


def test_on_a_waypost_it_passes_and_counts_its_operations_and_leaves_nothing(in_memory: Make) -> None:
    store = MemoryKv(VirtualClock())
    there = in_memory(make_client(kv=store))
    smoke = Smoke(URL, there.send)

    smoke.run()

    assert smoke.operations > 10
    assert {line.split("?")[0].rsplit("/", 1)[0] for line in there.asked if line.startswith("DELETE")} == {
        "DELETE /api/sessions",
        "DELETE /api/pages",
    }
    kept = {key.name.split(":")[0] for key in there.run(store.list("")).keys}
    # A session that has ended leaves its tombstone.
    assert "page" not in kept
    assert "doc" not in kept


@pytest.mark.parametrize("require_token", ["on", "once"])
def test_it_passes_where_guests_need_tokens_and_apps_need_keys(require_token: str, in_memory: Make) -> None:
    settings = Settings(
        signing_keys=(KEY,),
        require_token=True,
        code_joins_once=require_token == "once",
        app_keys=("a-key-of-an-app-0123",),
    )
    Smoke(URL, in_memory(make_client(settings=settings)).send).run()


@pytest.mark.parametrize(
    ("method", "path", "doing"),
    [
        ("POST", "/api/sessions", "open a session"),
        ("POST", "/mcp", "list tools by MCP"),
        ("POST", "/api/request", "queue a call"),
        ("GET", "/api/poll", "deliver a call"),
        ("POST", "/api/response", "take an answer"),
    ],
)
def test_what_does_not_work_is_named_with_the_reason(method: str, path: str, doing: str, in_memory: Make) -> None:
    there = in_memory()
    there.alter[method, path] = always(reply(503, code="storage_unavailable", detail="KV can't be reached."))
    with pytest.raises(DeployFailure, match=rf"could not {doing} \(503 storage_unavailable\): KV can't be reached"):
        Smoke(URL, there.send).run()
    assert path == "/api/sessions" or any(line.startswith("DELETE /api/sessions/") for line in there.asked)


def test_a_call_that_does_not_arrive_an_empty_list_and_another_page_are_faults(in_memory: Make) -> None:
    there = in_memory()
    there.alter["GET", "/api/poll"] = always(reply(200, messages=[], cursor=""))
    with pytest.raises(DeployFailure, match="a call did not come to its host within 20 s"):
        Smoke(URL, there.send).run()
    there = in_memory()
    there.alter["POST", "/mcp"] = always(reply(200, jsonrpc="2.0", id=1, result={"tools": []}))
    with pytest.raises(DeployFailure, match=r"lists the tools \[\] by MCP"):
        Smoke(URL, there.send).run()


def test_another_page_than_the_one_that_was_stored_is_a_fault(in_memory: Make) -> None:
    there = in_memory()

    def altered(sent: Sent) -> Reply:
        found = there.send(sent)
        return replace(found, body=b"<h1>Other</h1>") if "/pages/smoke-" in sent.url and sent.method == "GET" else found

    with pytest.raises(DeployFailure, match="shows another page than the one that was stored"):
        Smoke(URL, altered).run()


def test_what_it_cannot_delete_it_says(in_memory: Make) -> None:
    there = in_memory()

    def failing(sent: Sent) -> Reply:
        if sent.method != "DELETE":
            return there.send(sent)
        if "/pages/" in sent.url:
            raise Unreachable("gone")
        return reply(503)

    with pytest.raises(DeployFailure, match="could not delete the page and the session; they expire within a day"):
        Smoke(URL, failing).run()


class Clock(Time):
    """Jumps, and counts the looks."""

    def __init__(self) -> None:
        self.passed: list[float] = []
        super().__init__(lambda: sum(self.passed), lambda seconds: self.passed.append(seconds))


def answers(*replies: Reply) -> Callable[[Sent], Reply]:
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def test_it_waits_for_the_uploaded_version_and_says_so_once() -> None:
    said: list[str] = []
    clock = Clock()
    old, new = ({**OK, "workerVersion": {"id": id, "tag": "", "timestamp": ""}} for id in ("v1", "v2"))
    bad = reply(503, status="unavailable", detail="SIGNING_KEY is missing.")
    send = answers(Reply(404, {}, b"error code: 1042"), bad, reply(200, **old), reply(200, **new))

    assert wait(Smoke(URL, send), "v2", clock, said.append) == new

    assert clock.passed == [LOOK_SECONDS] * 3
    assert said == [f"Waiting until {URL} answers …"]


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        (nowhere, "can't be reached"),
        (answers(Reply(530, {}, b"error code: 1016")), "it answers 530, and not as a Waypost does"),
        (
            answers(reply(503, status="unavailable", detail="HISTORY_LIMIT is no number.")),
            "HISTORY_LIMIT is no number.",
        ),
    ],
)
def test_it_does_not_wait_for_ever(send: Callable[[Sent], Reply], reason: str) -> None:
    clock = Clock()
    with pytest.raises(DeployFailure, match=rf"/health is not good after 180 s: .*{reason}"):
        wait(Smoke(URL, send), None, clock, [].append)
    assert PATIENCE_SECONDS <= sum(clock.passed) <= PATIENCE_SECONDS + LOOK_SECONDS


def test_where_the_free_plan_is_spent_it_says_until_when() -> None:
    health = {**OK, "dailyLimit": {"operations": ["lists", "writes"], "until": 0}}
    with pytest.raises(DeployFailure, match=r"before 00:00 UTC: the account's lists, writes of this day are spent"):
        wait(Smoke(URL, answers(reply(200, **health))), None, Clock(), [].append)


def test_the_report_says_where_it_is_how_to_use_it_and_what_testing_it_cost() -> None:
    text = closing(URL, {**OK, "placement": "remote-IAD", "planHint": "PLAN is not set"}, 20)
    assert f"Waypost 1 is at {URL}" in text
    assert "it runs in remote-IAD" in text
    assert "20 KV operations, $0.0001 at most" in text
    assert "make deploy PLAN=paid" in text
    assert f"claude mcp add --transport http waypost {URL}/mcp/CODE" in text
    assert f"URL={URL}; JSON=" in text
    assert "localhost" not in text
    assert max(DOLLARS.values()) == DOLLARS_AN_OPERATION
    quiet = closing(URL, {**OK, "plan": "paid", "placement": None, "planHint": None}, 1)
    assert "is not placed" in quiet
    assert "PLAN=paid" not in quiet
    assert mcp_example(URL, "no example") == ""
