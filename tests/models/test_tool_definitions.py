"""Definitions of tools that no service refuses."""

from typing import Any

from waypost_worker.models.model import ModelTool
from waypost_worker.models.tool_definitions import MAX_DESCRIPTION_CHARACTERS, definition, with_tools


def function(schema: dict[str, Any], description: str = "Adds a note.") -> dict[str, Any]:
    told = definition(ModelTool("add_note", description, schema))
    assert told.keys() == {"type", "function"}
    assert told["type"] == "function"
    assert told["function"].keys() == {"name", "description", "parameters"}
    function: dict[str, Any] = told["function"]
    return function


def test_a_tool_is_defined_by_its_name_its_description_and_its_schema():
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    assert function(schema) == {"name": "add_note", "description": "Adds a note.", "parameters": schema}


def test_an_object_has_properties_even_if_it_has_none():
    assert function({"type": "object"})["parameters"] == {"type": "object", "properties": {}}


def test_what_services_refuse_beside_the_type_is_told_in_the_description():
    told = function({"$schema": "https://json-schema.org/", "type": "object", "anyOf": [{"required": ["a"]}]})
    assert told["parameters"] == {"type": "object", "properties": {}}
    assert told["description"] == (
        'Adds a note.\nThe arguments also fit this JSON Schema: {"anyOf":[{"required":["a"]}]}'
    )


def test_a_description_is_cut_and_what_the_schema_says_stays():
    assert function({}, "x" * 2000)["description"] == "x" * (MAX_DESCRIPTION_CHARACTERS - 1) + "…"
    told = function({"not": {"required": ["a"]}}, "x" * 2000)["description"]
    assert len(told) == MAX_DESCRIPTION_CHARACTERS
    assert told.endswith('…\nThe arguments also fit this JSON Schema: {"not":{"required":["a"]}}')
    long = function({"enum": ["y" * 2000]}, "x" * 2000)["description"]
    assert len(long) == MAX_DESCRIPTION_CHARACTERS
    assert long.endswith("yyy…")


def test_a_request_without_tools_has_nothing_about_them():
    parameters = {"temperature": 0, "tool_choice": "auto", "parallel_tool_calls": False}
    assert with_tools(parameters, []) == {"temperature": 0}
    tool = ModelTool("add_note", "", {"type": "object"})
    assert with_tools(parameters, [tool]) == {**parameters, "tools": [definition(tool)]}
