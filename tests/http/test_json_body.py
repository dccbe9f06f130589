"""Bad input: each kind is refused with its status and its code, before anything is stored."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.client import LowerHeaders, make_client, no_background
from simulation.virtual_time import VirtualClock, run
from tests.support.faulty_kv import FaultyKv
from waypost_worker.errors import InvalidJson
from waypost_worker.handlers.queues import RequestBody
from waypost_worker.http.json_body import decode_json, is_nested_deeper, repeats_a_name
from waypost_worker.http.messages import Request
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH, MAX_JSON_NAMES

REQUEST = "/api/request"
RESPONSE = "/api/response"
ACK = "/api/ack"
OPEN = "/api/sessions"
TOOLS = "/api/sessions/{code}/tools"
CANCEL = "/api/request/mine/cancel"


def asking(**fields: Any) -> dict[str, Any]:
    return {"code": "{code}", "tool": "echo"} | fields


def answering(**fields: Any) -> dict[str, Any]:
    return {"code": "{code}", "id": "mine"} | fields


BAD: list[tuple[str, str, Any, str]] = [
    ("not JSON", REQUEST, b"{", "invalid_json"),
    ("two documents", OPEN, b"{}{}", "invalid_json"),
    ("only white space", REQUEST, b"  ", "invalid_json"),
    ("a byte order mark", REQUEST, b"\xef\xbb\xbf{}", "invalid_json"),
    ("single quotes", REQUEST, b"{'code':1}", "invalid_json"),
    ("NaN", REQUEST, b'{"code":"{code}","tool":"t","args":{"n":NaN}}', "invalid_json"),
    ("a name twice", OPEN, b'{"label":"a","label":"b"}', "invalid_json"),
    ("a name twice, in another spelling", OPEN, b'{"label":"a","l\\u0061bel":"b"}', "invalid_json"),
    (
        "a name twice, further down",
        REQUEST,
        b'{"code":"{code}","tool":"t","args":{"a":[{"b":{},"b":1}]}}',
        "invalid_json",
    ),
    ("a lone surrogate", REQUEST, b'{"code":"\\ud800"}', "invalid_json"),
    ("a raw line break in a text", REQUEST, b'{"code":"a\nb"}', "invalid_json"),
    ("a number without bounds", REQUEST, b'{"code":"{code}","tool":"t","args":{"n":1e999}}', "invalid_body"),
    ("nested too deeply", REQUEST, b'{"args":{"a":' + b"[" * 127 + b"]" * 127 + b"}}", "invalid_json"),
    ("Latin-1", REQUEST, b'{"code":"\xe9"}', "invalid_encoding"),
    ("UTF-16", REQUEST, '{"code":1}'.encode("utf-16"), "invalid_encoding"),
    ("an encoded surrogate", REQUEST, b'{"code":"\xed\xa0\x80"}', "invalid_encoding"),
    ("a list", REQUEST, [], "invalid_body"),
    ("null", REQUEST, b"null", "invalid_body"),
    ("no body where one is needed", REQUEST, b"", "invalid_body"),
    ("a misspelt option", REQUEST, asking(tol="x"), "unknown_field"),
    ("snake case", OPEN, {"host_token": 1}, "unknown_field"),
    ("a code that is a number", REQUEST, asking(code=7), "invalid_body"),
    ("a code that is none", REQUEST, asking(code="K7Q2:M9X"), "invalid_code"),
    ("an empty code", REQUEST, asking(code=""), "invalid_code"),
    ("an endless code", REQUEST, asking(code="-" * 100_000), "invalid_code"),
    ("no tool", REQUEST, {"code": "{code}"}, "invalid_body"),
    ("an empty tool", REQUEST, asking(tool=""), "invalid_body"),
    ("a tool with a colon", REQUEST, asking(tool="a:b"), "invalid_body"),
    ("arguments that are a list", REQUEST, asking(args=[1]), "invalid_body"),
    ("an id with a colon", REQUEST, asking(id="a:b"), "invalid_id"),
    ("an empty id", REQUEST, asking(id=""), "invalid_id"),
    ("an id of 65 characters", REQUEST, asking(id="i" * 65), "invalid_id"),
    ("an id with a line break", REQUEST, asking(id="a\n"), "invalid_id"),
    ("a producer without a number", REQUEST, asking(producer="p"), "invalid_body"),
    ("a number without a producer", REQUEST, asking(seq=1), "invalid_body"),
    ("the number 0", REQUEST, asking(producer="p", seq=0), "invalid_body"),
    ("the number 1.5", REQUEST, asking(producer="p", seq=1.5), "invalid_body"),
    ("a number that JavaScript rounds", REQUEST, asking(producer="p", seq=2**53), "invalid_body"),
    ("a producer with a colon", REQUEST, asking(producer="p:", seq=1), "invalid_id"),
    ("settled without a producer", REQUEST, asking(settled=1), "invalid_body"),
    ("settled beyond its own number", REQUEST, asking(producer="p", seq=3, settled=3), "invalid_body"),
    ("a skip without a number", REQUEST, {"code": "{code}", "skip": True}, "invalid_body"),
    ("a skip with a tool", REQUEST, asking(producer="p", seq=1, skip=True), "invalid_body"),
    (
        "a skip with arguments",
        REQUEST,
        {"code": "{code}", "producer": "p", "seq": 1, "skip": True, "args": {}},
        "invalid_body",
    ),
    ("an answer without outcome", RESPONSE, answering(), "invalid_body"),
    (
        "an answer with both outcomes",
        RESPONSE,
        answering(result=1, error={"code": "c", "message": "m"}),
        "invalid_body",
    ),
    ("an error without a message", RESPONSE, answering(error={"code": "c"}), "invalid_body"),
    ("an error without a code", RESPONSE, answering(error={"code": "", "message": "m"}), "invalid_body"),
    ("an error with a long code", RESPONSE, answering(error={"code": "c" * 65, "message": "m"}), "invalid_body"),
    ("an error with a long message", RESPONSE, answering(error={"code": "c", "message": "m" * 4097}), "invalid_body"),
    ("an answer to nothing", RESPONSE, {"code": "{code}", "result": 1}, "invalid_body"),
    ("an answer to a hostile id", RESPONSE, {"code": "{code}", "id": "../x", "result": 1}, "invalid_id"),
    ("final that is no boolean", RESPONSE, answering(result=1, final="yes"), "invalid_body"),
    ("no cursors", ACK, {"code": "{code}", "cursors": []}, "invalid_body"),
    ("101 cursors", ACK, {"code": "{code}", "cursors": ["c"] * 101}, "invalid_body"),
    ("a cursor that is none", ACK, {"code": "{code}", "cursors": ["c"]}, "invalid_cursor"),
    ("a time to live of 59 s", OPEN, {"ttl": 59}, "invalid_body"),
    ("a time to live of more than a day", OPEN, {"ttl": 86_401}, "invalid_body"),
    ("a time to live as text", OPEN, {"ttl": "600"}, "invalid_body"),
    ("a label of 101 characters", OPEN, {"label": "l" * 101}, "invalid_body"),
    ("a label that is a number", OPEN, {"label": 7}, "invalid_body"),
    ("tools that are an object", TOOLS, {"tools": {}}, "invalid_body"),
    ("a tool that is a text", TOOLS, {"tools": ["a"]}, "invalid_body"),
    ("a tool without a name", TOOLS, {"tools": [{}]}, "invalid_body"),
    ("a tool whose name is a number", TOOLS, {"tools": [{"name": 7}]}, "invalid_body"),
    ("a tool whose name has a space", TOOLS, {"tools": [{"name": "a b"}]}, "invalid_body"),
    ("a tool whose description is a number", TOOLS, {"tools": [{"name": "a", "description": 7}]}, "invalid_body"),
    ("a tool whose schema is a list", TOOLS, {"tools": [{"name": "a", "inputSchema": []}]}, "invalid_body"),
    ("two tools of one name", TOOLS, {"tools": [{"name": "a"}, {"name": "a"}]}, "invalid_body"),
    ("a cancel without a code", CANCEL, {}, "invalid_body"),
    ("a cancel of a hostile id", "/api/request/a%3Ab/cancel", {"code": "{code}"}, "invalid_id"),
]


@pytest.mark.parametrize(("path", "body", "code"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
async def test_bad_input_is_refused_by_name_and_nothing_is_written(path: str, body: Any, code: str):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    client = make_client(kv=kv)
    session = await client.open_session()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kv.asked.clear()
    reply = await client.call(
        "PUT" if path == TOOLS else "POST",
        path.replace("{code}", session.code),
        body=raw.replace(b"{code}", session.code.encode()),
        token=session.host if path in (TOOLS, RESPONSE, ACK) else None,
    )
    assert (reply.status, reply.json()["code"]) == (400, code)
    assert len(reply.json()["detail"]) < 300
    assert "put" not in [operation for operation, _ in kv.asked]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"Content-Type": ""}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/jsonx"}, 415, "unsupported_media_type"),
        ({"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        ({"Content-Length": str(MAX_BODY_BYTES + 1)}, 413, "body_too_large"),
        ({"Content-Length": "9" * 4096}, 413, "body_too_large"),
        ({"Content-Type": "application/json, text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": "text/plain, application/json"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/json; charset=utf-8, text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/json; charset=latin-1"}, 201, None),
        ({"Content-Type": "application/json; charset=utf-16"}, 201, None),
        ({"Content-Length": "\u00b2"}, 201, None),
        ({"Content-Length": "-1"}, 201, None),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, 201, None),
        ({"Content-Encoding": "identity"}, 201, None),
    ],
)
def test_what_a_body_is_declared_to_be_decides(headers: dict[str, str], status: int, code: str | None):
    reply = run(make_client().call("POST", OPEN, {}, headers=headers))
    assert (reply.status, reply.json().get("code") if code else None) == (status, code)


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 201), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_has_at_most_256_kib(size: int, status: int):
    body = b'{"data":"%s"}' % (b"x" * (size - len('{"data":""}')))
    assert run(make_client().call("POST", OPEN, body=body)).status == status


async def test_a_body_that_is_declared_too_large_is_not_read():
    read: list[int] = []

    async def read_body(limit: int) -> bytes | None:
        read.append(limit)
        return b""

    headers = LowerHeaders({"Content-Length": str(MAX_BODY_BYTES + 1)})
    response = await make_client().app.handle(Request("POST", OPEN, "", headers, read_body, no_background))
    assert (response.status, read) == (413, [])


@pytest.mark.parametrize(("levels", "status"), [(MAX_JSON_DEPTH - 1, 201), (MAX_JSON_DEPTH, 400)])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_json_is_nested_to_a_bounded_depth(brackets: str, levels: int, status: int):
    opening = '{"a":' if brackets == "{}" else "["
    inner = "{}" if brackets == "{}" else "[]"
    body = '{"data":' + opening * (levels - 1) + inner + brackets[1] * (levels - 1) + "}"
    assert run(make_client().call("POST", OPEN, body=body.encode())).status == status


async def test_the_deepest_json_that_is_taken_can_be_read_by_everybody():
    client = make_client()
    session = await client.open_session()
    args = '{"a":' + "[" * (MAX_JSON_DEPTH - 2) + '"' + "x" * 2000 + '"' + "]" * (MAX_JSON_DEPTH - 2) + "}"
    body = f'{{"code":"{session.code}","tool":"t","args":{args}}}'
    assert (await client.call("POST", REQUEST, body=body.encode())).status == 202
    assert len((await client.poll(session.code, session.host))["messages"]) == 1


@pytest.mark.parametrize(
    ("body", "deeper"),
    [
        (b"[[]]", False),
        (b"[[[]]]", True),
        (b'["[[[[[["]', False),
        (b'["\\"[[[[[["]', False),
        (b'["\\\\",[[]]]', True),
        (b"[[],[],[],{},{}]", False),
        (b'{"[[":{"a":{}}}', True),
        (b"[[],[[],[]],{}]", True),
        (b"[[],[[]]]", True),
        (b"[[", False),
        (b"[[[", True),
        (b"[[]", False),
        (b"[]]]]]]", False),
        (b'"[[[[[[[[[', False),
    ],
)
def test_only_brackets_outside_of_texts_nest(body: bytes, deeper: bool):
    assert is_nested_deeper(body, 2) is deeper


def repeats(body: bytes) -> bool:
    return repeats_a_name(msgspec.json.format(body, indent=-1), msgspec.json.decode(body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{ "a" : 1 , "a" : 2 }',
        b'{"a":1,"\\u0061":2}',
        b'{"":1,"":2}',
        b'[[{"x":{"a":[{"b":1,"b":2}]}}]]',
        b'{"a":{"b":1,"b":2},"c":1}',
        b'{"a":{"b":1},"a":{"c":1,"d":2}}',
        b'{"\\"":1,"\\u0022":2}',
        b'{"a:":1,"a\\u003a":2}',
        b'{"a:":1,"a\\u003A":2}',
        b'{"a\\/":1,"a/":2}',
        b'{"a":"\\":","a":1}',
        '{"\u00e9":1,"\\u00e9":2}'.encode(),
        '{"\U0001f600":1,"\\ud83d\\ude00":2}'.encode(),
        b'{"a":1,"a":"\\u0022:\\u0022:"}',
        b'{"a":1,"a":"\\"\\u003a"}',
        b'{"a":1,"a":"\\"\\u003A"}',
    ],
)
def test_a_name_that_stands_twice_in_one_object_is_found(body: bytes):
    assert repeats(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"a":1,"A":2,"a ":3}',
        b'[{"a":1},{"a":2}]',
        b'{"a":{"a":{"a":1}}}',
        b'{"a":"\\"b\\":1, \\"b\\":","c":1}',
        b'{"a":"\\u0022:","b":1}',
        b'{"a":"\\"\\u003a","b":1}',
        b'{"\\u0022:":1,"b":"\\":\\":"}',
        b'{"a\\\\":1,"b\\\\u0022":2}',
        '{"\u00e9":1,"e\u0301":2}'.encode(),
        b'{"a":1.0,"b":1e5,"c":-0.0,"d":100000000000000000000000000,"e":true,"f":null}',
    ],
)
def test_names_that_only_look_alike_are_not(body: bytes):
    assert not repeats(body)


names = st.sampled_from(["a", "b", "", ":", '"', '":', '\\":', "\\", "\u2028", "\u00e9", "\U0001f600"])


@st.composite
def texts_of_json(draw: st.DrawFn, depth: int = 2) -> str:
    """JSON in which names may stand twice, with white space and escapes."""

    def string(text: str) -> str:
        spelt = [
            f"\\u{ord(letter):04x}" if letter in 'a:"' and draw(st.booleans()) else json.dumps(letter)[1:-1]
            for letter in text
        ]
        return f'"{"".join(spelt)}"'

    kind = draw(st.sampled_from(["string", "number", "array", "object", "object"] if depth else ["string", "number"]))
    if kind == "string":
        return string(draw(names))
    if kind == "number":
        return draw(st.sampled_from(["0", "-0.0", "1e5", "12345678901234567890123"]))
    inner = [draw(texts_of_json(depth - 1)) for _ in range(draw(st.integers(0, 4)))]
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    if kind == "array":
        return f"[{f'{space},'.join(inner)}]"
    return "{" + f",{space}".join(f"{string(draw(names))}{space}:{space}{value}" for value in inner) + "}"


def test_what_looks_like_many_names_in_a_text_is_one_text():
    body = {"data": '":' * (MAX_JSON_NAMES + 1), "label": "x"}
    assert run(make_client().call("POST", OPEN, body)).status == 201
    body = {"data": {f"{number:x}": 0 for number in range(MAX_JSON_NAMES - 2)}, "label": '":'}
    assert run(make_client().call("POST", OPEN, body)).status == 201


@given(texts_of_json())
def test_a_name_that_stands_twice_is_found_where_the_standard_library_finds_one(text: str):
    found = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.append(len({name for name, _ in pairs}) < len(pairs))

    json.loads(text, object_pairs_hook=look)
    assert repeats(text.encode()) is any(found)


@pytest.mark.parametrize(
    ("method", "path", "content_type", "body"),
    [
        ("PUT", "/api/sessions/s/theme", "application/json", b'{"a":1,"a":2}'),
        ("PUT", "/api/sessions/s/documents/d", "application/json", b'[[{"a":{"b":1,"b":2}}]]'),
        ("PUT", "/api/pages/p", "application/json", b'{"html":"","html":"x","sessionId":"s"}'),
        ("PUT", "/api/conversations/c", "application/json", b'{"messages":[{"role":"user","content":{"a":1,"a":2}}]}'),
        ("PUT", "/api/conversations/c", "application/x-ndjson", b'{"role":"user","role":"user","content":1}'),
        ("POST", "/api/chat", "application/json", b'{"message":"a","message":"b","threadId":"t"}'),
        (
            "POST",
            "/api/chat",
            "application/json",
            b'{"id":"t","own":{"a":1,"a":2},"messages":[{"id":"m","role":"user","parts":[{"type":"text","text":"Hi"}]}]}',
        ),
    ],
)
async def test_no_kind_of_body_may_have_a_name_twice(method: str, path: str, content_type: str, body: bytes):
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda *_: False)
    reply = await make_client(kv=kv).call(method, path, body=body, headers={"Content-Type": content_type})
    assert (reply.status, reply.json()["code"]) == (400, "invalid_json")
    assert "name twice" in reply.json()["detail"]
    assert kv.asked == []


async def test_a_document_in_which_names_only_look_alike_is_given_back_byte_for_byte():
    client = make_client()
    body = b'{ "a":"\\u0022:", "A":{"a":1.0,\n"b":[{"a":1},{"a":1}]} }'
    assert (await client.call("PUT", "/api/sessions/s/theme", body=body)).status == 201
    assert (await client.call("GET", "/api/sessions/s/theme")).body == body


@pytest.fixture
def alarm() -> Iterator[None]:
    """Ends a test that hangs; no test that passes comes near it."""

    def ring(*_: object) -> None:
        raise TimeoutError("this should have taken some milliseconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_a_text_without_an_end_costs_no_more_than_its_length():
    body = b'{"id":"' + b"[]" * 200 + b'\\"' * 100_000
    with pytest.raises(InvalidJson):
        decode_json(body, RequestBody)
