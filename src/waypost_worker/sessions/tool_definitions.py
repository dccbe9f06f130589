"""Definitions of tools, as every client of MCP can read them.

Clients reject a list as a whole: one tool with `"title": null` costs all the others. So a definition whose meaning is
clear is normalised, and any other is refused with the tool and the place. The same rules are in `waypost.js`
(`client/host/tool-definition.js`); both are held to one table, `tests/client/tool-definitions.json`.
"""

from typing import Any

from waypost_worker.errors import InvalidTool, ToolProblem
from waypost_worker.ids import is_tool_name
from waypost_worker.limits import MAX_TOOL_NAME_LENGTH
from waypost_worker.sessions.tool_fault import ToolFault, step
from waypost_worker.sessions.tool_names import clashes
from waypost_worker.sessions.tool_schema import checked_schema

RULES = 1
"""The number of these rules, which grows with each change of them: a list that passed others is checked again."""

_FIELDS = ("title", "description", "inputSchema", "outputSchema", "annotations", "execution", "icons", "_meta")
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_TASK_SUPPORT = ("required", "optional", "forbidden")
_THEMES = ("light", "dark")
_OBJECT: dict[str, Any] = {"type": "object"}


def checked_tools(tools: list[dict[str, Any]], *, map_names: bool) -> list[dict[str, Any]]:
    """`tools`, normalised. `map_names`: MCP clients see mapped names, so no two tools may have one (`tool_names.py`).

    Raises:
        InvalidTool: for all faulty tools together.
    """
    checked, problems = check_each(tools)
    names = [tool["name"] for _, tool in checked]
    for later, earlier, reason in clashes(names, map_names=map_names):
        index = checked[later][0]
        detail = f'{_words(names[later], index)} has {reason} "{names[earlier]}".'
        problems.append(ToolProblem(names[later], index, "/name", detail))
    if problems:
        problems.sort(key=lambda problem: problem.index)
        more = f" (And {len(problems) - 1} more, see `tools`.)" if len(problems) > 1 else ""
        raise InvalidTool(problems[0].detail + more, tuple(problems))
    return [tool for _, tool in checked]


def check_each(
    tools: list[dict[str, Any]], start: int = 0
) -> tuple[list[tuple[int, dict[str, Any]]], list[ToolProblem]]:
    """The good ones of `tools`, normalised and with their indexes, and the problems of the others. The first has the
    index `start`."""
    checked, problems = [], []
    for index, tool in enumerate(tools, start):
        try:
            checked.append((index, checked_tool(tool)))
        except ToolFault as fault:
            name = tool.get("name")
            name = name if isinstance(name, str) else None
            pointer = _shortened(fault.pointer)
            detail = f"{_words(name, index)}: {pointer} {fault.reason}."
            problems.append(ToolProblem(name and _shortened(name), index, pointer, detail))
    return checked, problems


def checked_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """`tool`, normalised: nulls are left out, and a schema that leaves its type open gets it.

    Raises:
        ToolFault: clients refuse it, and what is meant is not plain.
    """
    name = tool.get("name")
    if not isinstance(name, str) or not is_tool_name(name):
        raise ToolFault("/name", f"must be 1 to {MAX_TOOL_NAME_LENGTH} characters out of A-Z a-z 0-9 _ . / -")
    tool = _without_nulls(tool, _FIELDS)
    tool["inputSchema"] = _input_schema(tool.get("inputSchema", _OBJECT))
    if "outputSchema" in tool:
        tool["outputSchema"] = _schema(tool["outputSchema"], "/outputSchema", is_compiled=True)
    for field in ("title", "description"):
        _require(field not in tool or isinstance(tool[field], str), f"/{field}", "a string")
    _require(isinstance(tool.get("_meta", {}), dict), "/_meta", "an object")
    if "annotations" in tool:
        tool["annotations"] = _annotations(tool["annotations"])
    if "execution" in tool:
        tool["execution"] = _execution(tool["execution"])
    if "icons" in tool:
        _require(isinstance(tool["icons"], list), "/icons", "a list")
        tool["icons"] = [_icon(icon, step("/icons", index)) for index, icon in enumerate(tool["icons"])]
    return tool


def _words(name: str | None, index: int) -> str:
    return f"Tool number {index + 1}" if name is None else f'The tool "{_shortened(name, 64)}"'


def _shortened(text: str, length: int = MAX_TOOL_NAME_LENGTH) -> str:
    """`text` as an error repeats it: its sender may have made it as long as a body."""
    return text if len(text) <= length else f"{text[:length]}…"


def _input_schema(value: Any) -> dict[str, Any]:
    schema = _schema(value, "/inputSchema", is_compiled=False)
    type_ = schema.get("type", "object")
    # Arguments are an object in any case.
    is_object = type_ == "object" or (isinstance(type_, list) and "object" in type_)
    _require(is_object, "/inputSchema/type", '"object": arguments have names')
    return {**schema, "type": "object"} if type_ != "object" or "type" not in schema else schema


def _schema(value: Any, pointer: str, *, is_compiled: bool) -> dict[str, Any]:
    _require(isinstance(value, dict), pointer, "an object (JSON Schema)")
    schema = checked_schema(value, pointer, is_compiled=is_compiled)
    if schema.get("type") == ["object"] or ("type" not in schema and "properties" in schema):
        schema["type"] = "object"
    if "properties" in schema:
        # TypeScript SDK 1 knows no booleans here.
        schema["properties"] = {
            name: each if isinstance(each, dict) else ({} if each else {"not": {}})
            for name, each in schema["properties"].items()
        }
    return schema


def _annotations(value: Any) -> dict[str, Any]:
    _require(isinstance(value, dict), "/annotations", "an object")
    annotations = _without_nulls(value, (*_HINTS, "title"))
    for hint in _HINTS:
        _require(isinstance(annotations.get(hint, True), bool), f"/annotations/{hint}", "true or false")
    _require(isinstance(annotations.get("title", ""), str), "/annotations/title", "a string")
    return annotations


def _execution(value: Any) -> dict[str, Any]:
    _require(isinstance(value, dict), "/execution", "an object")
    execution = _without_nulls(value, ("taskSupport",))
    support = execution.get("taskSupport", "forbidden")
    _require(support in _TASK_SUPPORT, "/execution/taskSupport", f"one of {', '.join(_TASK_SUPPORT)}")
    return execution


def _icon(value: Any, pointer: str) -> dict[str, Any]:
    _require(isinstance(value, dict), pointer, "an object with a src")
    icon = _without_nulls(value, ("mimeType", "sizes", "theme"))
    _require(isinstance(icon.get("src"), str), step(pointer, "src"), "a string")
    _require(isinstance(icon.get("mimeType", ""), str), step(pointer, "mimeType"), "a string")
    sizes = icon.get("sizes", [])
    if isinstance(sizes, str):
        # As a link element writes them.
        icon["sizes"] = sizes = sizes.split()
    are_texts = isinstance(sizes, list) and all(isinstance(size, str) for size in sizes)
    _require(are_texts, step(pointer, "sizes"), "a list of strings")
    _require(icon.get("theme", "dark") in _THEMES, step(pointer, "theme"), f"one of {', '.join(_THEMES)}")
    return icon


def _without_nulls(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if each is not None or name not in names}


def _require(holds: bool, pointer: str, expected: str) -> None:
    if not holds:
        raise ToolFault(pointer, f"must be {expected}")
