"""Bad input over HTTP: each with a status, a stable code and a sentence; nothing leaks, and the Worker goes on.

A unit test shows each check by itself; here is shown what workerd and the adapter make of such requests before and
after the checks. Requests are written with `http.client`, which sends paths and bodies as they are given.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.http_api import Api, Session, new_address
from tests.support.sse_client import PATIENCE_SECONDS
from tests.worker.conftest import SIGNING_KEY
from tools.local.harness.worker import LocalWorker
from waypost_worker.security.tokens import Claims, Role, Signer

LIMIT = 256 * 1024
UNKNOWN = "ZZZZZZZZ"
MEDIA_TYPE = "unsupported_media_type"
TOO_LARGE = "header_too_large"
HOST = "$HOST"


@dataclass
class Case:
    """One bad request. `$NAME` in path, body and token stands for a value of the `World`."""

    name: str
    status: int
    code: str
    method: str
    path: str
    body: Any = None
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def raw(text: bytes | str) -> bytes:
    """A body that is sent as it is."""
    return text.encode() if isinstance(text, str) else text


def post(name: str, status: int, code: str, path: str, body: Any, token: str = "", **headers: str) -> Case:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Case(name, status, code, "POST", path, body, token, named)


def get(name: str, status: int, code: str, path: str, token: str = "", **headers: str) -> Case:
    return Case(name, status, code, "GET", path, None, token, {k.replace("_", "-"): v for k, v in headers.items()})


def request(name: str, status: int, code: str, /, **fields: Any) -> Case:
    """A bad body of `POST /api/request`; a field that is `None` is left out."""
    body = {"code": "$CODE", "tool": "echo", "args": {}} | fields
    return post(name, status, code, "/api/request", {key: value for key, value in body.items() if value is not None})


def response(name: str, status: int, code: str, /, token: str = HOST, **fields: Any) -> Case:
    """A bad `POST /api/response`."""
    return post(name, status, code, "/api/response", {"code": "$CODE", "id": "a"} | fields, token)


def tools(name: str, tools_: Any, status: int = 400, code: str = "invalid_body", token: str = HOST) -> Case:
    """A bad `PUT …/tools`."""
    return Case(name, status, code, "PUT", "/api/sessions/$CODE/tools", {"tools": tools_}, token)


def ack(name: str, status: int, code: str, cursors: Any, token: str = HOST) -> Case:
    """A bad `POST /api/ack`."""
    return post(name, status, code, "/api/ack", {"code": "$CODE", "cursors": cursors}, token)


def wait(value: str) -> Case:
    """A bad `?wait=`."""
    return get(f"poll with wait={value}", 400, "invalid_parameter", f"/api/poll?code=$CODE&wait={value}")


def bad_code(code: str) -> Case:
    """A path in which no session code can be read."""
    return get(f"code {code[:30]} ({len(code)})", 400, "invalid_code", f"/api/sessions/{code}")


def bad_json(name: str, body: bytes | str, code: str = "invalid_json") -> Case:
    return post(f"body {name}", 400, code, "/api/sessions", raw(body))


def bad_id(name: str, value: Any) -> Case:
    return request(f"id {name}", 400, "invalid_id", id=value)


CASES = [
    # The body as bytes
    bad_json("that is no JSON", "ceci n'est pas du JSON"),
    bad_json("cut off", '{"label":"x'),
    bad_json("with a second document", "{}{}"),
    bad_json("with a comma too many", '{"label":"x",}'),
    bad_json("with a comment", '{/* */"label":"x"}'),
    bad_json("in single quotes", "{'label':'x'}"),
    bad_json("of white space", "  \n"),
    bad_json("of NUL", "\0"),
    bad_json("with NaN", '{"data":NaN}'),
    bad_json("with Infinity", '{"data":-Infinity}'),
    bad_json("with a number past all bounds", '{"data":1e999}', "invalid_body"),
    bad_json("with a leading zero", '{"data":007}'),
    bad_json("with a raw line break in a string", '{"label":"a\nb"}'),
    bad_json("with a lone surrogate", r'{"label":"\ud800"}'),
    bad_json("with the wrong half of a surrogate", r'{"label":"\udc00\ud800"}'),
    bad_json("with a bad escape", r'{"label":"\x41"}'),
    bad_json("with a byte order mark", b"\xef\xbb\xbf{}"),
    bad_json("in Latin-1", '{"label":"Köln"}'.encode("latin-1"), "invalid_encoding"),
    bad_json("in UTF-16", '{"label":"x"}'.encode("utf-16"), "invalid_encoding"),
    bad_json("with an overlong encoding", b'{"label":"\xc0\xaf"}', "invalid_encoding"),
    bad_json("with an encoded surrogate", b'{"label":"\xed\xa0\x80"}', "invalid_encoding"),
    bad_json("nested 129 deep", '{"data":' + "[" * 128 + "]" * 128 + "}"),
    bad_json("nested 5,000 deep", '{"data":' + "[" * 5_000 + "]" * 5_000 + "}"),
    bad_json("nested 120,000 deep", '{"data":' + "[" * 120_000 + "]" * 120_000 + "}"),
    bad_json("of 200,000 opening brackets", "[" * 200_000),
    bad_json("of 50,000 opening objects", '{"data":' + '{"a":' * 50_000),
    bad_json("with a name twice", '{"label":"x","label":"y"}'),
    bad_json("with a name twice, spelt differently", r'{"data":{"a":1,"\u0061":2}}'),
    bad_json("that is an array", "[]", "invalid_body"),
    bad_json("that is a string", '"x"', "invalid_body"),
    bad_json("that is null", "null", "invalid_body"),
    post("body a byte too large", 413, "body_too_large", "/api/sessions", raw('{"data":"%s"}' % ("x" * (LIMIT - 10)))),
    post("body far too large", 413, "body_too_large", "/api/request", raw("x" * (4 * LIMIT))),
    # Its headers
    post("text/plain", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="text/plain"),
    post("form", 415, MEDIA_TYPE, "/api/request", raw("a=b"), Content_Type="application/x-www-form-urlencoded"),
    post("no content type", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type=""),
    post("application/json5", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="application/json5"),
    post("gzip", 415, MEDIA_TYPE, "/api/sessions", gzip.compress(b"{}"), Content_Encoding="gzip"),
    post("gzip bomb", 415, MEDIA_TYPE, "/api/sessions", gzip.compress(b" " * 10**7), Content_Encoding="gzip"),
    post("deflate", 415, MEDIA_TYPE, "/api/request", raw("x"), Content_Encoding="deflate"),
    post("br", 415, MEDIA_TYPE, "/api/request", raw("x"), Content_Encoding="br"),
    post("two content types", 415, MEDIA_TYPE, "/api/sessions", raw("{}"), Content_Type="application/json, text/plain"),
    # Its head
    get("path of 2,049 bytes", 414, "uri_too_long", "/api/sessions/" + "x" * 2035),
    get("path of 14,000 bytes", 414, "uri_too_long", "/api/sessions/" + "%41" * 4_662),
    get("path of 2,048 bytes", 400, "invalid_code", "/api/sessions/" + "x" * 2034),
    get("query of 4,097 bytes", 400, "invalid_parameter", "/api/poll?" + "x" * 4097),
    get("101 parameters", 400, "invalid_parameter", "/api/poll?" + "&".join(f"p{number}" for number in range(101))),
    get("query that is not UTF-8", 400, "invalid_parameter", "/api/sessions?resourceId=a%ED%A0%80"),
    get("token of 4,097 characters", 431, TOO_LARGE, "/api/stream?code=$CODE", Authorization="x" * 4097),
    get("cursor of 8,000 characters", 431, TOO_LARGE, "/api/stream?code=$CODE", "$HOST", Last_Event_ID="0" * 8000),
    get("tag of 4,097 characters", 431, TOO_LARGE, "/api/sessions/s-1/theme", If_Match="x" * 4097),
    # Fields
    post("unknown field", 400, "unknown_field", "/api/sessions", {"lable": "x"}),
    request("field in snake case", 400, "unknown_field", wait_seconds=3),
    response("unknown field in an error", 400, "unknown_field", error={"code": "a", "message": "", "stack": "x"}),
    request("no code", 400, "invalid_body", code=None),
    request("a code that is a number", 400, "invalid_body", code=12345678),
    request("no tool", 400, "invalid_body", tool=None),
    request("a tool that is a list", 400, "invalid_body", tool=["echo"]),
    request("args that are a list", 400, "invalid_body", args=[1, 2]),
    request("args that are a string", 400, "invalid_body", args="{}"),
    request("an id that is a number", 400, "invalid_body", id=1),
    request("empty tool name", 400, "invalid_body", tool=""),
    request("tool name with a space", 400, "invalid_body", tool="a b"),
    request("tool name with a colon", 400, "invalid_body", tool="a:b"),
    request("tool name of 129 characters", 400, "invalid_body", tool="t" * 129),
    request("tool name with a line break at its end", 400, "invalid_body", tool="echo\n"),
    post("ttl below a minute", 400, "invalid_body", "/api/sessions", {"ttl": 59}),
    post("ttl above a day", 400, "invalid_body", "/api/sessions", {"ttl": 86_401}),
    post("ttl that is a fraction", 400, "invalid_body", "/api/sessions", {"ttl": 60.5}),
    post("ttl that is a text", 400, "invalid_body", "/api/sessions", {"ttl": "600"}),
    post("ttl that is true", 400, "invalid_body", "/api/sessions", {"ttl": True}),
    post("negative ttl", 400, "invalid_body", "/api/sessions", {"ttl": -600}),
    post("huge ttl", 400, "invalid_body", "/api/sessions", {"ttl": 10**30}),
    post("label of 101 characters", 400, "invalid_body", "/api/sessions", {"label": "x" * 101}),
    request("seq without producer", 400, "invalid_body", seq=1),
    request("producer without seq", 400, "invalid_body", producer="p"),
    request("seq 0", 400, "invalid_body", producer="p", seq=0),
    request("seq past what JavaScript counts", 400, "invalid_body", producer="p", seq=2**53),
    request("skip without seq", 400, "invalid_body", tool=None, args=None, skip=True),
    request("skip with a tool", 400, "invalid_body", producer="p", seq=1, skip=True),
    response("neither result nor error", 400, "invalid_body"),
    response("result and error", 400, "invalid_body", result=1, error={"code": "a", "message": ""}),
    response("error that is a text", 400, "invalid_body", error="failed"),
    response("error without a message", 400, "invalid_body", error={"code": "a"}),
    response("error with an empty code", 400, "invalid_body", error={"code": "", "message": ""}),
    response("final that is a text", 400, "invalid_body", result=1, final="no"),
    tools("129 tools", [{"name": f"t{number}"} for number in range(129)]),
    tools("two tools of one name", [{"name": "a"}, {"name": "b"}, {"name": "a"}]),
    tools("a tool without a name", [{"description": "x"}]),
    tools("a tool with a bad name", [{"name": "../a b"}]),
    tools("a tool whose name is a number", [{"name": 1}]),
    tools("a tool that is a text", ["a"]),
    tools("a description that is a list", [{"name": "a", "description": ["x"]}]),
    tools("an inputSchema that is a text", [{"name": "a", "inputSchema": "{}"}]),
    tools("tools that are an object", {"a": {}}),
    # Codes, ids, cursors
    *map(bad_code, ["K7Q2M9X", "K7Q2M9XA" * 3, "K7Q2M9XU", "K7Q2:9XA", "..%2F..%2F..", "%00%00%00%00%00%00%00%00"]),
    *map(bad_code, ["%E2%80%AEK7Q2M9X", "K7Q2M9X%0A", "A" * 513, "%C4%B1" * 8]),
    *map(bad_code, ["--------", "K7Q2M9X%2A", "%F0%9F%98%80"]),
    get("dots for a code", 404, "not_found", "/api/sessions/.."),
    get("path that is not UTF-8", 400, "invalid_parameter", "/api/sessions/K7Q2M9X%ff"),
    request("code with a colon in a body", 400, "invalid_code", code="req:K7Q2"),
    bad_id("empty", ""),
    bad_id("with a colon", "a:b"),
    bad_id("with a slash", "a/b"),
    bad_id("with NUL", "a\0"),
    bad_id("with a line break", "a\n"),
    bad_id("right to left", "\u202ea"),
    bad_id("of 65 characters", "a" * 65),
    bad_id("of 513 bytes", "a" * 513),
    bad_id("of full-width letters", "ａ"),
    request("producer with a space", 400, "invalid_id", producer="a b", seq=1),
    response("answer to a bad id", 400, "invalid_id", id="..:..", result=1),
    post("cancel of a bad id", 400, "invalid_id", "/api/request/a%3Ab/cancel", {"code": "$CODE"}),
    ack("101 cursors", 400, "invalid_body", ["$REQUEST"] * 101),
    ack("no cursors", 400, "invalid_body", []),
    ack("cursors that are a text", 400, "invalid_body", "$REQUEST"),
    ack("a cursor that is none", 400, "invalid_cursor", ["a"]),
    ack("a cursor with a key in it", 400, "invalid_cursor", ["$REQUEST:x"]),
    ack("a cursor of another session", 400, "invalid_cursor", ["$OTHERS_REQUEST"]),
    ack("a cursor of the other queue", 400, "invalid_cursor", ["$REQUEST"], token="$GUEST"),
    ack("a good cursor and a bad one", 400, "invalid_cursor", ["$REQUEST", "*"]),
    get("stream after a bad cursor", 400, "invalid_cursor", "/api/stream?code=$CODE&after=1", "$HOST"),
    get("stream after a foreign cursor", 400, "invalid_cursor", "/api/stream?code=$CODE&after=$OTHERS_REQUEST", HOST),
    get("stream after the host's cursor as a guest", 400, "invalid_cursor", "/api/stream?code=$CODE&after=$REQUEST"),
    get("bad Last-Event-ID", 400, "invalid_cursor", "/api/stream?code=$CODE", "$HOST", Last_Event_ID="0"),
    get("poll after a bad cursor", 400, "invalid_cursor", "/api/poll?code=$CODE&after=%00", "$HOST"),
    # Query parameters
    *map(wait, ["-1", "60.001", "61", "nan", "inf", "1e1", "abc", ""]),
    *map(wait, ["1_0", "+1", "%D9%A1", "0x10", "1.2.3", "9" * 5000]),
    get("wait twice", 400, "invalid_parameter", "/api/poll?code=$CODE&wait=1&wait=2"),
    get("code twice", 400, "invalid_parameter", "/api/poll?code=$CODE&code=$OTHER_CODE"),
    post("request with wait=61", 400, "invalid_parameter", "/api/request?wait=61", {"code": "$CODE", "tool": "a"}),
    get("stream without a code", 400, "invalid_parameter", "/api/stream"),
    get("poll with an empty code", 400, "invalid_parameter", "/api/poll?code="),
    # Sessions that are not there
    get("unknown session", 404, "session_not_found", f"/api/sessions/{UNKNOWN}"),
    post("join of an unknown session", 404, "session_not_found", f"/api/sessions/{UNKNOWN}/join", None),
    request("request to an unknown session", 404, "session_not_found", code=UNKNOWN),
    get("stream of an unknown session", 404, "session_not_found", f"/api/stream?code={UNKNOWN}"),
    get("ended session", 410, "session_ended", "/api/sessions/$ENDED"),
    request("request to an ended session", 410, "session_ended", code="$ENDED"),
    get("stream of an ended session", 410, "session_ended", "/api/stream?code=$ENDED"),
    # Who may do what
    response("answer without a token", 401, "token_required", token="", result=1),
    tools("tools without a token", [], 401, "token_required", ""),
    Case("delete without a token", 401, "token_required", "DELETE", "/api/sessions/$CODE"),
    Case("delete with the token in the query", 401, "token_required", "DELETE", "/api/sessions/$CODE?token=$HOST"),
    response("answer as a guest", 403, "wrong_role", token="$GUEST", result=1),
    Case("delete as a guest", 403, "wrong_role", "DELETE", "/api/sessions/$CODE", None, "$GUEST"),
    tools("tools as a guest", [], 403, "wrong_role", "$GUEST"),
    post("extend as a guest", 403, "wrong_role", "/api/sessions/$CODE/extend", None, "$GUEST"),
    post("request as the host", 403, "wrong_role", "/api/request", {"code": "$CODE", "tool": "a"}, "$HOST"),
    response("answer with another session's token", 403, "wrong_session", token="$OTHERS_HOST", result=1),
    get("stream with another session's token", 403, "wrong_session", "/api/stream?code=$CODE", "$OTHERS_HOST"),
    response("answer with a changed token", 401, "invalid_token", token="$TAMPERED", result=1),
    response("answer with a guest's token made a host's", 401, "invalid_token", token="$PROMOTED", result=1),
    response("answer with a token of another key", 401, "invalid_token", token="$FORGED", result=1),
    response("answer with an expired token", 401, "token_expired", token="$EXPIRED", result=1),
    response("answer with nonsense for a token", 401, "invalid_token", token="nonsense", result=1),
    get("stream with a changed token in the query", 401, "invalid_token", "/api/stream?code=$CODE&token=$TAMPERED"),
    get("stream with an expired token in the query", 401, "token_expired", "/api/stream?code=$CODE&token=$EXPIRED"),
    # Paths and methods
    get("no such path", 404, "not_found", "/api/nope"),
    get("trailing slash", 404, "not_found", "/api/sessions/$CODE/"),
    get("diagnostics that are off", 404, "not_found", "/debug/objects"),
    Case("PATCH of a session", 405, "method_not_allowed", "PATCH", "/api/sessions/$CODE", {}),
    Case("PUT of all sessions", 405, "method_not_allowed", "PUT", "/api/sessions", {}),
    Case("a list of nobody's threads", 400, "invalid_parameter", "GET", "/api/sessions"),
    Case("PUT of health", 405, "method_not_allowed", "PUT", "/health", {}),
    Case("DELETE of a stream", 405, "method_not_allowed", "DELETE", "/api/stream?code=$CODE"),
    Case("a method nobody knows", 405, "method_not_allowed", "PROPFIND", "/api/poll"),
    Case("TRACE", 405, "method_not_allowed", "TRACE", "/api/poll"),
    Case("OPTIONS that is no preflight", 405, "method_not_allowed", "OPTIONS", "/api/poll"),
]  # fmt: skip


@dataclass
class World:
    """A Worker, sessions in every state, and all that a `$NAME` can stand for."""

    worker: LocalWorker
    api: Api
    session: Session
    values: dict[str, str]

    def fill(self, text: str) -> str:
        # The longest names first: $HOST must not be found in $HOSTS.
        for name in sorted(self.values, key=len, reverse=True):
            text = text.replace(f"${name}", self.values[name])
        return text


@pytest.fixture(scope="module")
def world(worker: LocalWorker) -> Iterator[World]:
    with Api(worker.url) as api:
        session, other, ended = api.open_session(), api.open_session(), api.open_session()
        ended.delete()
        guest = session.join()
        head, _, signature = session.host_token.rpartition(".")
        now = int(time.time())
        values = {
            "CODE": session.code,
            "OTHER_CODE": other.code,
            "ENDED": ended.code,
            "HOST": session.host_token,
            "OTHERS_HOST": other.host_token,
            "GUEST": guest,
            "TAMPERED": f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
            "PROMOTED": guest.replace(".guest.", ".host."),
            "FORGED": Signer((b"another key, which is long enough too",)).sign(
                Claims(Role.HOST, session.code, now + 3600)
            ),
            "EXPIRED": Signer((SIGNING_KEY.encode(),)).sign(Claims(Role.HOST, session.code, now - 1)),
            "REQUEST": session.ask().json()["cursor"],
            "OTHERS_REQUEST": other.ask().json()["cursor"],
        }
        yield World(worker, api, session, values)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def send(world: World, case: Case) -> Answer:
    headers = {"CF-Connecting-IP": new_address()}
    body = case.body
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = body if isinstance(body, bytes) else world.fill(json.dumps(body)).encode()
    if case.token:
        headers["Authorization"] = f"Bearer {world.fill(case.token)}"
    headers |= case.headers
    connection = http.client.HTTPConnection("127.0.0.1", world.worker.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(case.method, world.fill(case.path), body, {k: v for k, v in headers.items() if v})
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bad_input_is_refused_with_its_code_and_the_worker_goes_on(case: Case, world: World) -> None:
    answer = send(world, case)
    problem = check_problem(answer, world)
    assert (answer.status, problem["code"]) == (case.status, case.code), problem
    if case.status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert world.api.call("GET", f"/api/sessions/{world.session.code}").status_code == 200


def test_there_are_at_least_fifty_bad_inputs_and_no_two_share_a_name() -> None:
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)


def check_problem(answer: Answer, world: World) -> dict[str, Any]:
    """The problem document, which every refusal is: complete, and without a word about the inside or a secret."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.body[:500]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "operations" in answer.headers["Server-Timing"]
    problem: dict[str, Any] = json.loads(answer.body)
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert all(isinstance(problem[name], str) and problem[name] for name in ("type", "title", "detail", "code"))
    assert problem["status"] == answer.status
    assert len(problem["detail"].split()) >= 4, "a sentence"
    text = answer.body.decode()
    for name in ("HOST", "GUEST", "OTHERS_HOST", "TAMPERED", "PROMOTED", "FORGED", "EXPIRED"):
        assert world.values[name].rpartition(".")[2] not in text
    for trace in ("Traceback", ".py", "msgspec", "pyodide", "JsException", SIGNING_KEY):
        assert trace not in text
    return problem


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
    assert check_problem(answer, world)["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == allowed


def head_of(path: str, *fields: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"CF-Connecting-IP: {new_address()}", *fields]
    return ("\r\n".join([*lines, "Content-Type: application/json"]) + "\r\n\r\n").encode()


def test_a_body_declared_too_large_is_refused_before_it_is_sent(world: World) -> None:
    with socket.create_connection(("127.0.0.1", world.worker.port), PATIENCE_SECONDS) as connection:
        connection.sendall(head_of("/api/sessions", f"Content-Length: {50 * 1024 * 1024}") + b"{")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_is_refused_as_soon_as_it_is_over_the_limit(world: World) -> None:
    """The length is not declared and the body never ends: the answer comes all the same."""
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
    statuses, guesser = guess_until_refused(world)
    with guesser:
        assert statuses == [404] * 10 + [429]
        refused = guesser.call("GET", f"/api/sessions/{UNKNOWN}")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) == 60
        # A code that exists is refused just so, else the refusals would tell which codes do.
        code = world.session.code
        hits = [
            guesser.call("GET", f"/api/sessions/{code}"),
            guesser.call("POST", f"/api/sessions/{code}/join"),
            guesser.call("POST", "/api/request", {"code": code, "tool": "a"}),
            guesser.call("GET", "/api/stream", params={"code": code}),
            guesser.call("GET", "/api/poll", params={"code": code}),
        ]
        assert [hit.status_code for hit in hits] == [429] * 5
        # Who holds a token guesses nothing.
        body = {"code": code, "tool": "echo"}
        assert guesser.call("POST", "/api/request", body, world.values["GUEST"]).status_code == 202
        poll = guesser.call("GET", "/api/poll", token=world.values["HOST"], params={"code": code})
        assert poll.status_code == 200
        assert guesser.http.post("/api/sessions").status_code == 201
    assert world.session.read().status_code == 200, "another address is not concerned"


def guess_until_refused(world: World) -> tuple[list[int], Api]:
    """The statuses of guesses of one address up to the first 429.

    The binding counts in windows that begin with the minute. If one began in between, the count began anew: then once
    more, from another address.
    """
    while True:
        window = time.time() // 60
        guesser = Api(world.worker.url)
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 25:
            statuses.append(guesser.call("GET", f"/api/sessions/{UNKNOWN}").status_code)
        if time.time() // 60 == window:
            return statuses, guesser
        guesser.close()


def test_many_bad_requests_at_once_disturb_no_good_one(world: World) -> None:
    bad = httpx.Request(
        "POST", f"{world.worker.url}/api/sessions", content=b"{", headers={"Content-Type": "application/json"}
    )
    with httpx.Client() as client:
        for _ in range(50):
            assert client.send(bad).status_code == 400
    assert world.session.ask().status_code == 202
