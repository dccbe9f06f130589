"""JSON bodies: their declared type and size, their bounds, and names that are there twice."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.client import LowerHeaders, make_client, no_background
from simulation.virtual_time import run
from waypost_worker.errors import InvalidJson
from waypost_worker.handlers.queues import RequestBody
from waypost_worker.http.json_body import count_elements, decode_json, is_nested_deeper, repeats_a_name
from waypost_worker.http.messages import Request
from waypost_worker.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH, MAX_JSON_ELEMENTS, MAX_JSON_NAMES

REQUEST = "/api/request"
OPEN = "/api/sessions"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Length": str(MAX_BODY_BYTES + 1)}, 413, "body_too_large"),
        ({"Content-Length": "9" * 4096}, 413, "body_too_large"),
        ({"Content-Type": "application/json; charset=latin-1"}, 201, None),
        ({"Content-Type": "application/json; charset=utf-16"}, 201, None),
        ({"Content-Length": "\u00b2"}, 201, None),
        ({"Content-Length": "-1"}, 201, None),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, 201, None),
        ({"Content-Encoding": "identity"}, 201, None),
    ],
)
async def test_what_a_body_is_declared_to_be_decides(headers: dict[str, str], status: int, code: str | None):
    reply = await make_client().call("POST", OPEN, {}, headers=headers)
    assert (reply.status, reply.json().get("code") if code else None) == (status, code)


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 400), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_has_at_most_256_kib(size: int, status: int):
    begin = b'{"code":"","tool":"t","args":{"x":"'
    body = begin + b"x" * (size - len(begin) - 3) + b'"}}'
    assert run(make_client().call("POST", REQUEST, body=body)).status == status


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
    assert decode_json(json.dumps(body).encode(), Any) == body
    body = {"data": {f"{number:x}": 0 for number in range(MAX_JSON_NAMES - 2)}, "label": '":'}
    assert decode_json(json.dumps(body).encode(), Any) == body


@pytest.mark.parametrize(
    ("body", "elements"),
    [
        (b"[]", 0),
        (b"[[]]", 1),
        (b'[1, "a,[b" ,{}]', 3),
        (b'{"a": [1,2], "b": [ ], "c": {"d": [[], {} ]}}', 4),
        (b'"a\\",[,,"', 0),
        (b'[{"a":1,"b":"x,y"},[""]]', 3),
    ],
)
def test_the_elements_of_arrays_are_counted_not_members_and_not_what_is_in_texts(body: bytes, elements: int):
    assert count_elements(body) == elements


@given(texts_of_json())
def test_elements_are_counted_as_the_standard_library_sees_them(text: str):
    def elements(value: Any) -> int:
        if isinstance(value, dict):
            return sum(map(elements, value.values()))
        return len(value) + sum(map(elements, value)) if isinstance(value, list) else 0

    pairs = json.loads(text, object_pairs_hook=lambda pairs: {str(n): value for n, (_, value) in enumerate(pairs)})
    assert count_elements(text.encode()) == elements(pairs)


@pytest.mark.parametrize("element", [b"[]", b"0", b'{"a":0}'])
def test_arrays_have_a_bounded_number_of_elements(element: bytes):
    def body(count: int) -> bytes:
        return b'{"args":[' + b",".join([element] * count) + b"]}"

    limit = MAX_JSON_NAMES - 1 if element.startswith(b"{") else MAX_JSON_ELEMENTS
    decode_json(body(limit), Any)
    with pytest.raises(InvalidJson):
        decode_json(body(limit + 1), Any)


def test_what_looks_like_many_elements_in_a_text_is_one_text():
    decode_json(b'["' + b",[" * MAX_JSON_ELEMENTS + b'"]', Any)


@given(texts_of_json())
def test_a_name_that_stands_twice_is_found_where_the_standard_library_finds_one(text: str):
    found = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.append(len({name for name, _ in pairs}) < len(pairs))

    json.loads(text, object_pairs_hook=look)
    assert repeats(text.encode()) is any(found)


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
