"""The tools that a page declares in its question: two forms of one field, and what is wrong with others."""

from typing import Any

import pytest

from waypost_worker.errors import InvalidBody, InvalidTool
from waypost_worker.handlers.page_tools import page_tools
from waypost_worker.limits import MAX_TOOLS

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}
ADD = {"description": "Adds.", "parameters": SCHEMA}


@pytest.mark.parametrize("sent", [{"add": ADD}, [{"name": "add", **ADD}]])
def test_tools_come_by_their_names_or_in_a_list(sent: Any):
    [tool] = page_tools(sent)
    assert (tool.name, tool.description, tool.schema) == ("add", "Adds.", SCHEMA)


@pytest.mark.parametrize("sent", [None, {}, []])
def test_a_page_may_declare_none(sent: Any):
    assert page_tools(sent) == ()


@pytest.mark.parametrize("tool", [{}, {"description": None, "parameters": None}])
def test_a_tool_needs_neither_description_nor_parameters(tool: Any):
    [made] = page_tools({"go.home": tool})
    assert (made.name, made.description, made.schema) == ("go.home", "", {"type": "object"})


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"add": {"inputSchema": SCHEMA}}, "/tools/add/inputSchema is not known"),
        ([ADD | {"name": "a"}, {"type": "function", "function": {}}], "/tools/1/function is not known"),
        ({"add": {"execute": "x", "parameters": SCHEMA}}, "/tools/add/execute is not known"),
        ({"add": True}, "/tools/add must be an object"),
        (["add"], "/tools/0 must be an object"),
        ([ADD], "/tools/0/name must be"),
        ({"two words": ADD}, "/tools/two words/name must be"),
        ({"a/b": {"parameters": []}}, "/tools/a~1b/parameters must be an object"),
        ({"add": {"parameters": {"type": "string"}}}, "/tools/add/parameters/type must be"),
        ({"add": {"description": 1}}, "/tools/add/description must be"),
        ([{"name": "a"}, {"name": "b"}, {"name": "a"}], "/tools/2/name is the name of another tool"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(sent: Any, place: str):
    with pytest.raises(InvalidTool) as refused:
        page_tools(sent)
    assert refused.value.detail.startswith(place)
    [problem] = refused.value.tools
    assert problem.detail == refused.value.detail


def test_a_page_has_at_most_as_many_tools_as_a_tab():
    assert len(page_tools({f"t{number}": {} for number in range(MAX_TOOLS)})) == MAX_TOOLS
    with pytest.raises(InvalidBody):
        page_tools([{"name": f"t{number}"} for number in range(MAX_TOOLS + 1)])
