"""Functions as tools: schemas from signatures, checked arguments, results."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from waypost import Call, ConfigError, Host, Media, ToolError
from waypost.errors import ApiError
from waypost.host.docstrings import read_docstring
from waypost.host.results import error_answer, exception_answer, result_answer, substitute
from waypost.host.signatures import Signature

CALL = Call("id", "tool", {})


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int = 0


class Line(pydantic.BaseModel):
    text: str


class Order(pydantic.BaseModel):
    lines: list[Line]


def everything(
    count: int,
    colour: Colour,
    point: Point,
    name: Annotated[str, msgspec.Meta(min_length=2, description="Who?")] = "Ada",
    *,
    day: date | None = None,
    kind: Literal["a", "b"] = "a",
    call: Call,
    anything=(),
) -> None:
    """Does it all.

    In two paragraphs.

    Args:
        count (int): How many,
            of all.
        name: Not this one.
        nothing: Of no parameter.

    Returns:
        Nothing.
    """


def test_a_schema_comes_from_the_signature_and_its_words_from_the_docstring() -> None:
    signature = Signature(everything, "everything")
    assert signature.description == "Does it all.\n\nIn two paragraphs."
    properties = signature.schema["properties"]
    assert signature.schema["required"] == ["count", "colour", "point"]
    assert signature.schema["additionalProperties"] is False
    assert properties["count"] == {"type": "integer", "description": "How many, of all."}
    assert properties["name"] == {"type": "string", "minLength": 2, "description": "Who?", "default": "Ada"}
    assert properties["kind"] == {"enum": ["a", "b"], "default": "a"}
    assert properties["anything"] == {"default": []}
    assert "call" not in properties
    assert signature.schema["$defs"]["Colour"]["enum"] == ["red"]


def test_arguments_become_what_the_function_takes_and_its_own_defaults_hold() -> None:
    bound = Signature(everything, "t").bind(
        {"count": 1.0, "colour": "red", "point": {"x": 2}, "day": "2026-01-02"}, CALL
    )
    assert bound == {"count": 1, "colour": Colour.RED, "point": Point(2), "day": date(2026, 1, 2), "call": CALL}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "missing required field `count`"),
        ({"count": 1.5, "colour": "red", "point": {"x": 1}}, r"Expected `int`, got `float` - at `\$.count`"),
        ({"count": "1", "colour": "red", "point": {"x": 1}}, r"got `str` - at `\$.count`"),
        ({"count": 1, "colour": "blue", "point": {"x": 1}}, r"at `\$.colour`"),
        ({"count": 1, "colour": "red", "point": {}}, r"`x` - at `\$.point`"),
        ({"count": 1, "colour": "red", "point": {"x": 1}, "name": "A"}, r"length >= 2 - at `\$.name`"),
        ({"count": 1, "colour": "red", "point": {"x": 1}, "typo": 1}, "unknown field `typo`"),
        ({"count": 1, "colour": "red", "point": {"x": 1}, "call": {}}, "unknown field `call`"),
    ],
)
def test_wrong_arguments_are_refused_with_their_place(args: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolError, match=words) as caught:
        Signature(everything, "t").bind(args, CALL)
    assert caught.value.code == "invalid_arguments"


def test_models_of_pydantic_are_checked_and_their_schemas_have_their_references_at_the_root() -> None:
    def place(order: Order, others: list[Order] = []) -> None: ...  # noqa: B006 - never changed

    signature = Signature(place, "place")
    assert set(signature.schema["$defs"]) == {"Line"}
    assert signature.schema["properties"]["order"]["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
    bound = signature.bind({"order": {"lines": [{"text": "x"}]}}, CALL)
    assert bound == {"order": Order(lines=[Line(text="x")])}
    with pytest.raises(ToolError, match="order"):
        signature.bind({"order": {"lines": [{}]}}, CALL)


def test_a_function_may_take_any_names() -> None:
    def loose(first: int, **others: Any) -> None: ...

    signature = Signature(loose, "loose")
    assert signature.bind({"first": 1, "second": 2}, CALL) == {"first": 1, "second": 2}
    assert "additionalProperties" not in signature.schema


def nameless(*values: int) -> None: ...


def positional(value: int, /) -> None: ...


def typeless(value: object) -> None: ...


def unresolved(value: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("function", [nameless, positional, typeless, unresolved])
def test_a_function_that_no_caller_could_call_is_refused_when_it_is_offered(function: Any) -> None:
    with pytest.raises(ConfigError, match=f"The tool '{function.__name__}' can't be offered"):
        Host().tool(function)


class Shop:
    def __init__(self, price: int) -> None:
        self.price = price

    def total(self, count: int) -> int:
        """The price of some."""
        return self.price * count

    async def __call__(self, count: int) -> int:
        return self.total(count)


def test_methods_partial_functions_and_objects_are_tools_too() -> None:
    host = Host()
    host.tool(Shop(3).total)
    host.tool(name="half")(functools.partial(everything, 1))
    host.tool(name="object")(Shop(2))
    assert host._tools["total"].definition["description"] == "The price of some."
    assert host._tools["object"].signature.is_async
    assert not host._tools["total"].signature.is_async


def test_a_definition_has_what_it_was_given() -> None:
    host = Host(approve=lambda _question: True)
    host.tool(
        name="cart.add",
        title="Add",
        description="Adds to the cart.",
        input_schema={"type": "object"},
        output_schema={"type": "object"},
        annotations={"idempotentHint": True},
        read_only=False,
        approve=True,
    )(nothing)
    tool = host._tools["cart.add"]
    assert tool.definition == {
        "name": "cart.add",
        "title": "Add",
        "description": "Adds to the cart.",
        "inputSchema": {"type": "object"},
        "outputSchema": {"type": "object"},
        "annotations": {"idempotentHint": True, "readOnlyHint": False},
    }
    assert tool.rerun


def nothing(**_args: Any) -> None: ...


def test_a_tool_that_must_be_approved_needs_an_approver() -> None:
    with pytest.raises(ConfigError, match="pass `approve`"):
        Host().tool(approve=True)(nothing)


def test_a_session_has_room_for_128_tools() -> None:
    host = Host()
    for number in range(128):
        host.tool(name=f"t{number}")(nothing)
    host.tool(name="t0")(nothing)
    with pytest.raises(ConfigError, match="at most 128"):
        host.tool(name="t128")(nothing)
    assert host.remove_tool("t0")
    assert not host.remove_tool("t0")


def test_a_bad_name_is_refused() -> None:
    for name in ("a b", "x" * 129, "ü"):
        with pytest.raises(ConfigError, match="needs a name"):
            Host().tool(name=name)(nothing)


def test_the_section_of_arguments_is_read_in_any_form() -> None:
    text = "Adds.\n\nArguments:\n  a: one\n    more\n  *rest: others\n\nRaises:\n  ValueError: never\n"
    assert read_docstring(text) == ("Adds.", {"a": "one more", "rest": "others"})
    assert read_docstring(None) == ("", {})
    assert read_docstring("Args: are not a section here") == ("Args: are not a section here", {})


def test_images_become_blocks_of_mcp() -> None:
    block = {"type": "image", "data": "AAE=", "mimeType": "image/png"}
    image = Media(b"\0\1", "image/png")
    assert json.loads(result_answer(image)) == {"result": {"content": [block]}}
    assert json.loads(result_answer({"content": [{"type": "text", "text": "x"}, image]})) == {
        "result": {"content": [{"type": "text", "text": "x"}, block]}
    }
    assert json.loads(result_answer(Media(b"", "audio/wav")))["result"]["content"][0]["type"] == "audio"


def test_a_result_that_cannot_be_sent_is_an_error_that_says_why() -> None:
    assert json.loads(result_answer(nothing))["error"]["code"] == "tool_error"
    assert "function" in json.loads(result_answer(nothing))["error"]["message"]
    assert "result" in json.loads(result_answer("x" * 98, 100))
    assert json.loads(result_answer("x" * 99, 100))["error"]["code"] == "answer_too_large"


def test_an_exception_is_an_error_without_its_stack() -> None:
    assert json.loads(exception_answer(KeyError("a"))) == {"error": {"code": "tool_error", "message": "'a'"}}
    assert json.loads(exception_answer(ValueError())) == {"error": {"code": "tool_error", "message": "ValueError"}}
    own = json.loads(exception_answer(ToolError("sold_out", "No more.", {"left": 0})))
    assert own == {"error": {"code": "sold_out", "message": "No more.", "data": {"left": 0}}}


def test_an_error_fits_what_the_server_takes() -> None:
    error = json.loads(error_answer("c" * 100, "m" * 5000, "d" * 70000))["error"]
    assert (len(error["code"]), len(error["message"]), error["data"]) == (
        64,
        4000,
        "70002 bytes of data were left out.",
    )
    assert "can't be sent" in json.loads(error_answer("c", "m", nothing))["error"]["data"]


def test_an_answer_that_the_server_refuses_is_replaced_once() -> None:
    refusal = ApiError(413, "body_too_large", "Too large.")
    instead = substitute(result_answer("x"), refusal)
    assert instead is not None
    assert json.loads(instead)["error"]["code"] == "answer_too_large"
    assert substitute(instead, refusal) is None
    assert substitute(result_answer("x"), ApiError(404, "session_ended", "Over.")) is None
