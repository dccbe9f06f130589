"""The tools that a page runs itself, as it declares them in the body of a question.

In the field `tools`, in the two forms in use: an object of tools by their names, as assistant-ui sends it, and a list
of tools with a `name`, as in AG-UI. What else is in them is refused with its place, and not passed on.
"""

from typing import Any

from waypost_worker.errors import InvalidBody, InvalidTool, ToolProblem
from waypost_worker.http.json_body import Body
from waypost_worker.limits import MAX_TOOLS
from waypost_worker.models.model import ModelTool
from waypost_worker.sessions.tool_definitions import checked_tool
from waypost_worker.sessions.tool_fault import ToolFault, step


class PageTool(Body, frozen=True):
    """A tool that the page runs itself."""

    description: str | None = None
    """What it is for, in words for the model."""
    parameters: dict[str, Any] | None = None
    """The JSON Schema of its arguments, which are an object. Default: any object."""


class NamedPageTool(PageTool, frozen=True, kw_only=True):
    """The same in a list."""

    name: str
    """The name by which the page knows it."""


PageTools = dict[str, PageTool] | list[NamedPageTool] | None
"""The field `tools`."""

_FIELDS = {"name", "description", "parameters"}


def page_tools(sent: dict[str, Any] | list[Any] | None) -> tuple[ModelTool, ...]:
    """The tools in the field `tools`.

    Raises:
        InvalidBody: it has another form, or too many tools.
        InvalidTool: a tool has a field that is not known, or one that models can't take.
    """
    listed = [] if sent is None else _named(sent) if isinstance(sent, dict) else list(enumerate(sent))
    if len(listed) > MAX_TOOLS:
        raise InvalidBody(f"The field `tools` may have {MAX_TOOLS} tools.")
    tools = [_tool(index, place, each) for index, (place, each) in enumerate(listed)]
    names = [tool.name for tool in tools]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise _refused(index, listed[index][0], "/name", f"is the name of another tool too: {name}")
    return tuple(tools)


def _named(sent: dict[str, Any]) -> list[tuple[int | str, Any]]:
    return [(name, {**each, "name": name} if isinstance(each, dict) else each) for name, each in sent.items()]


def _tool(index: int, place: int | str, sent: Any) -> ModelTool:
    if not isinstance(sent, dict):
        raise _refused(index, place, "", "must be an object with a description and parameters")
    if unknown := sorted(sent.keys() - _FIELDS):
        raise _refused(index, place, step("", unknown[0]), "is not known: a tool has name, description and parameters")
    tool = {"name": sent.get("name"), "description": sent.get("description"), "inputSchema": sent.get("parameters")}
    try:
        checked = checked_tool({name: value for name, value in tool.items() if value is not None})
    except ToolFault as fault:
        pointer = fault.pointer.replace("/inputSchema", "/parameters", 1)
        raise _refused(index, place, pointer, fault.reason) from fault
    return ModelTool(checked["name"], checked.get("description", ""), checked["inputSchema"])


def _refused(index: int, place: int | str, pointer: str, reason: str) -> InvalidTool:
    where = f"{step('/tools', str(place)[:80])}{pointer}"
    detail = f"{where} {reason}."
    return InvalidTool(detail, (ToolProblem(place if isinstance(place, str) else None, index, pointer, detail),))
