"""What a host answers, as MCP says it."""

from typing import Any

import pytest

from tests.support.builders import answer
from waypost_worker.mcp.jsonrpc import RpcError
from waypost_worker.mcp.results import tool_result
from waypost_worker.queues.message import ErrorBody


def test_a_result_of_mcp_passes_as_it_is():
    value = {
        "content": [{"type": "image", "data": "AA==", "mimeType": "x/y"}],
        "structuredContent": 3,
        "x": {"y": [None]},
    }
    for any_structure in (False, True):
        assert tool_result(answer("r", value), any_structure=any_structure) is value


@pytest.mark.parametrize(
    ("value", "text", "wrapped"),
    [
        ({"a": 1.0}, '{"a":1.0}', {"a": 1.0}),
        ({"content": "no list"}, '{"content":"no list"}', {"content": "no list"}),
        ("words", "words", {"result": "words"}),
        ([1, "b"], '[1,"b"]', {"result": [1, "b"]}),
        (None, "null", {"result": None}),
        (False, "false", {"result": False}),
    ],
)
def test_other_json_becomes_text_and_structure(value: Any, text: str, wrapped: Any):
    content = [{"type": "text", "text": text}]
    assert tool_result(answer("r", value), any_structure=True) == {"content": content, "structuredContent": value}
    assert tool_result(answer("r", value), any_structure=False) == {"content": content, "structuredContent": wrapped}


def test_no_result_at_all_is_null():
    assert tool_result(answer("r"), any_structure=True)["structuredContent"] is None


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
