"""The Worker started as in production: from a snapshot of its memory, made when its top-level code had run."""

from __future__ import annotations

from bench.measure.calls import open_session, request_body
from bench.measure.wire import Connection
from bench.subjects.snapshots import snapshot_of
from bench.subjects.workerd import Workerd, waypost


def carried(workerd: Workerd) -> tuple[str, str]:
    """The code of a session in which a request is queued and found, and the id of the request."""
    with Connection(workerd.ports["waypost"]) as connection:
        session = open_session(connection)
        asked = session.guest.message("POST", "/api/request", request_body(session.code))
        id = connection.call(asked).json()["id"]
        polled = connection.call(session.host.message("GET", f"/api/poll?code={session.code}")).json()
        assert [message["data"]["id"] for message in polled["messages"]] == [id]
    return session.code, id


def test_a_worker_from_a_snapshot_works_and_no_two_of_them_draw_the_same_numbers() -> None:
    with snapshot_of(waypost()) as snapshot:
        drawn = []
        for _ in range(2):
            with snapshot.start() as workerd:
                drawn.append(carried(workerd))
    assert drawn[0][0] != drawn[1][0]
    assert drawn[0][1][-8:] != drawn[1][1][-8:]
