"""What a host answers, as MCP says it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from msgspec import UNSET

from tests.support.builders import answer
from tests.support.strategies import json_values
from waypost_worker.limits import MAX_CONTENT_OBJECTS
from waypost_worker.mcp.jsonrpc import RpcError
from waypost_worker.mcp.results import MAX_SMALL_BYTES, tool_result
from waypost_worker.queues.message import ErrorBody


def shown(value: Any = UNSET, *, any_structure: bool = True) -> Any:
    """The result that a client is sent for a host's `value`."""
    return json.loads(msgspec.json.encode(tool_result(answer("r", value), any_structure=any_structure)))


def as_json(value: Any) -> dict[str, Any]:
    """What a client is sent for JSON that is not MCP's."""
    return {"content": [{"type": "text", "text": json.dumps(value, **COMPACT)}], "structuredContent": value}


COMPACT: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
TEXT = {"type": "text", "text": "t"}
IMAGE = {"type": "image", "data": "AA==", "mimeType": "image/png"}
RESOURCE = {"uri": "ui://a", "mimeType": "text/html", "text": "<p>"}
BLOCKS: list[dict[str, Any]] = [
    TEXT,
    {**TEXT, "text": "", "annotations": {"audience": ["user"], "priority": 0.5}, "_meta": {"a/b": [None]}},
    IMAGE,
    {**IMAGE, "data": ""},
    {**IMAGE, "data": "QUJD\nREVG\n", "annotations": {"lastModified": "2026-01-01T00:00:00.5+01:00"}},
    {**IMAGE, "type": "audio"},
    {"type": "resource", "resource": RESOURCE},
    {"type": "resource", "resource": {"uri": "a:b", "blob": "AAA="}},
    {"type": "resource_link", "uri": "https://a.b/c", "name": "c"},
    {
        "type": "resource_link",
        "uri": "file:///c",
        "name": "c",
        "title": "C",
        "description": "d",
        "mimeType": "x/y",
        "size": 3,
        "icons": [{"src": "data:,", "sizes": ["any"], "theme": "dark"}],
    },
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block["type"]))
def test_each_block_of_mcp_passes_as_it_is(block: dict[str, Any]):
    result = {"content": [TEXT, block], "structuredContent": {"a": 1}, "isError": True, "_meta": {"b": 2}}
    for any_structure in (False, True):
        assert shown(result, any_structure=any_structure) == result


@pytest.mark.parametrize(
    "result",
    [
        {"content": []},
        {"content": [], "structuredContent": {"rows": 3}},
        {"content": [TEXT], "resultType": "complete"},
        {"content": [IMAGE, {**TEXT, "id": 7}]},
        {"content": [{**IMAGE, "alt": "a cat"}], "url": "https://a.b", "deep": {"y": [None, 2**60]}},
    ],
)
def test_a_result_of_mcp_passes_as_it_is(result: dict[str, Any]):
    assert {"resultType": "complete", **shown(result)} == {"resultType": "complete", **result}


def test_the_structure_of_a_result_is_an_object_for_old_clients():
    result = {"content": [TEXT], "structuredContent": [1]}
    assert shown(result, any_structure=True) == result
    assert shown(result, any_structure=False)["structuredContent"] == {"result": [1]}


@pytest.mark.parametrize(
    "value",
    [
        {"type": "doc", "content": [{"type": "heading"}, {"type": "paragraph", "content": [TEXT]}]},
        {"type": "doc", "content": []},
        {"type": "paragraph", "content": [TEXT]},
        {"content": [{**TEXT, "marks": [{"type": "bold"}]}]},
        {"content": [{**TEXT, "id": 7}], "rows": 3},
        {"content": [{**TEXT, "id": 7}]},
        {"title": "t", "content": ["first", "second"]},
        {"content": ["first"]},
        {"content": [TEXT, "first"]},
        {"content": [TEXT, None]},
        {"content": [TEXT], "role": "user"},
        {"role": "assistant", "content": [TEXT, {"type": "tool_use", "id": "i", "name": "n", "input": {}}]},
        {"content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]},
        {"content": [{"type": "image", "attrs": {"src": "a.png"}}]},
        {"content": [{"type": "input_text", "text": "t"}]},
        {"content": [{"type": 3, "text": "t"}]},
        {"content": [{"text": "t"}]},
        {"content": [{"type": "image", "data": "AA==", "mime_type": "x/y"}], "title": "t"},
        {"content": [TEXT], "resultType": "input_required"},
        {"content": [IMAGE], "long": "x" * MAX_SMALL_BYTES},
        {"content": [TEXT], "content\u0301": 1},
        {"content": {"type": "text"}},
        {"content": None},
        {"content": "no list"},
        {"a": 1.0, "é": '"\\\n\u2028🎉'},
        {},
    ],
)
def test_json_that_is_not_mcps_loses_nothing(value: dict[str, Any]):
    assert shown(value) == as_json(value)
    assert shown(value, any_structure=False) == as_json(value)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"type": "image", "data": "AA==", "mime_type": "x/y"}, "has no mimeType: it needs data and mimeType"),
        ({"type": "image", "mimeType": "x/y", "url": "u"}, "has no data: it needs data and mimeType"),
        ({**IMAGE, "data": "data:image/png;base64,AA=="}, "has a data that is a data: URL"),
        ({**IMAGE, "data": "A-_="}, "has a data that is not base64"),
        ({**IMAGE, "data": "AAAAA"}, "has a data that is not base64"),
        ({**IMAGE, "data": "A==="}, "has a data that is not base64"),
        ({**IMAGE, "data": "A=A="}, "has a data that is not base64"),
        ({**IMAGE, "data": "\u00e9"}, "has a data that is not base64"),
        ({**IMAGE, "data": [1]}, "has a data that is not a string"),
        ({**IMAGE, "mimeType": 3}, "has a mimeType that is not a string"),
        ({**IMAGE, "mimeType": None}, "has no mimeType"),
        ({"type": "text", "text": 5}, "has a text that is not a string"),
        ({**TEXT, "annotations": "x"}, "has a annotations that is not valid"),
        ({**TEXT, "annotations": {"priority": 2}}, "priority is from 0 to 1"),
        ({**TEXT, "annotations": {"audience": ["me"]}}, "has a annotations that is not valid"),
        ({**TEXT, "annotations": {"lastModified": "today"}}, "lastModified is an ISO 8601 time"),
        ({**TEXT, "_meta": []}, "has a _meta that is not an object"),
        ({"type": "resource", "resource": "a"}, "has a resource that is not an object"),
        ({"type": "resource", "resource": {"uri": "a:b"}}, "it has no text: it needs uri and text"),
        ({"type": "resource", "resource": {"uri": "a:b", "blob": "%"}}, "it has a blob that is not base64"),
        ({"type": "resource", "resource": {"text": "a"}}, "it has no uri: it needs uri and text"),
        ({"type": "resource_link", "uri": "a:b"}, "has no name: it needs uri and name"),
        ({"type": "resource_link", "uri": "nowhere", "name": "n"}, "has a uri that is not a URI"),
        ({"type": "resource_link", "uri": 3, "name": "n"}, "has a uri that is not a string"),
        ({"type": "resource_link", "uri": "a:b", "name": "n", "size": "3"}, "has a size that is not a number"),
        ({"type": "resource_link", "uri": "a:b", "name": "n", "icons": ["i"]}, "has a icons that is not valid"),
    ],
)
def test_a_broken_block_of_mcp_is_an_error_that_names_it(block: dict[str, Any], problem: str):
    result = shown({"content": [TEXT, block, {"type": "text", "text": 1}]})
    [told] = result["content"]
    assert result["isError"] is True
    assert result["_meta"]["waypost/error"]["code"] == "invalid_result"
    assert f"content[1], of type {block['type']}, " in told["text"]
    assert problem in told["text"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"isError": "yes"}, "isError is neither true nor false."),
        ({"_meta": []}, "_meta is not an object of at most 65536 bytes."),
        ({"_meta": {"a": "x" * MAX_SMALL_BYTES}}, "_meta is not an object of at most 65536 bytes."),
    ],
)
def test_a_broken_field_of_a_result_is_an_error_that_names_it(fields: dict[str, Any], problem: str):
    assert shown({"content": [TEXT], **fields})["content"][0]["text"].endswith(problem)


def test_null_for_what_is_absent_as_python_writes_it_is_left_out():
    """What `model_dump()` of the Python SDK makes of a result."""
    nulls = {"annotations": None, "_meta": None}
    resource = {"type": "resource", "resource": {**RESOURCE, "_meta": None}, **nulls}
    text = {**TEXT, "annotations": {"audience": None, "priority": 1, "lastModified": None}, "_meta": None}
    result = {"content": [text, resource], "structuredContent": None, "isError": None, "_meta": None}
    assert shown(result) == {
        "content": [{**TEXT, "annotations": {"priority": 1}}, {"type": "resource", "resource": RESOURCE}]
    }


def test_more_objects_than_can_be_looked_at_are_json():
    many = {"content": [TEXT] * (MAX_CONTENT_OBJECTS + 1)}
    assert shown(many) == as_json(many)
    few = {"content": [{"type": "text", "text": "{" * (MAX_CONTENT_OBJECTS + 1)}]}
    assert shown(few) == few


@pytest.mark.parametrize(
    ("value", "text", "wrapped"),
    [
        ("words", "words", {"result": "words"}),
        ('say "\\n"\n🎉', 'say "\\n"\n🎉', {"result": 'say "\\n"\n🎉'}),
        ([1, "b"], '[1,"b"]', {"result": [1, "b"]}),
        (None, "null", {"result": None}),
        (False, "false", {"result": False}),
    ],
)
def test_other_json_becomes_text_and_structure(value: Any, text: str, wrapped: Any):
    content = [{"type": "text", "text": text}]
    assert shown(value) == {"content": content, "structuredContent": value}
    assert shown(value, any_structure=False) == {"content": content, "structuredContent": wrapped}


@given(json_values)
def test_any_json_arrives_whole(value: Any):
    result = tool_result(answer("r", value), any_structure=True)
    sent = msgspec.json.decode(msgspec.json.encode(result))
    assert sent == value or sent["structuredContent"] == value


def test_no_result_at_all_is_null():
    assert shown()["structuredContent"] is None


def test_an_error_of_the_tool_is_a_result_for_the_model_to_read():
    error = ErrorBody("quota", "There is none left.", {"until": 3})
    assert tool_result(answer("r", error=error), any_structure=True) == {
        "content": [{"type": "text", "text": "There is none left."}],
        "isError": True,
        "_meta": {"waypost/error": {"code": "quota", "message": "There is none left.", "data": {"until": 3}}},
    }


@pytest.mark.parametrize(("code", "rpc_code"), [("unknown_tool", -32602), ("cancelled", -31003)])
def test_what_is_no_error_of_the_tool_is_one_of_the_protocol(code: str, rpc_code: int):
    with pytest.raises(RpcError) as raised:
        tool_result(answer("r", error=ErrorBody(code, "why")), any_structure=True)
    assert raised.value.code == rpc_code
