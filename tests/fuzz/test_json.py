"""JSON bodies: any bytes are a body of the wanted type, or bad input; and no name may stand in an object twice."""

import importlib
import json
import pkgutil
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import waypost_worker.handlers
from tests.support.fuzzing.almost import almost_bytes, almost_json
from tests.support.strategies import json_values
from tools.openapi import PATH
from waypost_worker.errors import BadInput, WaypostError
from waypost_worker.handlers.chat_request import read_question
from waypost_worker.handlers.ui_request import UiBody
from waypost_worker.http.json_body import Body, decode_json, is_nested_deeper, repeats_a_name

for module in pkgutil.iter_modules(waypost_worker.handlers.__path__):
    importlib.import_module(f"waypost_worker.handlers.{module.name}")


def all_bodies(base: type[Body] = Body) -> list[type[Any]]:
    return [found for child in base.__subclasses__() for found in (child, *all_bodies(child))]


BODIES = [*all_bodies(), UiBody]
EXAMPLES: list[Any] = [
    example_["value"]
    for operations in json.loads(PATH.read_text())["paths"].values()
    for operation in operations.values()
    for media in operation.get("requestBody", {}).get("content", {}).values()
    for example_ in media.get("examples", {}).values()
]


class TwiceError(Exception):
    """A name stands in an object twice."""


def strict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise TwiceError
    return dict(pairs)


def says_twice(body: bytes) -> bool:
    try:
        json.loads(body, object_pairs_hook=strict)
    except TwiceError:
        return True
    return False


written = almost_json(EXAMPLES).map(lambda value: json.dumps(value).encode())


def test_every_type_of_body_is_tried():
    assert len(BODIES) > 15


@pytest.mark.parametrize("type_", [*BODIES, Any, dict[str, Any], list[Any]], ids=str)
@settings(max_examples=10)
@given(body=almost_bytes(written))
@example(body=b"9" * 5000)
@example(body=b'{"code":' + b"-9" * 1 + b"9" * 5000 + b"}")
@example(body=b"1e999")
@example(body=b"-1e999")
@example(body=b'"\\ud800"')
@example(body=b'{"\\ud800":1}')
@example(body=b"[" * 100_000)
@example(body=b'{"a":' * 129)
@example(body=b"NaN")
@example(body=b"\xef\xbb\xbf{}")
@example(body=b"")
def test_a_body_is_of_its_type_or_bad_input(type_: Any, body: bytes):
    try:
        decoded = decode_json(body, type_)
    except BadInput:
        return
    # An accepted value can be encoded again.
    msgspec.json.encode(decoded)


@given(almost_bytes(written))
def test_a_question_is_read_or_refused(body: bytes):
    try:
        resource_id, thread_id, question, _ = read_question(body, None, "images")
    except WaypostError:
        return
    assert resource_id
    assert thread_id
    assert question.content.strip()


names = st.sampled_from(("a", "b", '"', '":', ":", "\\", "\\u0022:", "\u2028", ""))


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> str:
    """JSON with names that may stand in it twice, spelt in several ways."""
    kind = draw(st.integers(0, 3)) if depth else 0
    if kind == 0:
        return spelt(draw, draw(names)) if draw(st.booleans()) else json.dumps(draw(json_values))
    inner = [draw(objects(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == 1:
        return f"[{','.join(inner)}]"
    space = draw(st.sampled_from(("", " ", "\n\t")))
    return "{" + ",".join(f"{spelt(draw, draw(names))}{space}:{space}{value}" for value in inner) + "}"


def spelt(draw: st.DrawFn, text: str) -> str:
    if not draw(st.booleans()):
        return json.dumps(text, ensure_ascii=draw(st.booleans()))
    form = draw(st.sampled_from(("\\u%04x", "\\u%04X")))
    return (
        '"' + "".join(form % ord(letter) if draw(st.booleans()) else json.dumps(letter)[1:-1] for letter in text) + '"'
    )


@given(objects())
def test_a_name_that_stands_in_an_object_twice_is_found_however_it_is_spelt(text: str):
    body = text.encode()
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return
    assert repeats_a_name(msgspec.json.format(body, indent=-1), decoded) == says_twice(body)


@given(objects(depth=4), st.integers(0, 5))
def test_levels_are_counted_as_a_parser_counts_them(text: str, levels: int):
    # Objects as lists of pairs, so that what stands under a name that comes again is counted too.
    decoded = json.loads(text, object_pairs_hook=lambda pairs: [value for _, value in pairs])
    assert is_nested_deeper(text.encode(), levels) == (depth_of(decoded) > levels)


def depth_of(value: Any) -> int:
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0
