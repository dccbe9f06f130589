"""Streams over HTTP, in both formats: what comes first, what comes back after a reconnect, and how soon."""

from __future__ import annotations

import json
import re
import socket
import statistics
import time
from collections.abc import Callable

import pytest

from tests.support.http_api import Api, Session
from tests.support.sse_client import PATIENCE_SECONDS, EventStream
from tools.local.harness.worker import LocalWorker

FORMATS = pytest.mark.parametrize("ndjson", [False, True], ids=["sse", "ndjson"])
MEASURED = 25


@FORMATS
def test_the_first_bytes_leave_before_anything_happens(ndjson: bool, worker: LocalWorker, api: Api) -> None:
    session = api.open_session()
    accept = "application/x-ndjson" if ndjson else "text/event-stream"
    with socket.create_connection(("127.0.0.1", worker.port), PATIENCE_SECONDS) as connection:
        connection.sendall(
            f"GET /api/stream?code={session.code} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
            f"Authorization: Bearer {session.host_token}\r\n\r\n".encode()
        )
        received = b""
        while b"expiresAt" not in received:
            piece = connection.recv(4096)
            assert piece, received
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    first_line = body.split(b"\r\n")[1].split(b"\n")[0]
    assert first_line == (b'{"event":"comment","comment":"waypost"}' if ndjson else b": waypost")


def test_the_opening_of_an_sse_stream_is_as_documented(api: Api) -> None:
    session = api.open_session()
    stream = api.stream(session.code, session.host_token)
    ready = stream.next("ready")
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "no-store" in stream.headers["cache-control"]
    assert "no-transform" in stream.headers["cache-control"]
    assert "content-encoding" not in stream.headers
    assert stream.raw.startswith(b": waypost\nevent: ready\nretry: 1000\nid: ")
    assert stream.retry_ms == 1000
    assert ready.data == {
        "role": "host",
        "code": session.code,
        "cursor": ready.id,
        "expiresAt": session.opened["expiresAt"],
    }


def test_the_opening_of_an_ndjson_stream_is_the_same_as_lines(api: Api) -> None:
    session = api.open_session()
    stream = api.stream(session.code, session.join(), ndjson=True)
    ready = stream.next("ready")
    assert stream.headers["content-type"] == "application/x-ndjson"
    assert stream.comments == ["waypost"]
    assert stream.retry_ms == 1000
    assert (ready.data["role"], ready.data["code"], ready.data["cursor"]) == ("guest", session.code, ready.id)


def test_a_request_has_the_same_shape_in_both_formats(api: Api) -> None:
    session = api.open_session()
    sse, lines = session.host_stream(), session.host_stream(ndjson=True)
    queued = session.ask({"b": 1, "a": 2}, id="r1", producer="p", seq=1).json()
    event, line = sse.next("request"), lines.next("request")
    assert event.data == line.data
    assert event.id == line.id
    timestamp = event.data["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert json.dumps(event.data) == json.dumps({
        "id": "r1",
        "cursor": queued["cursor"],
        "tool": "echo",
        "args": {"b": 1, "a": 2},
        "timestamp": timestamp,
        "producer": "p",
        "seq": 1,
    })  # fmt: skip


def test_what_was_queued_before_the_stream_is_sent_first(api: Api) -> None:
    session = api.open_session()
    early = [session.ask({"n": number}).json()["id"] for number in range(3)]
    host = session.host_stream()
    assert [event.data["id"] for event in host.take(3, "request")] == early
    late = session.ask().json()["id"]
    assert host.next("request").data["id"] == late


def by_header(session: Session, stream: EventStream, role: Callable[..., EventStream]) -> EventStream:
    return role(last_event_id=stream.last_id)


def by_parameter(session: Session, stream: EventStream, role: Callable[..., EventStream]) -> EventStream:
    return role(after=stream.last_id)


def by_both(session: Session, stream: EventStream, role: Callable[..., EventStream]) -> EventStream:
    """As an EventSource that began with `?after=` comes back: the header is the newer one."""
    return role(after=stream.events[0].id, last_event_id=stream.last_id)


WAYS = pytest.mark.parametrize("come_back", [by_header, by_parameter, by_both])


@FORMATS
@WAYS
def test_a_host_that_comes_back_gets_all_that_is_open_and_what_it_had_is_flagged(
    come_back: Callable[..., EventStream], ndjson: bool, api: Api
) -> None:
    session = api.open_session()
    host = session.host_stream(ndjson=ndjson)
    had = [session.ask().json()["id"] for _ in range(3)]
    host.take(3, "request")
    host.close()
    session.answer(had[1], "done")
    missed = [session.ask().json()["id"] for _ in range(2)]

    again = come_back(session, host, lambda **options: session.host_stream(ndjson=ndjson, **options))

    assert flags(again, 4, "request") == {had[0]: True, had[2]: True, missed[0]: False, missed[1]: False}
    new = session.ask().json()["id"]
    assert flags(again, 1, "request") == {new: False}


@FORMATS
@WAYS
def test_a_guest_that_comes_back_gets_what_it_missed_and_what_it_may_have_missed_flagged(
    come_back: Callable[..., EventStream], ndjson: bool, api: Api
) -> None:
    session = api.open_session()
    guest = session.guest_stream(ndjson=ndjson)
    session.answer("a", 1)
    session.answer("b", 2)
    guest.take(2, "response")
    guest.close()
    session.answer("c", 3)

    again = come_back(session, guest, lambda **options: session.guest_stream(ndjson=ndjson, **options))

    assert flags(again, 3, "response") == {"a": True, "b": True, "c": False}


@FORMATS
def test_a_stream_that_resumes_after_nothing_is_the_stream_of_a_newcomer(ndjson: bool, api: Api) -> None:
    session = api.open_session()
    host = session.host_stream(ndjson=ndjson)
    host.close()
    missed = session.ask().json()["id"]
    assert flags(host.reopened(), 1, "request") == {missed: False}


@FORMATS
def test_a_broken_connection_loses_nothing_wherever_it_breaks(ndjson: bool, api: Api) -> None:
    session = api.open_session()
    count = 12
    sent = [session.ask({"n": number}, id=f"r{number:02d}").json()["id"] for number in range(count)]
    handled: list[str] = []
    host = session.host_stream(ndjson=ndjson)
    for _ in range(4):
        for event in host.take(3, "request"):
            handled.append(event.data["id"])
            session.answer(event.data["id"], event.data["args"]["n"])
        # All others are on their way, or here already and not handled: they come again, and what was answered does not.
        host.close()
        host = host.reopened()
    host.close()
    assert handled == sent


def test_a_guest_with_the_code_alone_listens_like_one_with_a_token(api: Api) -> None:
    session = api.open_session()
    streams = session.guest_stream(), session.guest_stream(session.join())
    session.ask(id="a")
    session.answer("a", {"n": 1})
    assert streams[0].next("response").data == streams[1].next("response").data


def test_deliveries_inside_one_isolate_are_quick(api: Api, record_property: Callable[[str, object], None]) -> None:
    """Records the times and asserts only that everything arrives: how soon depends on the machine."""
    session = api.open_session()
    host, guest = session.host_stream(), session.guest_stream()
    to_host, to_guest, round_trip = [], [], []
    for number in range(MEASURED):
        asked = time.monotonic()
        request_id = session.ask({"n": number}).json()["id"]
        event = host.next("request")
        assert event.data["id"] == request_id
        to_host.append(event.at - asked)
        answered = time.monotonic()
        session.answer(request_id, number)
        event = guest.next("response")
        assert event.data["result"] == number
        to_guest.append(event.at - answered)
        round_trip.append(event.at - asked)
    # From before the POST, so that the KV write is in it.
    for name, seconds in (
        ("POST /api/request -> request event", to_host),
        ("POST /api/response -> response event", to_guest),
        ("the whole call", round_trip),
    ):
        text = f"median {statistics.median(seconds) * 1000:.1f} ms, max {max(seconds) * 1000:.1f} ms"
        record_property(f"same isolate, {name}", text)


def flags(stream: EventStream, count: int, name: str) -> dict[str, bool]:
    """The next events by their message's id, each with whether it is flagged as a repetition."""
    return {event.data["id"]: event.data.get("replay", False) for event in stream.take(count, name)}
