"""A store that refuses, is slow, answers with old listings, and an isolate that forgets: over HTTP, in workerd."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_api import Api, Session
from tests.support.steady_host import SteadyHost, ask_until_accepted
from tests.support.waiting import eventually
from tools.local.harness.worker_project import ProjectWorker, copy_project

ENTRY = Path(__file__).parent / "faulty_project" / "entry.py"
BACKLOG = 10_000 if os.environ.get("WAYPOST_SOAK") else 2_000
"""More than a page of a listing; the long one with `make soak`."""
FILLED_AT_ONCE = 500


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectWorker]:
    project = copy_project(tmp_path_factory.mktemp("faulty") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    with ProjectWorker(project) as worker:
        yield worker


@pytest.fixture
def api(faulty: ProjectWorker) -> Iterator[Api]:
    with Api(faulty.url) as caller:
        yield caller
        set_faults(caller)


def set_faults(api: Api, **faults: Any) -> None:
    """From now on the store has these faults, and no others."""
    assert api.call("PUT", "/faults", faults).status_code == 200


def test_a_write_that_is_refused_is_said_and_sending_it_again_is_safe(api: Api) -> None:
    session = api.open_session()
    throw(api, "put", "KV PUT failed: 429 Too Many Requests")
    refused = session.ask(id="call")
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert asked(api)["put"] == 5
    assert int(refused.headers["retry-after"]) > 0
    set_faults(api)
    assert session.poll(session.host_token)["messages"] == []
    assert session.ask(id="call").status_code == 202
    assert [message["data"]["id"] for message in session.poll(session.host_token)["messages"]] == ["call"]


def test_a_stream_survives_a_store_that_fails_says_so_and_goes_on(api: Api) -> None:
    session = api.open_session()
    with session.host_stream() as stream:
        set_faults(api, refuse={"list": 1}, forget=True)
        eventually(lambda: [comment for comment in stream.comments if "does not answer" in comment])
        assert session.ask(id="call").status_code in (202, 503)
        set_faults(api, forget=True)
        ask_until_accepted(session, {}, id="call")
        assert stream.next("request").data["id"] == "call"
        assert not [event for event in stream.events if event.name == "end"]


def test_without_a_local_channel_and_with_old_listings_all_arrives_once_and_in_order(api: Api) -> None:
    session = api.open_session()
    set_faults(api, stale_seconds=3, forget=True)
    with session.host_stream() as stream:
        ids = [session.ask({"n": number}, producer="p", seq=number + 1).json()["id"] for number in range(20)]
        assert [event.data["id"] for event in stream.take(20, "request")] == ids


def test_thirty_calls_over_a_store_that_refuses_one_operation_in_five_run_once_each(api: Api) -> None:
    session = api.open_session()
    refuse = dict.fromkeys(("get", "put", "list", "delete"), 0.2)
    with SteadyHost(session, lambda request: request["args"]["n"]) as host:
        set_faults(api, refuse=refuse, delay_seconds=0.005, forget=True)
        for number in range(30):
            ask_until_accepted(session, {"n": number}, id=f"call-{number}")
        set_faults(api)
        answers = eventually(lambda: _all_answers(session, 30))
        assert answers == {f"call-{number}": number for number in range(30)}
        assert set(host.runs.values()) == {1}
        assert len(host.runs) == 30


def throw(api: Api, operation: str, text: str) -> None:
    set_faults(api, thrown={operation: text.format(operation)})


def asked(api: Api) -> dict[str, int]:
    """The operations that reached the binding since the faults were set."""
    counts: dict[str, int] = api.call("GET", "/asked").json()
    return counts


@pytest.mark.parametrize("operation", ["get", "put", "list", "delete"])
def test_operations_that_are_used_up_for_today_are_refused_without_another_try(api: Api, operation: str) -> None:
    session = api.open_session()
    cursor = session.ask(id="call").json()["cursor"]
    # The isolate has the session's record; a read of it would be another one.
    session.poll(session.host_token)
    throw(api, operation, "KV {}() limit exceeded for the day.")
    needing = {
        "get": lambda: api.call("GET", "/api/sessions/" + session.code),
        "put": lambda: session.ask(id="another"),
        "list": lambda: api.call("GET", f"/api/poll?code={session.code}"),
        "delete": lambda: api.call(
            "POST", "/api/ack", {"code": session.code, "cursors": [cursor]}, token=session.host_token
        ),
    }
    for _ in range(3):
        refused = needing[operation]()
        assert (refused.status_code, refused.json()["code"]) == (503, "daily_limit")
        assert 0 < int(refused.headers["retry-after"]) <= 24 * 3600
    assert asked(api)[operation] == 1
    health = api.call("GET", "/health").json()
    assert (health["plan"], health["planSet"], health["dailyLimit"]["operations"]) == ("free", "paid", [operation])
    assert health["dailyLimit"]["until"] % (24 * 3_600_000) == 0


def test_a_stream_says_that_the_day_is_used_up_and_ends(api: Api) -> None:
    session = api.open_session()
    with session.host_stream() as stream:
        throw(api, "list", "KV {}() limit exceeded for the day.")
        assert stream.next("unavailable").data["code"] == "daily_limit"


def test_the_limit_of_an_invocation_is_not_tried_again(api: Api) -> None:
    throw(api, "put", "Too many API requests by single Worker invocation.")
    refused = api.call("POST", "/api/sessions", {})
    assert (refused.status_code, refused.json()["code"]) == (503, "budget_spent")
    assert asked(api)["put"] == 1


def _all_answers(session: Session, count: int) -> dict[str, Any] | None:
    heard = {
        message["data"]["id"]: message["data"]["result"]
        for message in session.poll()["messages"]
        if message["data"]["final"]
    }
    return heard if len(heard) == count else None


def test_a_backlog_of_several_pages_arrives_whole_and_in_order(api: Api, faulty: ProjectWorker) -> None:
    session = api.open_session(ttl=3600)
    for _ in range(BACKLOG // FILLED_AT_ONCE):
        assert api.call("PUT", f"/backlog/{session.code}/{FILLED_AT_ONCE}", {}).status_code == 200
    stream = session.host_stream()
    cursors: list[str] = []
    had: set[str] = set()
    while len(cursors) < BACKLOG:
        event = stream.next("request", seconds=60)
        if event.data["cursor"] not in had:
            had.add(event.data["cursor"])
            cursors.append(event.data["cursor"])
    stream.close()
    assert cursors == sorted(cursors)
    assert "exceeded" not in faulty.log_text()
