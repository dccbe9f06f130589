"""The rule by which `echo` calls tools, so that a page can be tried without a network.

`/add_note {"text": "Milk"}` calls `add_note`; so do `/add_note Milk` and `Add a note: Milk`, if it takes one text. Each
line is a call of its own. A line with `then` begins another step: what follows it is called once the results of what
precedes it are there.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.model import ModelTool, ToolUse
from waypost_worker.models.openai_messages import text_of

_THEN = re.compile(r"^[ \t]*then[ \t]*$", re.MULTILINE | re.IGNORECASE)
_SLASH = re.compile(r"^[ \t]*/(?P<name>[A-Za-z0-9_./-]+)(?P<rest>.*?)(?=^[ \t]*/|\Z)", re.MULTILINE | re.DOTALL)
_PHRASE = re.compile(r"^(?P<words>[^:{\n]{1,128}):[ \t]*(?P<rest>[^\n]+)$", re.MULTILINE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_FILLERS = frozenset({"a", "an", "the", "my", "please"})

_PLACEHOLDERS = {"string": "…", "number": 1, "integer": 1, "boolean": True, "array": [], "object": {}}

SHOWN_TOOLS = 5
"""How many tools the rule names as examples."""

SHOWN_RESULT = 400
"""Characters to show of a result."""


def calls_in(text: str, step: int, tools: Sequence[ModelTool]) -> list[ToolUse]:
    """The calls for which the user's `text` asks in a step of the answer, counted from 0."""
    steps = _THEN.split(text)
    if step >= len(steps):
        return []
    named = {_plain(tool.name): tool for tool in tools}
    found = [(named.get(_plain(call["name"])), call) for call in _SLASH.finditer(steps[step])]
    if not found:
        found = [(_spoken(call["words"], tools), call) for call in _PHRASE.finditer(steps[step])]
    asked = [(tool, call["rest"].strip()) for tool, call in found if tool is not None]
    return [_use(f"call{step}{number}", tool, rest) for number, (tool, rest) in enumerate(asked)]


def rule(tools: Sequence[ModelTool]) -> str:
    """How a user has `tools` called."""
    examples = [f"/{tool.name}{_example(tool)}" for tool in tools[:SHOWN_TOOLS]]
    more = ", …" if len(tools) > SHOWN_TOOLS else ""
    told = f"I can use the tools of your page: write {', '.join(examples)}{more}."
    spoken = next((tool for tool in tools if _text_property(tool)), None)
    return told if spoken is None else f'{told} Or say it: "{" ".join(_words(spoken.name))}: …".'


def results_told(steps: Sequence[ChatMessage]) -> str:
    """What came back, in the messages of an answer's steps."""
    names = {call.id: call.name for item in steps for call in item.tool_calls}
    return " ".join(_told(names, item) for item in steps if item.role == "tool")


def _told(names: dict[str, str], result: ChatMessage) -> str:
    text = text_of(result.content)
    shown = text if len(text) <= SHOWN_RESULT else f"{text[: SHOWN_RESULT - 1]}…"
    return f"{names.get(result.tool_call_id or '', 'A tool')} returned: {shown}"


def _use(id: str, tool: ModelTool, rest: str) -> ToolUse:
    if not rest:
        return ToolUse(id, tool.name, {})
    if rest.startswith("{"):
        try:
            return ToolUse(id, tool.name, msgspec.json.decode(rest, type=dict[str, Any]))
        except msgspec.DecodeError as error:
            return ToolUse(id, tool.name, None, f"The arguments are no JSON object: {error}.")
    if name := _text_property(tool):
        return ToolUse(id, tool.name, {name: rest})
    return ToolUse(id, tool.name, None, "The arguments are no JSON object.")


def _text_property(tool: ModelTool) -> str | None:
    """The argument that a text without a name is meant for: the only text that is required, or that there is."""
    texts = [name for name, schema in _properties(tool) if schema.get("type") == "string"]
    required = tool.schema.get("required")
    needed = [name for name in texts if isinstance(required, list) and name in required]
    return next((each[0] for each in (needed, texts) if len(each) == 1), None)


def _example(tool: ModelTool) -> str:
    required = tool.schema.get("required")
    shown = {
        name: _PLACEHOLDERS.get(str(schema.get("type")))
        for name, schema in _properties(tool)
        if isinstance(required, list) and name in required
    }
    return f" {msgspec.json.encode(shown).decode()}" if shown else ""


def _properties(tool: ModelTool) -> Iterator[tuple[str, dict[str, Any]]]:
    properties = tool.schema.get("properties")
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        if isinstance(schema, dict):
            yield name, schema


def _spoken(phrase: str, tools: Sequence[ModelTool]) -> ModelTool | None:
    said = [word for word in _words(phrase) if word not in _FILLERS]
    return next((tool for tool in tools if _words(tool.name) == said), None)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).lower()
