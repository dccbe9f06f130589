"""Requests, progress, answers, cancels and acknowledgements over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.http_api import Api, Session
from tests.support.sse_client import EventStream
from tests.support.waiting import eventually

BIG = 200 * 1024
MANY = 30


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """For calls that wait while the test goes on."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_a_call_goes_from_guest_to_host_and_back_with_progress_on_the_way(
    api: Api, threads: ThreadPoolExecutor
) -> None:
    session = api.open_session()
    host, guest = session.host_stream(), session.guest_stream(session.join())
    waiting = threads.submit(session.ask, {"city": "Köln"}, tool="weather", wait=30, id="call-1")

    request = host.next("request")
    assert {name: request.data[name] for name in ("id", "tool", "args")} == {
        "id": "call-1",
        "tool": "weather",
        "args": {"city": "Köln"},
    }
    assert "replay" not in request.data
    progress = session.answer("call-1", {"percent": 50}, final=False)
    answered = session.answer("call-1", {"degrees": 7.0})

    assert (progress.status_code, answered.status_code) == (202, 202)
    half, whole = guest.take(2, "response")
    assert (half.data["result"], half.data["final"]) == ({"percent": 50}, False)
    assert (whole.data["result"], whole.data["final"]) == ({"degrees": 7.0}, True)
    reply = waiting.result()
    assert reply.status_code == 200
    assert reply.json() == whole.data
    assert answered.json() == {"id": "call-1", "cursor": whole.data["cursor"]}


def test_a_final_answer_takes_the_request_out_of_the_queue(api: Api) -> None:
    session = api.open_session()
    request_id = session.ask().json()["id"]
    session.answer(request_id, 1, final=False)
    assert request_ids(session) == [request_id]
    session.answer(request_id, 2)
    assert request_ids(session) == []


def test_an_error_ends_the_wait_for_an_answer(api: Api, threads: ThreadPoolExecutor) -> None:
    session = api.open_session()
    waiting = threads.submit(session.ask, wait=30, id="a")
    eventually(lambda: request_ids(session))
    error = {"code": "no_such_tool", "message": "There is no such tool.", "data": {"tools": ["a"], "n": 1.0}}
    session.answer("a", error=error)
    reply = waiting.result()
    assert (reply.status_code, reply.json()["error"], reply.json()["final"]) == (200, error, True)
    assert "result" not in reply.json()


def test_null_is_a_result(api: Api) -> None:
    session = api.open_session()
    session.ask(id="a")
    session.answer("a", None)
    assert session.ask(id="a").json()["result"] is None


def test_a_wait_that_nobody_answers_is_accepted_and_stays_queued(api: Api) -> None:
    session = api.open_session()
    reply = session.ask(wait=0.2)
    assert reply.status_code == 202
    assert request_ids(session) == [reply.json()["id"]]


def test_an_id_sent_twice_is_one_request_and_one_delivery(api: Api) -> None:
    session = api.open_session()
    host = session.host_stream()
    replies = [session.ask({"n": 1}, id="same"), session.ask({"n": 1}, id="same"), session.ask({"n": 2}, id="last")]
    assert [(reply.status_code, reply.json()["id"]) for reply in replies] == [
        (202, "same"),
        (202, "same"),
        (202, "last"),
    ]
    assert [event.data["id"] for event in host.take(2, "request")] == ["same", "last"]
    assert request_ids(session) == ["same", "last"]
    session.answer("same", 1)
    assert request_ids(session) == ["last"]


def test_an_id_that_was_answered_gets_its_answer_at_once(api: Api) -> None:
    session = api.open_session()
    host = session.host_stream()
    session.ask(id="a")
    session.answer("a", {"once": 1})
    again = [session.ask(id="a"), session.ask(id="a", wait=30)]
    assert [(reply.status_code, reply.json()["result"]) for reply in again] == [(200, {"once": 1})] * 2
    assert request_ids(session) == []
    session.ask(id="b")
    assert [event.data["id"] for event in host.take(2, "request")] == ["a", "b"]


def test_two_that_wait_for_one_id_get_the_one_answer(api: Api, threads: ThreadPoolExecutor) -> None:
    session = api.open_session()
    host = session.host_stream()
    waiting = [threads.submit(session.ask, wait=30, id="a") for _ in range(2)]
    session.answer(host.next("request").data["id"], {"n": 1})
    replies = [future.result() for future in waiting]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].json() == replies[1].json()


def test_the_first_of_two_answers_counts(api: Api) -> None:
    session = api.open_session()
    guest = session.guest_stream()
    session.ask(id="a")
    session.answer("a", "first")
    session.answer("a", "second")
    session.ask(id="b")
    session.answer("b", "other")
    assert [event.data["result"] for event in guest.take(2, "response")] == ["first", "other"]
    assert session.ask(id="a").json()["result"] == "first"


def test_a_cancelled_request_is_told_to_the_host_and_answered(api: Api, threads: ThreadPoolExecutor) -> None:
    session = api.open_session()
    host, guest = session.host_stream(), session.guest_stream()
    waiting = threads.submit(session.ask, wait=30, id="a")
    host.next("request")
    cancelled = session.cancel("a", session.join())
    assert (cancelled.status_code, cancelled.json()["id"]) == (202, "a")
    assert host.next("cancel").data["id"] == "a"
    assert guest.next("response").data["error"]["code"] == "cancelled"
    assert waiting.result().json()["error"]["code"] == "cancelled"
    assert session.cancel("a").status_code == 202
    assert request_ids(session) == []


def test_what_has_been_answered_can_not_be_cancelled(api: Api) -> None:
    session = api.open_session()
    session.ask(id="a")
    session.answer("a", 1)
    refused = session.cancel("a")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_answered")


def test_the_host_acknowledges_requests_and_the_guest_answers(api: Api) -> None:
    session = api.open_session()
    ids = [session.ask(id=f"r{number}").json()["id"] for number in range(3)]
    requests = session.poll(session.host_token)["messages"]
    first_two = [message["data"]["cursor"] for message in requests[:2]]
    assert session.ack(*first_two, token=session.host_token).json()["acknowledged"] == 2
    assert request_ids(session) == ids[2:]

    for request_id in ids:
        session.answer(request_id, request_id)
    answers = session.poll()["messages"]
    assert sorted(message["data"]["id"] for message in answers) == ids
    assert session.ack(answers[0]["data"]["cursor"]).json()["acknowledged"] == 1
    assert session.poll()["messages"] == answers[1:]


def test_an_acknowledgement_takes_event_ids_too_and_may_be_repeated(api: Api) -> None:
    session = api.open_session()
    host = session.host_stream()
    session.ask()
    event = host.next("request")
    for _ in range(2):
        assert session.ack(event.id, token=session.host_token).status_code == 200
    assert request_ids(session) == []


def test_a_poll_with_its_cursor_waits_for_something_new(api: Api, threads: ThreadPoolExecutor) -> None:
    session = api.open_session()
    old = session.ask().json()["id"]
    first = session.poll(session.host_token)
    waiting = threads.submit(session.poll, session.host_token, after=first["cursor"], wait=30)
    new = session.ask().json()["id"]
    messages = waiting.result()["messages"]
    came = {message["data"]["id"]: message["data"].get("replay", False) for message in messages}
    # The new one may be delivered ahead of the first look, which shows the old one again.
    assert came in ({new: False}, {old: True, new: False})


def test_a_poll_brings_the_same_messages_as_a_stream(api: Api) -> None:
    session = api.open_session()
    session.ask({"a": 1.0}, id="a", producer="p", seq=1)
    session.cancel("a")
    lines = session.host_stream(ndjson=True)
    events = [lines.next()]
    polled = session.poll(session.host_token)["messages"]
    assert [(message["event"], message["data"]) for message in polled] == [(e.name, e.data) for e in events]
    answers = session.guest_stream(ndjson=True)
    assert session.poll()["messages"][0]["data"] == answers.next("response").data


def test_a_producer_that_numbers_its_messages_gets_them_delivered_in_order(api: Api) -> None:
    session = api.open_session()
    host, lines = session.host_stream(), session.host_stream(ndjson=True)
    for seq in (2, 3, 1, 5):
        session.ask({"n": seq}, producer="p", seq=seq)
    session.ask({"n": "unnumbered"})
    skipped = api.call("POST", "/api/request", {"code": session.code, "producer": "p", "seq": 4, "skip": True})
    assert skipped.status_code == 202
    for stream in (host, lines):
        seen = [event.data["args"]["n"] for event in stream.take(5, "request")]
        assert [n for n in seen if n != "unnumbered"] == [1, 2, 3, 5]


def test_two_hosts_get_every_request_and_two_guests_every_answer_in_either_format(api: Api) -> None:
    session = api.open_session()
    hosts = [session.host_stream(), session.host_stream(ndjson=True)]
    guests = [session.guest_stream(), session.guest_stream(session.join(), ndjson=True)]
    ids = [session.ask({"n": number}, id=f"r{number}").json()["id"] for number in range(5)]
    for host in hosts:
        assert [event.data["id"] for event in host.take(5, "request")] == ids
    for request_id in ids:
        session.answer(request_id, request_id)
    for guest in guests:
        assert [event.data["result"] for event in guest.take(5, "response")] == ids


def test_sessions_do_not_hear_each_other(api: Api) -> None:
    here, there = api.open_session(), api.open_session()
    streams = here.host_stream(), here.guest_stream()
    there.ask(id="theirs")
    there.answer("theirs", 1)
    here.ask(id="ours")
    here.answer("ours", 1)
    for stream in streams:
        assert stream.next().data["id"] == "ours"
    assert [message["data"]["id"] for message in here.poll()["messages"]] == ["ours"]


@pytest.mark.verify
def test_thirty_messages_of_200_kib_queued_in_bulk_arrive_whole(api: Api, threads: ThreadPoolExecutor) -> None:
    session = api.open_session()
    bodies = {f"r{number:02d}": big_text(number) for number in range(MANY)}

    def ask(item: tuple[str, str]) -> int:
        return session.ask({"text": item[1]}, id=item[0]).status_code

    assert list(threads.map(ask, bodies.items())) == [202] * MANY
    for stream in (session.host_stream(), session.host_stream(ndjson=True)):
        assert {e.data["id"]: e.data["args"]["text"] for e in stream.take(MANY, "request")} == bodies
        stream.close()
    assert drained_by_polling(session) == bodies

    listening: list[EventStream] = [session.guest_stream(), session.guest_stream(ndjson=True)]
    assert list(threads.map(lambda item: session.answer(item[0], item[1]).status_code, bodies.items())) == [202] * MANY
    for stream in listening:
        assert {e.data["id"]: e.data["result"] for e in stream.take(MANY, "response")} == bodies


def test_a_large_answer_ends_the_wait_for_it(api: Api, threads: ThreadPoolExecutor) -> None:
    session = api.open_session()
    waiting = threads.submit(session.ask, {"text": big_text(1)}, wait=30, id="a")
    eventually(lambda: request_ids(session))
    session.answer("a", {"text": big_text(2)})
    assert waiting.result().json()["result"] == {"text": big_text(2)}


def test_a_body_of_exactly_the_limit_is_taken(api: Api) -> None:
    session = api.open_session()
    body = json.dumps({"code": session.code, "tool": "t", "args": {"text": ""}}).encode()
    whole = body.replace(b'"text": ""', b'"text": "%s"' % (b"x" * (256 * 1024 - len(body))))
    assert len(whole) == 256 * 1024
    post = {"content": whole, "headers": {"Content-Type": "application/json; charset=utf-8"}}
    assert api.http.post("/api/request", **post).status_code == 202
    post["content"] = whole.replace(b"xx", b"xxx", 1)
    assert refused_code(api.http.post("/api/request", **post)) == (413, "body_too_large")


def test_a_number_far_ahead_of_its_turn_is_held_back(api: Api) -> None:
    # Pyodide's Python has 32 bits: a range of so many numbers has no length there.
    session = api.open_session()
    session.ask(id="early", producer="p", seq=2**50)
    session.ask(id="other")
    assert request_ids(session) == ["other"]


@pytest.mark.parametrize(("path", "status"), [("/api/request", 413), ("/nowhere", 404)])
def test_the_reply_to_a_large_body_that_is_refused_arrives(path: str, status: int, api: Api) -> None:
    # Unread, every other one of these would be lost between wrangler's proxy and the Worker.
    post = {"content": b"x" * 4 * 1024 * 1024, "headers": {"Content-Type": "application/json"}}
    assert [api.http.post(path, **post).status_code for _ in range(12)] == [status] * 12


def test_progress_of_many_pieces_comes_in_order_before_the_answer(api: Api) -> None:
    session = api.open_session()
    guest, lines = session.guest_stream(), session.guest_stream(ndjson=True)
    session.ask(id="a")
    for number in range(20):
        session.answer("a", number, final=False)
    session.answer("a", "done")
    for stream in (guest, lines):
        assert [event.data["result"] for event in stream.take(21, "response")] == [*range(20), "done"]


def request_ids(session: Session) -> list[str]:
    """The requests that the host has still to answer."""
    return [message["data"]["id"] for message in session.poll(session.host_token)["messages"] if is_request(message)]


def is_request(message: dict[str, Any]) -> bool:
    return bool(message["event"] == "request")


def drained_by_polling(session: Session) -> dict[str, str]:
    """Poll and acknowledge until nothing is left."""
    found: dict[str, str] = {}
    for _ in range(MANY + 1):
        messages = session.poll(session.host_token)["messages"]
        if not messages:
            break
        # A poll is bounded: a megabyte, and the message that went over it.
        assert len(json.dumps(messages, ensure_ascii=False).encode()) < 1024 * 1024 + 256 * 1024
        found |= {message["data"]["id"]: message["data"]["args"]["text"] for message in messages}
        session.ack(*(message["data"]["cursor"] for message in messages), token=session.host_token)
    return found


def big_text(number: int) -> str:
    """200 KiB that no other number has, with characters of every length in UTF-8."""
    return (f"{number} äu\u2028\n\U0001f600" * (BIG // 12))[: BIG // 2]


def refused_code(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["code"]
