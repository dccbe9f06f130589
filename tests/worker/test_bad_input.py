"""Bad input over HTTP: each with a status, a stable code and a sentence; nothing leaks, and the Worker goes on.

Unit tests send the same requests (`tests/support/bad_requests/table.py`) to the application; here is shown what workerd
and the adapter make of them before and after the checks. Requests are written with `http.client`, which sends paths and
bodies as they are given.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.bad_requests.sending import bad_tokens, body_of, fill, headers_of
from tests.support.bad_requests.table import CASES, LIMIT, UNKNOWN, Case
from tests.support.bad_requests.verdict import Answer, check_problem, check_refusal
from tests.support.http_api import Api, Session, new_address
from tests.support.sse_client import PATIENCE_SECONDS
from tests.worker.conftest import SIGNING_KEY
from tools.local.harness.worker import LocalWorker


@dataclass
class World:
    """A Worker, sessions in every state, and all that a `$NAME` can stand for."""

    worker: LocalWorker
    api: Api
    session: Session
    values: dict[str, str]


@pytest.fixture(scope="module")
def world(worker: LocalWorker) -> Iterator[World]:
    with Api(worker.url) as api:
        session, other, ended = api.open_session(), api.open_session(), api.open_session()
        ended.delete()
        guest = session.join()
        values = {
            "CODE": session.code,
            "OTHER_CODE": other.code,
            "ENDED": ended.code,
            "HOST": session.host_token,
            "OTHERS_HOST": other.host_token,
            "GUEST": guest,
            "REQUEST": session.ask().json()["cursor"],
            "OTHERS_REQUEST": other.ask().json()["cursor"],
            **bad_tokens(session.code, session.host_token, guest, SIGNING_KEY.encode(), int(time.time())),
        }
        yield World(worker, api, session, values)


def send(world: World, case: Case) -> Answer:
    headers = {"CF-Connecting-IP": new_address(), **headers_of(case, world.values)}
    connection = http.client.HTTPConnection("127.0.0.1", world.worker.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(case.method, fill(case.path, world.values), body_of(case, world.values), headers)
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bad_input_is_refused_with_its_code_and_the_worker_goes_on(case: Case, world: World) -> None:
    check_refusal(case, send(world, case), world.values, SIGNING_KEY)
    assert world.api.call("GET", f"/api/sessions/{world.session.code}").status_code == 200


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/sessions", "PUT", "DELETE, GET, HEAD, POST"),
        ("/api/sessions/K7Q2M9XA", "PATCH", "DELETE, GET, HEAD"),
        ("/api/sessions/K7Q2M9XA/tools", "POST", "PUT"),
        ("/api/request", "DELETE", "POST"),
        ("/api/stream", "POST", "GET, HEAD"),
        ("/health", "PUT", "GET, HEAD"),
    ],
)
def test_a_405_says_what_is_allowed(path: str, method: str, allowed: str, world: World) -> None:
    answer = send(world, Case("", 405, "method_not_allowed", method, path))
    assert check_problem(answer, world.values, SIGNING_KEY)["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == allowed


def head_of(path: str, *fields: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"CF-Connecting-IP: {new_address()}", *fields]
    return ("\r\n".join([*lines, "Content-Type: application/json"]) + "\r\n\r\n").encode()


def test_a_body_declared_too_large_is_refused_before_it_is_sent(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.worker.port), PATIENCE_SECONDS) as connection:
        connection.sendall(head_of("/api/sessions", f"Content-Length: {50 * 1024 * 1024}") + b"{")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_is_refused_as_soon_as_it_is_over_the_limit(world: World) -> None:
    """The length is not declared and the body never ends: the refusal still comes."""
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", world.worker.port), PATIENCE_SECONDS) as connection:
        connection.sendall(head_of("/api/request", "Transfer-Encoding: chunked"))
        for _ in range(LIMIT // 0x4000 + 2):
            connection.sendall(chunk)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_within_the_limit_is_taken(world: World) -> None:
    pieces = iter([b'{"label":', b'"in pie', b'ces"}'])
    reply = world.api.http.post("/api/sessions", content=pieces, headers={"Content-Type": "application/json"})
    assert "content-length" not in reply.request.headers
    assert (reply.status_code, reply.json()["label"]) == (201, "in pieces")


def talk(world: World, sent: bytes) -> Answer:
    """Send bytes as they are, on a connection of their own, and read one reply."""
    with socket.create_connection(("127.0.0.1", world.worker.port), PATIENCE_SECONDS) as connection:
        connection.sendall(sent)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        return Answer(reply.status, reply.headers, reply.read())


@pytest.mark.parametrize("method", ["BREW", "get", "CONNECT", "G\u00e9T", "GET\0"])
def test_what_is_no_method_does_not_reach_the_worker(method: str, world: World) -> None:
    answer = talk(world, f"{method} /api/poll HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.status in (400, 500, 501)
    assert "Server-Timing" not in answer.headers
    assert world.session.read().status_code == 200


@pytest.mark.parametrize("length", ["-1", "+1", "0x10", "1, 2", "abc", "9" * 30])
def test_an_absurd_length_is_refused(length: str, world: World) -> None:
    assert talk(world, head_of("/api/sessions", f"Content-Length: {length}") + b"{}").status == 400
    assert world.session.read().status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "utf-16", "nonsense"])
def test_a_charset_changes_nothing_json_is_utf_8(charset: str, world: World) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    answer = send(world, Case("", 201, "", "POST", "/api/sessions", '{"label":"K\u00f6ln"}'.encode(), "", headers))
    assert (answer.status, json.loads(answer.body)["label"]) == (201, "K\u00f6ln")


@pytest.mark.parametrize("ray", ["x\x1b[31mred", "230b030023ae2822-SJC, x", "a" * 300])
def test_a_name_that_a_caller_gives_to_a_request_is_not_repeated(ray: str, world: World) -> None:
    answer = talk(world, f"GET /health HTTP/1.1\r\nHost: localhost\r\ncf-ray: {ray}\r\n\r\n".encode())
    assert answer.status == 200
    assert re.fullmatch(r"[0-9a-f]{16}(-[A-Z]{3})?", answer.headers["X-Request-Id"])


def test_a_body_that_breaks_off_leaves_the_worker_at_work(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.worker.port), PATIENCE_SECONDS) as connection:
        connection.sendall(head_of("/api/sessions", "Content-Length: 1000") + b'{"label":')
    assert world.session.read().status_code == 200


def test_from_the_eleventh_unknown_code_an_address_is_refused_and_a_token_still_gets_through(world: World) -> None:
    statuses, refused, hits, guesser = guess_within_a_minute(world)
    with guesser:
        assert statuses == [404] * 10 + [429]
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) == 60
        # A code that exists is refused just so, else the refusals would tell which codes do.
        assert [hit.status_code for hit in hits] == [429] * 5
        # A caller with a token guesses nothing.
        code = world.session.code
        body = {"code": code, "tool": "echo"}
        assert guesser.call("POST", "/api/request", body, world.values["GUEST"]).status_code == 202
        poll = guesser.call("GET", "/api/poll", token=world.values["HOST"], params={"code": code})
        assert poll.status_code == 200
        assert guesser.http.post("/api/sessions").status_code == 201
    assert world.session.read().status_code == 200, "another address is not concerned"


def guess_within_a_minute(world: World) -> tuple[list[int], httpx.Response, list[httpx.Response], Api]:
    """The statuses of guesses of one address up to the first 429, the refusal of another guess, and the replies to a
    code that exists.

    The binding counts in windows that begin with the minute. If one began in between, the count restarted, and
    another address tries again.
    """
    while True:
        window = time.time() // 60
        guesser = Api(world.worker.url)
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 25:
            # Another code each time: the same one counts once a minute.
            statuses.append(guesser.call("GET", f"/api/sessions/{len(statuses):08}").status_code)
        refused = guesser.call("GET", f"/api/sessions/{UNKNOWN}")
        code = world.session.code
        hits = [
            guesser.call("GET", f"/api/sessions/{code}"),
            guesser.call("POST", f"/api/sessions/{code}/join"),
            guesser.call("POST", "/api/request", {"code": code, "tool": "a"}),
            guesser.call("GET", "/api/poll", params={"code": code}),
            guesser.call("HEAD", "/api/stream", params={"code": code}),
        ]
        if time.time() // 60 == window:
            return statuses, refused, hits, guesser
        guesser.close()


def test_many_bad_requests_at_once_disturb_no_good_one(world: World) -> None:
    bad = httpx.Request(
        "POST", f"{world.worker.url}/api/sessions", content=b"{", headers={"Content-Type": "application/json"}
    )
    with httpx.Client() as client:
        for _ in range(50):
            assert client.send(bad).status_code == 400
    assert world.session.ask().status_code == 202
