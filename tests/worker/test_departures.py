"""Two isolates on one KV: a message from one wakes its reader in the other; a stream leaves the older one after a
message that the younger one accepted, and its client meets it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.http_api import Api, Session
from tests.support.sse_client import EventStream
from tools.local.harness.two_isolates import TwoIsolates
from waypost_worker.queues.departures import YOUNGER_SECONDS


@pytest.fixture(scope="module")
def isolates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Api]]:
    """A caller of the older one, and one of the younger."""
    with (
        TwoIsolates(tmp_path_factory.mktemp("isolates")) as worker,
        Api(worker.url) as older,
        Api(worker.url) as younger,
    ):
        older.http.headers["X-Isolate"], younger.http.headers["X-Isolate"] = "a", "b"
        assert older.call("GET", "/health").status_code == 200
        # An isolate begins with its first request, and states its age in whole seconds.
        time.sleep(YOUNGER_SECONDS + 1)
        assert younger.call("GET", "/health").status_code == 200
        yield older, younger


def placement(api: Api) -> dict[str, str]:
    return {name: api.http.headers[name] for name in ("CF-Placement",) if name in api.http.headers}


def host_stream(session: Session, api: Api, before: EventStream | None = None) -> EventStream:
    """The host's stream in the isolate of `api`; `before`: its last one."""
    instance = "a-tab-that-stays" if before is None else before.events[0].data["instance"]
    query = {"code": session.code, "instance": instance}
    headers = {
        "CF-Connecting-IP": api.address,
        "Authorization": f"Bearer {session.host_token}",
        "X-Isolate": api.http.headers["X-Isolate"],
        **placement(api),
    }
    last_id = "" if before is None else before.last_id
    stream = api.hold(EventStream(f"{api.url}/api/stream", query, headers, last_event_id=last_id))
    stream.next("ready")
    return stream


def guest_stream(session: Session, api: Api) -> EventStream:
    headers = {"CF-Connecting-IP": api.address, "X-Isolate": api.http.headers["X-Isolate"], **placement(api)}
    stream = api.hold(EventStream(f"{api.url}/api/stream", {"code": session.code}, headers))
    stream.next("ready")
    return stream


def is_online(session: Session, api: Api) -> bool:
    return bool(api.call("GET", session.path).json()["hostOnline"])


def test_a_tab_meets_its_agent_in_the_younger_isolate(isolates: tuple[Api, Api]) -> None:
    older, younger = isolates
    session = older.open_session()
    there = Session(younger, session.opened)
    stream = host_stream(session, older)
    there.ask({"n": 1}, id="first")
    assert stream.next("request").data["id"] == "first"
    stream.wait_over()
    # Not told that it is over: it comes back with its cursor, and is the same host.
    assert [event.name for event in stream.events] == ["ready", "request"]
    assert is_online(session, older)
    assert is_online(session, younger)
    stream = host_stream(session, younger, stream)
    replay = stream.next("request").data
    assert (replay["id"], replay["replay"]) == ("first", True)
    there.answer("first", "done")
    assert there.ask({"n": 1}, id="first", wait=5).json()["result"] == "done"
    there.ask({"n": 2}, id="second")
    assert stream.next("request").data["id"] == "second"
    assert not stream.is_over


def test_a_tab_that_comes_back_to_the_older_isolate_stays_and_loses_nothing(isolates: tuple[Api, Api]) -> None:
    older, younger = isolates
    session = older.open_session()
    there = Session(younger, session.opened)
    stream = host_stream(session, older)
    there.ask({}, id="r0")
    stream.next("request")
    stream.wait_over()
    there.answer("r0", "done")
    stream = host_stream(session, older, stream)
    for number in range(1, 4):
        there.ask({}, id=f"r{number}")
        assert stream.next("request").data["id"] == f"r{number}"
    # It would have ended before it looks again.
    older.call("POST", "/api/request", {"code": session.code, "tool": "echo", "id": "from-here"})
    assert stream.next("request").data["id"] == "from-here"
    assert not stream.is_over


def test_a_message_wakes_its_reader_in_the_other_isolate(isolates: tuple[Api, Api]) -> None:
    older, younger = isolates
    for api in isolates:
        # As the platform does where the Worker is placed.
        api.http.headers["CF-Placement"] = "local-TST"
    session = older.open_session()
    there = Session(younger, session.opened)
    host, guest = host_stream(session, younger), guest_stream(session, older)
    # Each stream lists when it begins, which is over once two messages of its own isolate have come one after the
    # other. It does not list again before its end: only the wake-up key tells of a message.
    for name in ("a", "b"):
        there.ask({}, id=name)
        host.next("request")
        session.answer(name, name)
        guest.next("response")
    session.ask({}, id="from-the-other")
    assert host.next("request").data["id"] == "from-the-other"
    there.answer("from-the-other", "done")
    assert guest.next("response").data["result"] == "done"
    assert [event.name for event in host.events] == ["ready", "request", "request", "request"]
