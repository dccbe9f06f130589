"""Everything a stream holds is given back when its client goes away, however it goes.

workerd notices that a client is gone when it next writes to it: with the next event, or with the heartbeat after 15 s.
So half of the streams here are dropped in a session where something happens, and half in one where nothing does.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.http_api import Api, Session, new_address
from tests.support.sse_client import PATIENCE_SECONDS
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

STREAMS = 300
GROUP = 25
"""Streams of one session: fewer than it may have."""
WARM_UP = 60
"""Streams before the first count: by then caches and free lists of the interpreter have grown to their size."""
UNREAD = 25
SESSIONS = 5
WAITS = 5
NOTICED_SECONDS = 60
"""Four heartbeats: how long it may take until the last stream is noticed to be gone."""
BACKGROUND_SECONDS = 2.5
GARBAGE_PER_REQUEST = 3
"""The SDK's entrypoint instance, its wrapper of `env` and a bound method: JavaScript holds them until V8 collects its
garbage, which it does after some thousand requests."""
GARBAGE_PER_DROP = 6
"""A stream cancelled while it sleeps leaves its timer until then: handle, context, function, tuple, two cells."""
OWN_PER_REQUEST = 1
"""An isolate caches the sessions and messages that were written: a record, or an item of a local channel."""
SLACK = 300
"""For what is bounded but not constant: the isolate's local channels and session records, the interpreter's own caches.
An open stream is about 54 objects, so that a fifth of one left by each stream would be more than all these
allowances."""


@dataclass(frozen=True)
class Counts:
    """The reply of `/debug/objects`."""

    streams: int
    listeners: int
    proxies: int
    generators: int
    coroutines: int
    own: int
    objects: int


@pytest.fixture(scope="module")
def counted() -> Iterator[LocalWorker]:
    """A Worker that reports its live objects."""
    with LocalWorker(DIAGNOSTICS="1") as worker:
        yield worker


def test_three_hundred_dropped_streams_and_every_other_way_to_end_leave_nothing_behind(counted: LocalWorker) -> None:
    with Api(counted.url) as api:
        count = STREAMS // 2 // GROUP
        quiet, busy = ([api.open_session() for _ in range(count)] for _ in range(2))
        heard = api.open_session()
        drop_streams(counted, busy, WARM_UP)
        stirred(api, busy)
        before, requests = counts_at_rest(api), api.requests

        listeners = [heard.guest_stream(), heard.host_stream(ndjson=True)]
        drop_streams(counted, quiet, STREAMS // 2)
        # While those wait for their heartbeat, the other ways.
        drop_streams(counted, busy, STREAMS // 2)
        drop_before_the_first_byte(counted, heard)
        # How many depends on the machine: on a slow one the first are noticed before the last are opened.
        assert counts(api).streams > len(listeners), "else no dropped stream was left for the Worker to notice"
        end_sessions(api)
        ask_for_heads_and_be_refused(api, heard)
        leave_while_waiting(counted, api)
        eventually(lambda: stirred(api, busy).streams <= STREAMS // 2 + len(listeners))

        # The readers that stayed get the heartbeat, in either format.
        eventually(lambda: all("heartbeat" in stream.comments for stream in listeners), NOTICED_SECONDS)
        for stream in listeners:
            assert not stream.is_over
            stream.close()
        stir(heard)
        stirred(api, quiet)

        # Waits of callers that went away end with their time; the Worker does not learn that a caller is gone.
        after = eventually(
            lambda: (now := counts_at_rest(api)).coroutines <= before.coroutines and now, NOTICED_SECONDS
        )
        assert (after.generators, after.coroutines) == (before.generators, before.coroutines)
        assert after.own - before.own <= OWN_PER_REQUEST * (api.requests - requests), f"{before} became {after}"
        dropped = STREAMS + UNREAD + len(listeners)
        ended = SESSIONS * 3
        garbage = (api.requests - requests + dropped + ended + WAITS) * GARBAGE_PER_REQUEST + dropped * GARBAGE_PER_DROP
        assert after.objects - before.objects <= garbage + SLACK, f"{before} became {after}"


def drop_before_the_first_byte(worker: LocalWorker, session: Session) -> None:
    for number in range(UNREAD):
        drop(open_stream(worker, session, number))


def end_sessions(api: Api) -> None:
    """Streams that end by themselves."""
    for number in range(SESSIONS):
        session = api.open_session()
        streams = [session.host_stream(), session.guest_stream(ndjson=True), session.guest_stream()]
        session.ask({"n": number})
        session.delete()
        for stream in streams:
            stream.next("end")
            stream.wait_over()


def ask_for_heads_and_be_refused(api: Api, session: Session) -> None:
    """Streams that never begin."""
    for _ in range(10):
        assert api.http.head(f"/api/stream?code={session.code}").status_code == 200
        assert api.http.get(f"/api/stream?code={session.code}&after=x").status_code == 400


def leave_while_waiting(worker: LocalWorker, api: Api) -> None:
    """Callers that go away while their request waits for its answer."""
    session = api.open_session()
    for number in range(WAITS):
        body = json.dumps({"code": session.code, "tool": "echo", "id": f"r{number}"})
        caller = connect(worker, "POST /api/request?wait=3", f"Content-Length: {len(body)}")
        caller.sendall(body.encode())
        eventually(lambda number=number: len(session.poll(session.host_token)["messages"]) == number + 1)
        drop(caller)


def test_bodies_that_stall_are_given_up_after_ten_seconds_and_nothing_is_left_of_them(counted: LocalWorker) -> None:
    """One of a declared length, one in chunks, and one whose sender goes away."""
    with Api(counted.url) as api:
        before = counts_at_rest(api)
        declared = connect(counted, "POST /api/sessions", "Content-Length: 1000")
        chunked = connect(counted, "POST /api/request", "Transfer-Encoding: chunked")
        gone = connect(counted, "POST /api/sessions", "Content-Length: 1000")
        began = time.monotonic()
        declared.sendall(b'{"label":')
        chunked.sendall(b"1\r\n{\r\n")
        gone.sendall(b"{")
        eventually(lambda: counts(api).proxies == 3)
        drop(gone)
        for connection in (declared, chunked):
            assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
            # A body may take a minute as long as something comes of it.
            assert 9 < time.monotonic() - began < 50
            connection.close()
        after = eventually(
            lambda: (now := counts_at_rest(api)).coroutines <= before.coroutines and now, NOTICED_SECONDS
        )
        assert (after.proxies, after.own) == (0, before.own)


def test_bodies_that_are_refused_leave_nothing_behind(counted: LocalWorker) -> None:
    with Api(counted.url) as api:
        before = counts_at_rest(api)
        for path, status in (("/api/request", 413), ("/nowhere", 404)):
            pieces = (b"x" * 65536 for _ in range(8))
            reply = api.http.post(path, content=pieces, headers={"Content-Type": "application/json"})
            assert reply.status_code == status
        after = eventually(
            lambda: (now := counts_at_rest(api)).coroutines <= before.coroutines and now, NOTICED_SECONDS
        )
        assert (after.proxies, after.own) == (0, before.own)


def test_nothing_of_this_was_an_error_to_the_runtime(counted: LocalWorker) -> None:
    log = counted.log_text()
    for complaint in ("hung", "Cannot perform I/O", "Traceback", "Uncaught", "never retrieved", "never awaited"):
        assert complaint not in log


def counts(api: Api) -> Counts:
    seen = api.http.get("/debug/objects").json()
    names = "openStreams", "listeners", "openProxies", "asyncGenerators", "coroutines", "own", "objects"
    return Counts(*(seen[name] for name in names))


def counts_at_rest(api: Api) -> Counts:
    """The counts once no stream is open any more and two looks see the same coroutines, with time between them for what
    goes on in the background: an answered request is removed a second later."""

    def look() -> Counts | None:
        first = counts(api)
        time.sleep(BACKGROUND_SECONDS)
        second = counts(api)
        is_quiet = (second.streams, second.listeners, second.proxies, second.generators) == (0, 0, 0, 0)
        return second if is_quiet and first.coroutines == second.coroutines else None

    return eventually(look, NOTICED_SECONDS)


def stirred(api: Api, sessions: list[Session]) -> Counts:
    """The counts after every stream of `sessions` was made to write."""
    for session in sessions:
        stir(session)
    return counts(api)


def stir(session: Session) -> None:
    """Makes events for the hosts and guests of `session`."""
    session.ask(id="stir")
    session.answer("stir", 1)
    session.extend()


def drop_streams(worker: LocalWorker, sessions: list[Session], number: int) -> None:
    """Open streams of both roles and formats in groups, read their first bytes, and break them off hard."""
    for start in range(0, number, GROUP):
        session = sessions[start // GROUP]
        group = [open_stream(worker, session, index) for index in range(start, min(start + GROUP, number))]
        for connection in group:
            received = b""
            while b"expiresAt" not in received:
                piece = connection.recv(4096)
                assert piece, received
                received += piece
        for connection in group:
            drop(connection)


def open_stream(worker: LocalWorker, session: Session, index: int) -> socket.socket:
    accept = "application/x-ndjson" if index % 2 else "text/event-stream"
    role = [f"Authorization: Bearer {session.host_token}"] if index % 3 else []
    return connect(worker, f"GET /api/stream?code={session.code}", f"Accept: {accept}", *role)


def connect(worker: LocalWorker, request: str, *fields: str) -> socket.socket:
    """A connection on which the head of a request was sent."""
    connection = socket.create_connection(("127.0.0.1", worker.port), PATIENCE_SECONDS)
    lines = [f"{request} HTTP/1.1", "Host: localhost", f"CF-Connecting-IP: {new_address()}", *fields]
    connection.sendall(("\r\n".join([*lines, "Content-Type: application/json"]) + "\r\n\r\n").encode())
    return connection


def drop(connection: socket.socket) -> None:
    """Close with a reset, as a machine does that goes away, not with an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
