"""The definitions of tools in a chat completions request, so that no service refuses them.

A service refuses a whole request for one definition:
- OpenAI and Azure: an object without `properties`; `oneOf` and the like beside the arguments' type; a description of
  more than 1024 characters.
- Gemini: `$schema` and other fields with a dollar sign, which say nothing to a model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from waypost_worker.models.model import ModelTool

MAX_DESCRIPTION_CHARACTERS = 1024
"""OpenAI's limit."""

_NOT_AT_THE_TOP = ("oneOf", "anyOf", "allOf", "enum", "const", "not", "if", "then", "else")
_ONLY_WITH_TOOLS = ("tool_choice", "parallel_tool_calls")
_ABOUT_THE_SCHEMA = ("$schema", "$id", "$comment")


def with_tools(parameters: Mapping[str, Any], tools: Sequence[ModelTool]) -> dict[str, Any]:
    """`parameters` of a request with the field `tools`. Without tools there is none, since services refuse an empty
    list, and neither is what services refuse without it."""
    if tools:
        return {**parameters, "tools": [definition(tool) for tool in tools]}
    return {name: value for name, value in parameters.items() if name not in _ONLY_WITH_TOOLS}


def definition(tool: ModelTool) -> dict[str, Any]:
    """`tool` as services take it. What its schema says in words that they refuse is in the description."""
    schema = {name: value for name, value in tool.schema.items() if name not in (*_NOT_AT_THE_TOP, *_ABOUT_THE_SCHEMA)}
    rest = {name: tool.schema[name] for name in _NOT_AT_THE_TOP if name in tool.schema}
    note = f"\nThe arguments also fit this JSON Schema: {msgspec.json.encode(rest).decode()}" if rest else ""
    description = _shortened(tool.description, MAX_DESCRIPTION_CHARACTERS - len(note)) + note
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": _shortened(description, MAX_DESCRIPTION_CHARACTERS),
            "parameters": {"type": "object", "properties": {}, **schema},
        },
    }


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: max(length - 1, 0)]}…"
