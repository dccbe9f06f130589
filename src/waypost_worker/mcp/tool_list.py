"""The tools of the tab as MCP lists them: the host's own definitions, in its order, under names that models take.

A list is checked when it is stored. One that another version has stored, by other rules, is checked again here: a
client drops a whole list for one definition that it can't read. What is left out is named in the list's `_meta`.

One KV operation reads them together with the host's presence. Both may be a minute old. While the host has not stored
any tools, they are looked up with `list`, which caches no miss.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.context.isolate import CachedTools
from waypost_worker.errors import ToolProblem
from waypost_worker.kv.keys import host_key, host_left_key, tools_key
from waypost_worker.limits import (
    KV_READ_CACHE_SECONDS,
    PRESENCE_GRACE_SECONDS,
    TOOLS_PER_PAGE,
)
from waypost_worker.mcp.jsonrpc import RpcError, invalid_params
from waypost_worker.mcp.tab import Tab
from waypost_worker.sessions.presence import HostState, host_state
from waypost_worker.sessions.tool_definitions import RULES, check_each
from waypost_worker.sessions.tool_names import original_names

HOST_KEY = "waypost/host"
"""In a list's `_meta`, if the tab is away: since when, and what to open. The tools are then the last known ones."""
LEFT_OUT_KEY = "waypost/leftOut"
"""In a list's `_meta`: which tools, or parts of tools, this client can't read and does not get, and why."""


class _Schema(msgspec.Struct):
    type: Any = None


class _Tool(msgspec.Struct):
    name: str
    outputSchema: _Schema | msgspec.UnsetType = msgspec.UNSET


class _Name(msgspec.Struct):
    name: str


TOOL_BYTES = 400
"""What a cached definition costs in memory besides its JSON, its name included."""

_MATTERS = re.compile(rb'"execution"|x-mcp-header')
"""Also true for a tool that has these words elsewhere: its definition is then cached for nothing. Stored tools are
encoded by msgspec, which escapes none of these characters."""

_raw_tools = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_name = msgspec.json.Decoder(_Name).decode
_read_tool = msgspec.json.Decoder(_Tool).decode
_read_definition = msgspec.json.Decoder(dict[str, Any]).decode


async def list_tools(tab: Tab, cursor: Any, *, any_structure: bool) -> dict[str, Any]:
    """One page of the tools: the result of `tools/list`. `any_structure`: a tool's result, and so its `outputSchema`,
    may be of any type, not only an object.

    Raises:
        RpcError: `cursor` is not the `nextCursor` of a page of these tools.
    """
    text, host = await _read(tab)
    tools = _raw_tools(text)
    start = _after(tools, cursor)
    page = tools[start : start + TOOLS_PER_PAGE]
    left_out: list[ToolProblem] = []
    listed = list(enumerate(page, start))
    if tab.session.tools_rules != RULES:
        checked, left_out = check_each([_read_definition(tool) for tool in page], start)
        listed = [(index, msgspec.Raw(msgspec.json.encode(tool))) for index, tool in checked]
    if not any_structure:
        left_out += [problem for index, tool in listed if (problem := _output_problem(tool, index))]
    hidden = {problem.index for problem in left_out}
    mapped = _mapped_names(tools) if tab.session.has_mapped_names else {}
    shown = [_shown(tool, mapped.get(_read_name(tool).name), index in hidden) for index, tool in listed]
    result: dict[str, Any] = {"tools": shown}
    meta: dict[str, Any] = {LEFT_OUT_KEY: left_out} if left_out else {}
    if start + TOOLS_PER_PAGE < len(tools):
        result["nextCursor"] = urlsafe_b64encode(_read_name(page[-1]).name.encode()).decode()
    # Read from KV's cache, not listed.
    grace_seconds = PRESENCE_GRACE_SECONDS + KV_READ_CACHE_SECONDS
    lifetime_seconds = tab.context.settings.plan.presence_seconds + grace_seconds
    if host is None or not host.is_online(tab.now_ms(), lifetime_seconds):
        seen_at = None if host is None else to_iso(host.seen_ms)
        meta[HOST_KEY] = {"online": False, "seenAt": seen_at, "open": tab.link()}
    return {**result, "_meta": meta} if meta else result


async def original_name(tab: Tab, name: str) -> str:
    """The tab's own name of the tool that a client calls `name`, by the tool's own name or by its mapped one.

    Costs a KV operation as `known_tool` does, but none in a session without mapped names.
    """
    if not tab.session.has_mapped_names:
        return name
    cached = await _cached(tab)
    return name if cached is None else cached.originals.get(name, name)


async def known_tool(tab: Tab, name: str) -> dict[str, Any] | None:
    """The host's definition of the tool `name` if a call needs it (see `_needed_by_calls`); otherwise `None`.

    Costs a KV operation if the tools have changed since this isolate read them, or 30 s have passed.
    """
    cached = await _cached(tab)
    definition = None if cached is None else cached.by_name.get(name)
    return None if definition is None else msgspec.json.decode(definition, type=dict[str, Any])


async def _cached(tab: Tab) -> CachedTools | None:
    code, version, now = tab.session.code, tab.session.tools_version, tab.now_ms()
    if version is None:
        return None
    mcp_tools = tab.context.isolate.mcp_tools
    # It does not keep them for ever: what was read just after a change may have been the tools before it.
    cached = mcp_tools.get(code, now)
    if cached is None or cached.version != version:
        text, _ = await _read(tab)
        tools = {_read_name(tool).name: bytes(tool) for tool in _raw_tools(text)}
        by_name = _needed_by_calls(tools)
        originals = original_names(list(tools)) if tab.session.has_mapped_names else {}
        cached = CachedTools(version, by_name, originals)
        size = sum(map(len, by_name.values())) + TOOL_BYTES * (len(by_name) + len(originals))
        mcp_tools.put(code, cached, now, size)
    return cached


def _needed_by_calls(tools: dict[str, bytes]) -> dict[str, bytes]:
    """By name, the tools whose definition a call has to know: those with `execution`, or with `x-mcp-header`. As JSON:
    decoded, a definition may take twenty times as much memory."""
    return {name: tool for name, tool in tools.items() if _MATTERS.search(tool)}


async def _read(tab: Tab) -> tuple[bytes, HostState | None]:
    code = tab.session.code
    if tab.session.tools_version is None:
        text = await tab.context.sessions().tools(tab.session)
        return text, None if tab.is_over else HostState(tab.now_ms(), False, None)
    values = await tab.context.kv.get_many([tools_key(code), host_key(code), host_left_key(code)])
    state = host_state(values.get(host_key(code)), values.get(host_left_key(code)))
    return values.get(tools_key(code), "[]").encode(), state


def _after(tools: list[msgspec.Raw], cursor: Any) -> int:
    if cursor is None or cursor == "":
        return 0
    if isinstance(cursor, str):
        try:
            last = urlsafe_b64decode(cursor.encode()).decode()
        except ValueError:
            raise _bad_cursor() from None
        # By name, not by number: tools added or removed before it do not shift the page.
        for number, tool in enumerate(tools):
            if _read_name(tool).name == last:
                return number + 1
    raise _bad_cursor()


def _bad_cursor() -> RpcError:
    return invalid_params("The cursor is not of this list, or the tools have changed; list them from the start.")


def _output_problem(tool: msgspec.Raw, index: int) -> ToolProblem | None:
    schema = _read_tool(tool).outputSchema
    if schema is msgspec.UNSET or schema.type == "object":
        return None
    detail = "Before 2026-07-28, a tool may have an outputSchema only if its results are always objects."
    return ToolProblem(_read_name(tool).name, index, "/outputSchema", detail)


def _mapped_names(tools: list[msgspec.Raw]) -> dict[str, str]:
    return {name: mapped for mapped, name in original_names([_read_name(tool).name for tool in tools]).items()}


def _shown(tool: msgspec.Raw, mapped: str | None, hides_output: bool) -> Any:
    """`tool` as a client sees it. If it has a mapped name, its own name becomes its title, unless it has one."""
    if mapped is None and not hides_output:
        return tool
    shown = _read_definition(tool)
    if hides_output:
        del shown["outputSchema"]
    if mapped is not None:
        shown["name"] = mapped
        if "title" not in shown and "title" not in shown.get("annotations", {}):
            shown["title"] = _read_name(tool).name
    return shown
