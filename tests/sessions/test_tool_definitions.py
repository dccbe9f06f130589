"""Definitions of tools: the table that `waypost.js` is held to as well, and what a whole list adds."""

import json
from pathlib import Path
from typing import Any

import pytest

from waypost_worker.errors import InvalidTool
from waypost_worker.sessions.patterns import is_pattern
from waypost_worker.sessions.tool_definitions import check_each, checked_tool, checked_tools
from waypost_worker.sessions.tool_fault import ToolFault

TABLE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "client" / "tool-definitions.json").read_text())


@pytest.mark.parametrize("case", TABLE["normalised"], ids=lambda case: case["what"])
def test_what_is_plain_is_normalised(case: dict[str, Any]):
    assert checked_tool(case["tool"]) == case.get("becomes", case["tool"])


@pytest.mark.parametrize("case", TABLE["normalised"], ids=lambda case: case["what"])
def test_what_is_normalised_stays_as_it_is(case: dict[str, Any]):
    once = checked_tool(case["tool"])
    assert checked_tool(once) == once


@pytest.mark.parametrize("case", TABLE["refused"], ids=lambda case: case["what"])
def test_everything_else_is_refused_with_its_place(case: dict[str, Any]):
    with pytest.raises(ToolFault) as caught:
        checked_tool(case["tool"])
    assert (caught.value.pointer, caught.value.reason) == (case["pointer"], case["reason"])
    assert str(caught.value) == f"{case['pointer']}: {case['reason']}"


def test_a_definition_that_is_checked_is_not_changed():
    given = {
        "name": "t",
        "title": None,
        "inputSchema": {"properties": {"x": True}},
        "icons": [{"src": "a", "sizes": "b"}],
    }
    before = json.dumps(given)
    checked_tool(given)
    assert json.dumps(given) == before


@pytest.mark.parametrize("pattern", TABLE["patterns"]["good"])
def test_a_pattern_of_javascript_is_one(pattern: str):
    assert is_pattern(pattern)


@pytest.mark.parametrize("pattern", TABLE["patterns"]["bad"])
def test_what_javascript_refuses_is_no_pattern(pattern: str):
    assert not is_pattern(pattern)


def test_all_faulty_tools_of_a_list_are_named_in_its_order():
    tools = [{"name": "a"}, {"name": 5}, {"name": "b", "title": 5}, {"name": "a"}]
    with pytest.raises(InvalidTool) as caught:
        checked_tools(tools, map_names=False)
    assert [(tool.tool, tool.index, tool.pointer) for tool in caught.value.tools] == [
        (None, 1, "/name"),
        ("b", 2, "/title"),
        ("a", 3, "/name"),
    ]
    assert caught.value.detail == (
        "Tool number 2: /name must be 1 to 128 characters out of A-Z a-z 0-9 _ . / -. (And 2 more, see `tools`.)"
    )
    assert caught.value.tools[2].detail == 'The tool "a" has the same name as another: "a".'


def test_two_tools_of_one_mapped_name_are_refused_with_both_names_unless_names_are_not_mapped():
    tools = [{"name": "cart.add"}, {"name": "other"}, {"name": "cart_add"}]
    with pytest.raises(InvalidTool) as caught:
        checked_tools(tools, map_names=True)
    assert caught.value.detail == (
        'The tool "cart_add" has the name cart_add for MCP clients (mapToolNames), as has "cart.add".'
    )
    assert [tool["name"] for tool in checked_tools(tools, map_names=False)] == ["cart.add", "other", "cart_add"]


def test_an_error_repeats_no_long_text():
    long = "x" * 5000
    _, problems = check_each([{"name": long}, {"name": "t", "inputSchema": {"properties": {long: 5}}}])
    for problem in problems:
        assert len(problem.detail) < 300
        assert len(problem.pointer) < 200
        assert len(problem.tool or "") < 200
