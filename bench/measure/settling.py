"""What was opened for one turn must not run into the next one."""

from __future__ import annotations

import time

from bench.measure.calls import Session, request_body
from bench.measure.wire import BadReply, Connection

PATIENCE_SECONDS = 30.0


def wait_until_streams_ended(connection: Connection, session: Session) -> None:
    """Wait until the Worker has noticed that all streams were broken off: it does when it next writes to them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection.call(session.guest.message("POST", "/api/request", request_body(session.code)))
        if open_streams(connection, session) == 0:
            return
        if time.monotonic() > deadline:
            raise BadReply("streams that were broken off are still open")
        time.sleep(0.05)


def open_streams(connection: Connection, session: Session) -> int:
    """How many streams the isolate serves."""
    count: int = connection.call(session.guest.message("GET", "/debug/objects")).json()["openStreams"]
    return count
